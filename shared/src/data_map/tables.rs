//! Every table, with every column.
//!
//! To add a table, write it here: its rows are then in a person's copy, and leave when their time is over.

use super::Basis::{Consent, Contract, Law, Safety};
use super::Class::{Open, Personal, Sensitive};
use super::OnDeletion::{Deleted, Expires, Kept};
use super::OnExport::{Included, Omitted};
use super::Retention::{Account, AfterAccount, Always, RowExpiry, ThreeYears, UntilDone};
use super::{Category, Column, Copy, CopyKey, Holding, Sweep};
use crate::sql::Statement;

/// A table's rows of one person: those `where` says, of the account `$1`, in the order of a column in which they
/// differ; `with` a column that is there only `if` a condition holds. Of two columns of one name the first counts.
macro_rules! copy {
    ($name:ident $key:ident $kind:ident $rows:literal $($column:ident $condition:expr)?) => {
        Copy {
            statement: Statement::new(concat!(
                "SELECT ",
                $("CASE WHEN ", $condition, " THEN t.", stringify!($column), " END AS ", stringify!($column), ", ",)?
                "t.* FROM ",
                stringify!($name),
                " t WHERE ",
                $rows,
                " AND t.",
                stringify!($key),
                " > $2 ORDER BY t.",
                stringify!($key),
                " LIMIT $3"
            )),
            key: stringify!($key),
            kind: CopyKey::$kind,
        }
    };
}

/// Deletes at most `limit` of a table's rows that are `over`, the oldest first.
macro_rules! delete {
    ($name:ident, $key:literal, $over:expr, $order:expr, $limit:literal) => {
        Statement::new(concat!(
            "DELETE FROM ",
            stringify!($name),
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM ",
            stringify!($name),
            " t WHERE ",
            $over,
            " ORDER BY ",
            $order,
            " LIMIT ",
            $limit,
            ") RETURNING CAST(1 AS BIGINT) AS gone"
        ))
    };
}

/// What deletes a table's rows whose time is over.
///
/// - `when TIME by KEY`: by an index on the time;
/// - `old TIME`: by the primary key `id`, which sorts by when the row was made; a time that is NULL is not over;
/// - `old TIME of ID by KEY`: the same by another table's identifier, which does.
macro_rules! sweep {
    ($name:ident (when $time:literal by $key:literal)) => {
        Sweep::ByTime(delete!($name, $key, concat!($time, " <= $1"), $time, "$2"))
    };
    ($name:ident (old $time:literal)) => {
        sweep!($name (old $time of "id" by "id"))
    };
    ($name:ident (old $time:literal of $id:literal by $key:literal)) => {
        Sweep::ById(delete!(
            $name,
            $key,
            concat!("t.", $id, " < $1 AND ", $time, " <= $2"),
            concat!("t.", $id),
            "$3"
        ))
    };
}

macro_rules! optional {
    () => {
        None
    };
    ($some:expr) => {
        Some($some)
    };
}

macro_rules! tables {
    ($($name:ident in $category:ident {
        purpose: $purpose:literal,
        basis: $basis:ident,
        retention: $retention:ident,
        on_deletion: $on_deletion:ident,
        $(copy: by $key:ident $kind:ident where $rows:literal $(with $part:ident if $condition:expr)?,)?
        $(swept: $swept:tt,)?
        columns: { $($column:ident $class:ident $on_export:ident,)* },
    })*) => {
        /// Every table.
        pub const TABLES: &[Holding] = &[$(Holding {
            name: stringify!($name),
            category: Category::$category,
            purpose: $purpose,
            basis: $basis,
            retention: $retention,
            on_deletion: $on_deletion,
            copy: optional!($(copy!($name $key $kind $rows $($part $condition)?))?),
            sweep: optional!($(sweep!($name $swept))?),
            columns: &[$(Column {
                name: stringify!($column),
                class: $class,
                on_export: $on_export,
            }),*],
        }),*];

        /// The statements that the map makes.
        pub const STATEMENTS: &[&[(&str, Statement)]] = &[$(
            &[$((concat!("copy of ", stringify!($name)), copy!($name $key $kind $rows $($part $condition)?).statement),)?],
            &[$((concat!("sweep of ", stringify!($name)), *sweep!($name $swept).statement()),)?],
        )*];
    };
}

tables! {
    accounts in Account {
        purpose: "the account that a mobile number opens",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        copy: by id Text where "t.id = $1",
        columns: {
            id Personal Included,
            phone_hash Sensitive Omitted,
            phone Sensitive Included,
            person_key_id Personal Omitted,
            password_hash Sensitive Omitted,
            policy_version Personal Included,
            created_at Personal Included,
            closes_at Personal Included,
            frozen_at Personal Included,
        },
    }
    policy_consents in Account {
        purpose: "proof that the policy was agreed to",
        basis: Law,
        retention: AfterAccount,
        on_deletion: Kept,
        copy: by version Text where "t.account_id = $1",
        columns: {
            account_id Personal Included,
            version Personal Included,
            given_at Personal Included,
        },
    }
    person_keys in Service {
        purpose: "each person's data key, where the key-value store is too small for them",
        basis: Safety,
        retention: Account,
        on_deletion: Deleted,
        columns: {
            id Personal Omitted,
            wrapped_key Sensitive Omitted,
        },
    }
    devices in Devices {
        purpose: "account security: a new device is noticed",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        copy: by id Text where "t.account_id = $1",
        columns: {
            id Personal Omitted,
            account_id Personal Included,
            device_hash Sensitive Omitted,
            model Personal Included,
            os Personal Included,
            app_version Personal Included,
            purpose Open Included,
            policy_version Personal Included,
            first_seen_at Personal Included,
        },
    }
    sessions in Account {
        purpose: "staying logged in",
        basis: Contract,
        retention: RowExpiry,
        on_deletion: Deleted,
        copy: by id Text where "t.account_id = $1",
        columns: {
            id Personal Included,
            account_id Personal Included,
            device_id Personal Omitted,
            token_hash Sensitive Omitted,
            created_at Personal Included,
            last_used_on Personal Included,
            expires_at Personal Included,
        },
    }
    sms_codes in Service {
        purpose: "proving that a number is one's own",
        basis: Contract,
        retention: RowExpiry,
        on_deletion: Deleted,
        swept: (when "t.expires_at" by "phone_hash, purpose"),
        columns: {
            phone_hash Sensitive Omitted,
            purpose Open Omitted,
            code_hash Sensitive Omitted,
            tries Open Omitted,
            expires_at Open Omitted,
            redeemed_at Open Omitted,
            redeemer_hash Sensitive Omitted,
            plan Sensitive Omitted,
        },
    }
    rate_limits in Service {
        purpose: "keeping numbers and the service from being flooded",
        basis: Safety,
        retention: RowExpiry,
        on_deletion: Expires,
        swept: (when "t.ends_at" by "bucket"),
        columns: {
            bucket Sensitive Omitted,
            taken Open Omitted,
            allowed Open Omitted,
            ends_at Open Omitted,
        },
    }
    idempotency_keys in Service {
        purpose: "a call that is sent again has no second effect",
        basis: Contract,
        retention: RowExpiry,
        on_deletion: Expires,
        swept: (when "t.expires_at" by "id"),
        columns: {
            id Sensitive Omitted,
            fingerprint Sensitive Omitted,
            taken_at Open Omitted,
            expires_at Open Omitted,
            answer Sensitive Omitted,
        },
    }
    disclosures in Disclosures {
        purpose: "which third party got what, why and when",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Deleted,
        copy: by id Text where "t.phone_hash = (SELECT a.phone_hash FROM accounts a WHERE a.id = $1)",
        swept: (old "t.sent_at"),
        columns: {
            id Open Omitted,
            phone_hash Sensitive Omitted,
            recipient Personal Included,
            purpose Personal Included,
            data Personal Included,
            basis Personal Included,
            sent_at Personal Included,
            reference Personal Included,
        },
    }
    profiles in Profile {
        purpose: "what the person shows to others",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        copy: by account_id Text where "t.account_id = $1",
        columns: {
            account_id Personal Included,
            version Open Omitted,
            hidden Personal Included,
            avatar Personal Included,
            gender Personal Included,
            real_name Personal Included,
            company Personal Included,
            job_title Personal Included,
            motto Personal Included,
            about Personal Included,
            offers Personal Included,
            needs Personal Included,
            birthday Personal Included,
            hometown Personal Included,
            city Personal Included,
            hobbies Personal Included,
            industries Personal Included,
            education Personal Included,
        },
    }
    consents in Consents {
        purpose: "what the person agrees to, by purpose",
        basis: Law,
        retention: Account,
        on_deletion: Deleted,
        copy: by purpose Text where "t.account_id = $1",
        columns: {
            account_id Personal Included,
            purpose Personal Included,
            version Personal Included,
            given_at Personal Included,
        },
    }
    consent_events in Consents {
        purpose: "proof of each consent and of each withdrawal",
        basis: Law,
        retention: AfterAccount,
        on_deletion: Kept,
        copy: by id Text where "t.account_id = $1",
        columns: {
            id Open Omitted,
            account_id Personal Included,
            purpose Personal Included,
            version Personal Included,
            granted Personal Included,
            happened_at Personal Included,
        },
    }
    uploads in Uploads {
        purpose: "pictures, voices and videos that the person gave; the bytes lie in the object store, or \
                  sealed in the key-value store",
        basis: Consent,
        retention: RowExpiry,
        on_deletion: Deleted,
        copy: by id Text where "t.account_id = $1",
        columns: {
            id Personal Included,
            account_id Personal Included,
            purpose Personal Included,
            kind Personal Included,
            content_type Personal Included,
            size Personal Included,
            slot Open Omitted,
            etag Personal Omitted,
            created_at Personal Included,
            completed_at Personal Included,
            expires_at Personal Included,
        },
    }
    verification_claims in Verification {
        purpose: "who the person, or the person's company, is; goes when the consent is withdrawn",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        copy: by id Text where "t.account_id = $1",
        columns: {
            id Personal Included,
            account_id Personal Included,
            kind Personal Included,
            purpose Personal Included,
            status Personal Included,
            reason Personal Included,
            certify_id Personal Omitted,
            asked_at Open Omitted,
            expires_at Personal Included,
            opened_at Personal Included,
            alerted_at Open Omitted,
            decided_at Personal Included,
            real_name Personal Included,
            summary Sensitive Included,
            number_hash Sensitive Omitted,
            verified_hash Sensitive Omitted,
        },
    }
    verifications in Verification {
        purpose: "that a verification was asked for",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        copy: by id Text where "t.account_id = $1",
        columns: {
            id Personal Included,
            account_id Personal Included,
            kind Personal Included,
            created_at Personal Included,
        },
    }
    verification_photos in Verification {
        purpose: "the photos that a review looks at; they go with its decision",
        basis: Consent,
        retention: Account,
        on_deletion: Deleted,
        copy: by upload_id Text where "t.verification_id IN (SELECT c.id FROM verification_claims c WHERE c.account_id = $1)",
        columns: {
            upload_id Personal Included,
            verification_id Personal Included,
        },
    }
    operator_audit in Service {
        purpose: "what operators looked at and decided",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        swept: (old "t.happened_at"),
        columns: {
            id Open Omitted,
            operator Personal Omitted,
            action Open Omitted,
            subject Personal Omitted,
            happened_at Open Omitted,
        },
    }
    blocks in Blocks {
        purpose: "who does not want to see whom, and not be seen",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        copy: by blocked_id Text where "t.account_id = $1",
        columns: {
            account_id Personal Included,
            blocked_id Personal Included,
            created_at Personal Included,
        },
    }
    // One coarse cell that is overwritten is not the movements of a person, which the law calls sensitive.
    locations in Location {
        purpose: "people nearby: the cell of about 500 m in which the person was last, and no other; goes when \
                  the consent is withdrawn",
        basis: Consent,
        retention: RowExpiry,
        on_deletion: Deleted,
        copy: by account_id Text where "t.account_id = $1",
        swept: (when "t.expires_at" by "account_id"),
        columns: {
            account_id Personal Included,
            purpose Personal Included,
            cell Personal Included,
            x Personal Omitted,
            y Personal Omitted,
            z Personal Omitted,
            hidden Personal Included,
            moved_at Personal Included,
            updated_at Personal Included,
            expires_at Personal Included,
        },
    }
    wallets in Payment {
        purpose: "which pseudonym has the account's coins",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        copy: by account_id Text where "t.account_id = $1",
        columns: {
            account_id Personal Included,
            holder Personal Included,
            created_at Personal Included,
        },
    }
    refunds in Payment {
        purpose: "what was paid back of an order",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        copy: by id Text where "t.order_id IN (SELECT o.id FROM orders o JOIN wallets w ON w.holder = o.holder WHERE w.account_id = $1)",
        swept: (old "CASE WHEN t.status = 'pending' THEN NULL WHEN t.happened_at > t.created_at THEN t.happened_at \
               ELSE t.created_at END" of "order_id" by "order_id, ordinal"),
        columns: {
            id Personal Included,
            order_id Personal Included,
            ordinal Open Omitted,
            number Personal Included,
            fen Personal Included,
            coins Personal Included,
            status Personal Included,
            happened_at Personal Included,
            created_at Personal Included,
            look_at Open Omitted,
        },
    }
    orders in Payment {
        purpose: "coins that were ordered, and whether they were paid for",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        copy: by id Text where "t.holder = (SELECT w.holder FROM wallets w WHERE w.account_id = $1)",
        swept: (old "CASE WHEN EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = t.id) THEN NULL \
               ELSE COALESCE(t.refund_reversed_at, t.paid_at, t.created_at) END"),
        columns: {
            id Personal Included,
            holder Personal Included,
            request Open Omitted,
            package Personal Included,
            coins Personal Included,
            amount_fen Personal Included,
            channel Personal Included,
            product Personal Included,
            status Personal Included,
            provider_id Personal Included,
            created_at Personal Included,
            expires_at Open Omitted,
            asked_at Open Omitted,
            paid_at Personal Included,
            refund_reversed_at Personal Included,
            look_at Open Omitted,
        },
    }
    ledger in Payment {
        purpose: "the only truth about coins: every change, under a pseudonym",
        basis: Law,
        retention: Always,
        on_deletion: Kept,
        copy: by number Number where "t.account = (SELECT w.holder FROM wallets w WHERE w.account_id = $1)",
        columns: {
            reference Personal Included,
            kind Personal Included,
            account Personal Included,
            number Personal Included,
            amount Personal Included,
            balance Personal Included,
            debt Personal Included,
            created_at Personal Included,
        },
    }
    ledger_seals in Service {
        purpose: "that nobody has changed the ledger's closed days",
        basis: Law,
        retention: Always,
        on_deletion: Kept,
        columns: {
            day Open Omitted,
            entries Open Omitted,
            digest Open Omitted,
            seal Open Omitted,
            sealed_at Open Omitted,
        },
    }
    gifts in Gifts {
        purpose: "which gift or thanks coins went with, and the words beside it",
        basis: Contract,
        retention: Account,
        on_deletion: Deleted,
        copy: by id Text where "t.id IN (SELECT g.id FROM wallets w JOIN gifts g ON g.sender = w.holder WHERE w.account_id = $1 UNION ALL SELECT g.id FROM wallets w JOIN gifts g ON g.recipient = w.holder JOIN ledger l ON l.reference = g.id WHERE w.account_id = $1)",
        columns: {
            id Personal Included,
            // The other's pseudonym would lead to what is kept of the other; the own ledger says who gave.
            sender Personal Omitted,
            recipient Personal Omitted,
            gift Personal Included,
            note Personal Included,
            target Personal Included,
            created_at Personal Included,
        },
    }
    payment_notifications in Service {
        purpose: "what the payment institutions told of an order, without the payer",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        swept: (when "t.last_at" by "channel, notification_id"),
        columns: {
            channel Open Omitted,
            notification_id Open Omitted,
            order_id Personal Omitted,
            verdict Open Omitted,
            content Personal Omitted,
            deliveries Open Omitted,
            received_at Open Omitted,
            last_at Open Omitted,
        },
    }
    payment_anomalies in Service {
        purpose: "payments that fit no order, for the operators, without the payer",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        swept: (old "t.created_at"),
        columns: {
            id Open Omitted,
            channel Open Omitted,
            notification_id Open Omitted,
            reason Open Omitted,
            order_id Personal Omitted,
            content Personal Omitted,
            created_at Open Omitted,
        },
    }
    deletions in Service {
        purpose: "deleting an account to the end, and deleting it again after a backup was restored",
        basis: Law,
        retention: AfterAccount,
        on_deletion: Kept,
        columns: {
            id Open Omitted,
            account_id Personal Omitted,
            phone_hash Sensitive Omitted,
            person_key_id Personal Omitted,
            pseudonym Open Omitted,
            began_at Open Omitted,
            due_at Open Omitted,
            finished_at Open Omitted,
        },
    }
    erasures in Service {
        purpose: "doing again what was asked for since a backup that is restored; goes when no backup is older",
        basis: Law,
        retention: UntilDone,
        on_deletion: Kept,
        columns: {
            day Open Omitted,
            person_key_id Personal Omitted,
            what Personal Omitted,
            noted_at Open Omitted,
            closes_at Open Omitted,
        },
    }
    recipient_notices in Service {
        purpose: "telling who received data of a person that it is to be deleted; goes when it is acknowledged",
        basis: Law,
        retention: UntilDone,
        on_deletion: Kept,
        columns: {
            id Open Omitted,
            recipient Open Omitted,
            content Sensitive Omitted,
            tries Open Omitted,
            due_at Open Omitted,
            created_at Open Omitted,
        },
    }
    exports in Requests {
        purpose: "copies of one's data, until they expire",
        basis: Law,
        retention: RowExpiry,
        on_deletion: Deleted,
        copy: by id Text where "t.account_id = $1",
        swept: (when "t.expires_at" by "id"),
        columns: {
            id Personal Included,
            account_id Personal Included,
            email Sensitive Included,
            status Personal Included,
            step Sensitive Omitted,
            parts Open Omitted,
            token_hash Sensitive Omitted,
            created_at Personal Included,
            due_at Open Omitted,
            ready_at Personal Included,
            downloaded_at Personal Included,
            expires_at Personal Included,
        },
    }
    export_parts in Service {
        purpose: "what a copy consists of, sealed under the person's key",
        basis: Law,
        retention: RowExpiry,
        on_deletion: Deleted,
        columns: {
            export_id Personal Omitted,
            ordinal Open Omitted,
            name Open Omitted,
            content Sensitive Omitted,
            missing Personal Omitted,
            next Personal Omitted,
        },
    }
    requests in Requests {
        purpose: "what people asked of us about their data, and what was answered",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        copy: by id Text where "t.account_id = $1"
            with subject if crate::known_to!("t.subject", "t.account_id"),
        swept: (old "t.closed_at"),
        columns: {
            id Personal Included,
            account_id Personal Included,
            kind Personal Included,
            reason Personal Included,
            subject Personal Included,
            text Sensitive Included,
            status Personal Included,
            identity Personal Included,
            received_at Personal Included,
            due_at Personal Included,
            calendar Open Included,
            alerted_at Open Omitted,
            closed_at Personal Included,
            refusal Personal Included,
            answer Sensitive Included,
            fee_fen Personal Included,
            fee_reason Sensitive Included,
            asked_hash Sensitive Omitted,
            untold_since Open Omitted,
        },
    }
    policy_versions in Service {
        purpose: "the versions of the privacy policy",
        basis: Law,
        retention: Always,
        on_deletion: Kept,
        columns: {
            version Open Omitted,
            change Open Omitted,
            is_major Open Omitted,
            narrows Open Omitted,
            summary Open Omitted,
            text Open Omitted,
            published_at Open Omitted,
            announced_at Open Omitted,
        },
    }
    notices in Notices {
        purpose: "that an announcement reached the person",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Deleted,
        copy: by announcement_id Text where "t.account_id = $1",
        swept: (old "t.created_at" of "announcement_id" by "account_id, announcement_id"),
        columns: {
            account_id Personal Included,
            announcement_id Personal Included,
            created_at Personal Included,
            read_at Personal Included,
            sms_status Personal Included,
            sms_at Personal Included,
        },
    }
    announcements in Service {
        purpose: "what everybody, or everybody concerned, was told: new versions, new services, breaches, what became \
                  of a request; what is public is part of the policy and stays with it",
        basis: Law,
        retention: ThreeYears,
        on_deletion: Kept,
        swept: (old "CASE WHEN t.is_public = 1 \
               OR EXISTS (SELECT 1 FROM notices n WHERE n.announcement_id = t.id) THEN NULL \
               ELSE t.delivered_at END"),
        columns: {
            id Open Omitted,
            cause Open Omitted,
            kind Open Omitted,
            content Open Omitted,
            purpose Open Omitted,
            is_public Open Omitted,
            audience Personal Omitted,
            step Open Omitted,
            created_at Open Omitted,
            delivered_at Open Omitted,
        },
    }
    schema_migrations in Service {
        purpose: "which migrations have run",
        basis: Safety,
        retention: Always,
        on_deletion: Kept,
        columns: {
            version Open Omitted,
        },
    }
}
