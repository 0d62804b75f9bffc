//! On which basis personal data is processed without consent (clause X1): the policy lists eleven exceptions for
//! collecting and using it, and only seven of them for sharing, transferring or disclosing it. What is not here
//! is no basis, so processing without one does not compile.

use serde::Serialize;
use utoipa::ToSchema;

/// Why data may be collected and used: consent, or one of eleven exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = CollectingBasis)]
pub enum Collecting {
    /// The person agreed.
    Consent,
    /// (1) A duty that the law puts on us.
    Law,
    /// (2) National security and defence.
    NationalSecurity,
    /// (3) Public security, public health, a great public interest.
    PublicInterest,
    /// (4) Criminal investigation, prosecution, trial and execution.
    Justice,
    /// (5) Somebody's life or property, where consent can hardly be had.
    VitalInterest,
    /// (6) The person made it public.
    PublishedByThePerson,
    /// (7) It is public lawfully.
    LawfullyPublished,
    /// (8) The contract that the person asked for cannot be kept without it.
    Contract,
    /// (9) Research in the public interest, without identities in what it shows.
    Research,
    /// (10) The service could not be kept safe and stable without it.
    Safety,
    /// (11) What else laws and regulations say.
    OtherLaw,
}

/// Why data may be given to somebody else: consent, or one of seven exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = SharingBasis)]
pub enum Sharing {
    /// The person agreed, to the policy or by asking for just this.
    Consent,
    /// The person agreed to this alone.
    SeparateConsent,
    /// 1. A duty that the law puts on us.
    Law,
    /// 2. National security and defence.
    NationalSecurity,
    /// 3. Public security, public health, a great public interest.
    PublicInterest,
    /// 4. Criminal investigation, prosecution, trial and execution.
    Justice,
    /// 5. Somebody's life or property, where consent can hardly be had.
    VitalInterest,
    /// 6. The person made it public.
    PublishedByThePerson,
    /// 7. It is public lawfully.
    LawfullyPublished,
}

impl Sharing {
    /// The name that a record holds.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::SeparateConsent => "separate-consent",
            Self::Law => "law",
            Self::NationalSecurity => "national-security",
            Self::PublicInterest => "public-interest",
            Self::Justice => "justice",
            Self::VitalInterest => "vital-interest",
            Self::PublishedByThePerson => "published-by-the-person",
            Self::LawfullyPublished => "lawfully-published",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause X1
    #[test]
    fn sharing_has_seven_of_the_eleven_exceptions() {
        const EXCEPTIONS: [Sharing; 7] = [
            Sharing::Law,
            Sharing::NationalSecurity,
            Sharing::PublicInterest,
            Sharing::Justice,
            Sharing::VitalInterest,
            Sharing::PublishedByThePerson,
            Sharing::LawfullyPublished,
        ];
        const COLLECTING: [Collecting; 11] = [
            Collecting::Law,
            Collecting::NationalSecurity,
            Collecting::PublicInterest,
            Collecting::Justice,
            Collecting::VitalInterest,
            Collecting::PublishedByThePerson,
            Collecting::LawfullyPublished,
            Collecting::Contract,
            Collecting::Research,
            Collecting::Safety,
            Collecting::OtherLaw,
        ];
        let name = |value: serde_json::Value| value.as_str().expect("a name").to_owned();
        let collecting = COLLECTING.map(|basis| name(serde_json::to_value(basis).unwrap()));
        for basis in EXCEPTIONS {
            assert_eq!(name(serde_json::to_value(basis).unwrap()), basis.name());
            assert!(collecting.contains(&basis.name().to_owned()));
        }
        for only_collecting in ["contract", "research", "safety", "other-law"] {
            assert!(collecting.contains(&only_collecting.to_owned()));
            assert!(
                EXCEPTIONS
                    .iter()
                    .all(|basis| basis.name() != only_collecting)
            );
        }
    }
}
