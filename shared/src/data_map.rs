//! The data map: what every stored column and key is, why it is held, for how long and on which basis,
//! and what happens to it when a person asks for a copy or leaves. A test compares it with the schema of
//! both engines, so that nothing is stored without a decision.

/// How much a value says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing.
    Open,
    /// It is about a person, or leads to one.
    Personal,
    /// The law calls it sensitive: stored only as ciphertext or as a keyed hash.
    Sensitive,
}

/// Why it may be held (clause X1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The person agreed to the policy.
    Consent,
    /// The service that the person asked for cannot be given without it.
    Contract,
    /// The law asks for it.
    Law,
    /// The service could not be kept safe without it.
    Safety,
}

/// How long it is held (clause D2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Until the account is deleted.
    Account,
    /// Until the moment in the row's `expires_at` or `ends_at`.
    RowExpiry,
    /// Three years from the event, the law's minimum for service records.
    ThreeYears,
    /// As long as the application exists.
    Always,
}

/// What a copy of a person's data does with it (clause R6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExport {
    /// It is in the copy; ciphertext is opened first.
    Included,
    /// It says nothing to the person, or would only weaken the account: a hash, a secret, a counter.
    Omitted,
}

/// What deleting the account does with it (clause R5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDeletion {
    /// It goes.
    Deleted,
    /// It goes by itself soon, and until then leads to nobody without the application's key.
    Expires,
    /// It stays, and leads to nobody any more.
    Kept,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// How much it says about a person.
    pub class: Class,
    /// What happens to it in a copy.
    pub on_export: OnExport,
}

/// One table, or one kind of key in the key-value store.
#[derive(Debug)]
pub struct Holding {
    /// The table's name, or the keys' prefix.
    pub name: &'static str,
    /// Why it is held.
    pub purpose: &'static str,
    /// On which basis.
    pub basis: Basis,
    /// For how long.
    pub retention: Retention,
    /// What happens to it when the person leaves.
    pub on_deletion: OnDeletion,
    /// Its columns; for a key, the members of its value.
    pub columns: &'static [Column],
}

const fn column(name: &'static str, class: Class, on_export: OnExport) -> Column {
    Column {
        name,
        class,
        on_export,
    }
}

use Basis::{Consent, Contract, Law, Safety};
use Class::{Open, Personal, Sensitive};
use OnDeletion::{Deleted, Expires, Kept};
use OnExport::{Included, Omitted};
use Retention::{Account, Always, RowExpiry, ThreeYears};

/// Every table.
pub const TABLES: &[Holding] = &[
    Holding {
        name: "accounts",
        purpose: "the account that a mobile number opens",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Included),
            column("phone_hash", Sensitive, Omitted),
            column("phone", Sensitive, Included),
            column("person_key_id", Personal, Omitted),
            column("password_hash", Sensitive, Omitted),
            column("policy_version", Personal, Included),
            column("created_at", Personal, Included),
        ],
    },
    Holding {
        name: "policy_consents",
        purpose: "proof that the policy was agreed to",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("account_id", Personal, Included),
            column("version", Personal, Included),
            column("given_at", Personal, Included),
        ],
    },
    Holding {
        name: "person_keys",
        purpose: "each person's data key, where the key-value store is too small for them",
        basis: Safety,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Omitted),
            column("wrapped_key", Sensitive, Omitted),
        ],
    },
    Holding {
        name: "devices",
        purpose: "account security: a new device is noticed",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Omitted),
            column("account_id", Personal, Included),
            column("device_hash", Sensitive, Omitted),
            column("model", Personal, Included),
            column("os", Personal, Included),
            column("app_version", Personal, Included),
            column("purpose", Open, Included),
            column("policy_version", Personal, Included),
            column("first_seen_at", Personal, Included),
        ],
    },
    Holding {
        name: "sessions",
        purpose: "staying logged in",
        basis: Contract,
        retention: RowExpiry,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Included),
            column("account_id", Personal, Included),
            column("device_id", Personal, Omitted),
            column("token_hash", Sensitive, Omitted),
            column("created_at", Personal, Included),
            column("last_used_on", Personal, Included),
            column("expires_at", Personal, Included),
        ],
    },
    Holding {
        name: "sms_codes",
        purpose: "proving that a number is one's own",
        basis: Contract,
        retention: RowExpiry,
        on_deletion: Expires,
        columns: &[
            column("phone_hash", Sensitive, Omitted),
            column("purpose", Open, Omitted),
            column("code_hash", Sensitive, Omitted),
            column("tries", Open, Omitted),
            column("expires_at", Open, Omitted),
            column("redeemed_at", Open, Omitted),
            column("redeemer_hash", Sensitive, Omitted),
            column("plan", Sensitive, Omitted),
        ],
    },
    Holding {
        name: "rate_limits",
        purpose: "keeping numbers and the service from being flooded",
        basis: Safety,
        retention: RowExpiry,
        on_deletion: Expires,
        columns: &[
            column("bucket", Sensitive, Omitted),
            column("taken", Open, Omitted),
            column("allowed", Open, Omitted),
            column("ends_at", Open, Omitted),
        ],
    },
    Holding {
        name: "idempotency_keys",
        purpose: "a call that is sent again has no second effect",
        basis: Contract,
        retention: RowExpiry,
        on_deletion: Expires,
        columns: &[
            column("id", Sensitive, Omitted),
            column("fingerprint", Sensitive, Omitted),
            column("taken_at", Open, Omitted),
            column("expires_at", Open, Omitted),
            column("answer", Sensitive, Omitted),
        ],
    },
    Holding {
        name: "disclosures",
        purpose: "which third party got what, why and when",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Deleted,
        columns: &[
            column("id", Open, Omitted),
            column("phone_hash", Sensitive, Omitted),
            column("recipient", Personal, Included),
            column("purpose", Personal, Included),
            column("data", Personal, Included),
            column("basis", Personal, Included),
            column("sent_at", Personal, Included),
        ],
    },
    Holding {
        name: "profiles",
        purpose: "what the person shows to others",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("account_id", Personal, Included),
            column("version", Open, Omitted),
            column("hidden", Personal, Included),
            column("avatar", Personal, Included),
            column("gender", Personal, Included),
            column("real_name", Personal, Included),
            column("company", Personal, Included),
            column("job_title", Personal, Included),
            column("motto", Personal, Included),
            column("about", Personal, Included),
            column("offers", Personal, Included),
            column("needs", Personal, Included),
            column("birthday", Personal, Included),
            column("hometown", Personal, Included),
            column("city", Personal, Included),
            column("hobbies", Personal, Included),
            column("industries", Personal, Included),
            column("education", Personal, Included),
        ],
    },
    Holding {
        name: "consents",
        purpose: "what the person agrees to, by purpose",
        basis: Law,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("account_id", Personal, Included),
            column("purpose", Personal, Included),
            column("version", Personal, Included),
            column("given_at", Personal, Included),
        ],
    },
    Holding {
        name: "consent_events",
        purpose: "proof of each consent and of each withdrawal",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("id", Open, Omitted),
            column("account_id", Personal, Included),
            column("purpose", Personal, Included),
            column("version", Personal, Included),
            column("granted", Personal, Included),
            column("happened_at", Personal, Included),
        ],
    },
    Holding {
        name: "uploads",
        purpose: "pictures, voices and videos that the person gave; the bytes lie in the object store, or \
                  sealed in the key-value store",
        basis: Consent,
        retention: RowExpiry,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Included),
            column("account_id", Personal, Included),
            column("purpose", Personal, Included),
            column("kind", Personal, Included),
            column("content_type", Personal, Included),
            column("size", Personal, Included),
            column("slot", Open, Omitted),
            column("etag", Personal, Omitted),
            column("created_at", Personal, Included),
            column("completed_at", Personal, Included),
            column("expires_at", Personal, Included),
        ],
    },
    Holding {
        name: "verification_claims",
        purpose: "who the person, or the person's company, is; goes when the consent is withdrawn",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Included),
            column("account_id", Personal, Included),
            column("kind", Personal, Included),
            column("purpose", Personal, Included),
            column("status", Personal, Included),
            column("reason", Personal, Included),
            column("certify_id", Personal, Omitted),
            column("asked_at", Open, Omitted),
            column("expires_at", Personal, Included),
            column("opened_at", Personal, Included),
            column("alerted_at", Open, Omitted),
            column("decided_at", Personal, Included),
            column("real_name", Personal, Included),
            column("summary", Sensitive, Included),
            column("number_hash", Sensitive, Omitted),
            column("verified_hash", Sensitive, Omitted),
        ],
    },
    Holding {
        name: "verifications",
        purpose: "that a verification was asked for",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Included),
            column("account_id", Personal, Included),
            column("kind", Personal, Included),
            column("created_at", Personal, Included),
        ],
    },
    Holding {
        name: "verification_photos",
        purpose: "the photos that a review looks at; they go with its decision",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("upload_id", Personal, Included),
            column("verification_id", Personal, Included),
        ],
    },
    Holding {
        name: "operator_audit",
        purpose: "what operators looked at and decided",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("id", Open, Omitted),
            column("operator", Personal, Omitted),
            column("action", Open, Omitted),
            column("subject", Personal, Omitted),
            column("happened_at", Open, Omitted),
        ],
    },
    Holding {
        name: "blocks",
        purpose: "who does not want to see whom, and not be seen",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("account_id", Personal, Included),
            column("blocked_id", Personal, Included),
            column("created_at", Personal, Included),
        ],
    },
    Holding {
        // One coarse cell that is overwritten is not the movements of a person, which the law calls sensitive.
        name: "locations",
        purpose: "people nearby: the cell of about 500 m in which the person was last, and no other; goes when \
                  the consent is withdrawn",
        basis: Consent,
        retention: RowExpiry,
        on_deletion: Deleted,
        columns: &[
            column("account_id", Personal, Included),
            column("purpose", Personal, Included),
            column("cell", Personal, Included),
            column("x", Personal, Omitted),
            column("y", Personal, Omitted),
            column("z", Personal, Omitted),
            column("hidden", Personal, Included),
            column("moved_at", Personal, Included),
            column("updated_at", Personal, Included),
            column("expires_at", Personal, Included),
        ],
    },
    Holding {
        name: "wallets",
        purpose: "which pseudonym has the account's coins",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("account_id", Personal, Included),
            column("holder", Personal, Included),
            column("created_at", Personal, Included),
        ],
    },
    Holding {
        name: "orders",
        purpose: "coins that were ordered, and whether they were paid for",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("id", Personal, Included),
            column("holder", Personal, Included),
            column("request", Open, Omitted),
            column("package", Personal, Included),
            column("coins", Personal, Included),
            column("amount_fen", Personal, Included),
            column("channel", Personal, Included),
            column("product", Personal, Included),
            column("status", Personal, Included),
            column("provider_id", Personal, Included),
            column("created_at", Personal, Included),
            column("expires_at", Open, Omitted),
            column("asked_at", Open, Omitted),
            column("paid_at", Personal, Included),
            column("refund_reversed_at", Personal, Included),
        ],
    },
    Holding {
        name: "refunds",
        purpose: "what was paid back of an order",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("id", Personal, Included),
            column("order_id", Personal, Included),
            column("ordinal", Open, Omitted),
            column("number", Personal, Included),
            column("fen", Personal, Included),
            column("coins", Personal, Included),
            column("status", Personal, Included),
            column("happened_at", Personal, Included),
            column("created_at", Personal, Included),
        ],
    },
    Holding {
        name: "ledger",
        purpose: "the only truth about coins: every change, under a pseudonym",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("reference", Personal, Included),
            column("kind", Personal, Included),
            column("account", Personal, Included),
            column("number", Personal, Included),
            column("amount", Personal, Included),
            column("balance", Personal, Included),
            column("debt", Personal, Included),
            column("created_at", Personal, Included),
        ],
    },
    Holding {
        name: "ledger_seals",
        purpose: "that nobody has changed the ledger's closed days",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("day", Open, Omitted),
            column("entries", Open, Omitted),
            column("digest", Open, Omitted),
            column("seal", Open, Omitted),
            column("sealed_at", Open, Omitted),
        ],
    },
    Holding {
        name: "gifts",
        purpose: "which gift or thanks coins went with, and the words beside it",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        columns: &[
            column("id", Personal, Included),
            column("sender", Personal, Included),
            column("recipient", Personal, Included),
            column("gift", Personal, Included),
            column("note", Personal, Included),
            column("target", Personal, Included),
            column("created_at", Personal, Included),
        ],
    },
    Holding {
        name: "payment_notifications",
        purpose: "what the payment institutions told of an order, without the payer",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("channel", Open, Omitted),
            column("notification_id", Open, Omitted),
            column("order_id", Personal, Omitted),
            column("verdict", Open, Omitted),
            column("content", Personal, Omitted),
            column("deliveries", Open, Omitted),
            column("received_at", Open, Omitted),
            column("last_at", Open, Omitted),
        ],
    },
    Holding {
        name: "payment_anomalies",
        purpose: "payments that fit no order, for the operators, without the payer",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        columns: &[
            column("id", Open, Omitted),
            column("channel", Open, Omitted),
            column("notification_id", Open, Omitted),
            column("reason", Open, Omitted),
            column("order_id", Personal, Omitted),
            column("content", Personal, Omitted),
            column("created_at", Open, Omitted),
        ],
    },
    Holding {
        name: "schema_migrations",
        purpose: "which migrations have run",
        basis: Safety,
        retention: Always,
        on_deletion: Kept,
        columns: &[column("version", Open, Omitted)],
    },
];

/// Every kind of key in the key-value store, by its prefix.
pub const KEYS: &[Holding] = &[
    Holding {
        name: "session:",
        purpose: "the session cache: a minute of not asking the database",
        basis: Contract,
        retention: RowExpiry,
        on_deletion: Deleted,
        columns: &[
            column("token_hash", Sensitive, Omitted),
            column("session_id", Personal, Omitted),
            column("account_id", Personal, Omitted),
            column("checked_at", Open, Omitted),
            column("expires_at", Open, Omitted),
            column("policy_version", Personal, Omitted),
        ],
    },
    Holding {
        name: "person-key:",
        purpose: "each person's data key, apart from the database and its backups",
        basis: Safety,
        retention: Account,
        on_deletion: Deleted,
        columns: &[column("wrapped_key", Sensitive, Omitted)],
    },
    Holding {
        name: "upload:",
        purpose: "the bytes of an upload, where no object store is configured: sealed under the person's key",
        basis: Consent,
        retention: RowExpiry,
        on_deletion: Deleted,
        columns: &[column("bytes", Sensitive, Included)],
    },
];
