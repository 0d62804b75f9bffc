//! What can be asked, and what can be reported.

use crate::names::names;

names! {
    /// What is asked (clauses R1 to R7, K1, M1).
    Kind as RequestKind {
        /// To see what is held.
        Access = "access",
        /// To correct or complete it.
        Correction = "correction",
        /// To delete it.
        Deletion = "deletion",
        /// To have a copy of it.
        Copy = "copy",
        /// Something was not right, or is doubted, or could be better.
        Complaint = "complaint",
        /// Somebody, or what somebody published, should not be here.
        Report = "report",
    }
}

names! {
    /// What is reported (clauses E14, M1).
    Reason as ReportReason {
        /// The account is a minor's.
        Minor = "minor",
        /// What was published is against the law.
        IllegalContent = "illegal-content",
        /// The account pretends to be somebody else's.
        Impersonation = "impersonation",
        /// What was published hurts somebody's rights: portrait, reputation, privacy, works.
        Infringement = "infringement",
        /// Anything else; the text says what.
        Other = "other",
    }
}

names! {
    /// How far a request is.
    Status as RequestStatus {
        /// It waits for an operator.
        Open = "open",
        /// It was answered.
        Answered = "answered",
        /// It was refused, in one of the policy's cases.
        Refused = "refused",
    }
}

names! {
    /// How it was made sure who asks. It says how, never whom: a decided request outlives the account.
    Identity as RequestIdentity {
        /// The person was logged in.
        Session = "session",
        /// A call to the account's number, or a code sent to it.
        PhoneNumber = "phone-number",
        /// Something that only the account's owner knows of it.
        AccountDetails = "account-details",
        /// An identity document that was shown, and not kept.
        IdentityDocument = "identity-document",
        /// A guardian, who showed to be one.
        Guardian = "guardian",
        /// Not at all: whoever reports somebody else need not have an account.
        Stranger = "stranger",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_are_those_in_json() {
        let json = |value: serde_json::Value| value.as_str().expect("a name").to_owned();
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(*kind));
            assert_eq!(json(serde_json::json!(kind)), kind.name());
        }
        for reason in Reason::ALL {
            assert_eq!(Reason::named(reason.name()), Some(*reason));
            assert_eq!(json(serde_json::json!(reason)), reason.name());
        }
        for status in Status::ALL {
            assert_eq!(Status::named(status.name()), Some(*status));
            assert_eq!(json(serde_json::json!(status)), status.name());
        }
        for identity in Identity::ALL {
            assert_eq!(Identity::named(identity.name()), Some(*identity));
            assert_eq!(json(serde_json::json!(identity)), identity.name());
        }
    }
}
