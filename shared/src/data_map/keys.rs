//! Every kind of key in the key-value store.

use super::Basis::{Consent, Contract, Law, Safety};
use super::Class::{Open, Personal, Sensitive};
use super::OnDeletion::{Deleted, Kept};
use super::OnExport::{Included, Omitted};
use super::Retention::{Account, RowExpiry, UntilDone};
use super::{Category, Class, Column, Holding, OnExport};

const fn column(name: &'static str, class: Class, on_export: OnExport) -> Column {
    Column {
        name,
        class,
        on_export,
    }
}

/// Every kind of key in the key-value store, by its prefix.
pub const KEYS: &[Holding] = &[
    Holding {
        name: "session:",
        category: Category::Service,
        copy: None,
        sweep: None,
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
            column("major_version", Open, Omitted),
        ],
    },
    Holding {
        name: "person-key:",
        category: Category::Service,
        copy: None,
        sweep: None,
        purpose: "each person's data key, apart from the database and its backups; after a deletion a tombstone in its \
                  place, while a backup can bring the account back",
        basis: Safety,
        retention: Account,
        on_deletion: Deleted,
        columns: &[column("wrapped_key", Sensitive, Omitted)],
    },
    Holding {
        name: "erasures:",
        category: Category::Service,
        copy: None,
        sweep: None,
        purpose: "a day's rows of `erasures`, which a restored backup of the database lacks",
        basis: Law,
        retention: UntilDone,
        on_deletion: Kept,
        columns: &[column("notes", Personal, Omitted)],
    },
    Holding {
        name: "upload:",
        category: Category::Uploads,
        copy: None,
        sweep: None,
        purpose: "the bytes of an upload, where no object store is configured: sealed under the person's key",
        basis: Consent,
        retention: RowExpiry,
        on_deletion: Deleted,
        columns: &[column("bytes", Sensitive, Included)],
    },
];
