//! What stands in the ledger about one holder.

use serde::Serialize;
use shared::http::{Context, Page, PageRequest, Problem};
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

statements! {
    /// What an account's holder has, by the last entry.
    BALANCE = "SELECT l.balance, l.debt FROM wallets w JOIN ledger l ON l.account = w.holder \
                 AND l.number = (SELECT MAX(x.number) FROM ledger x \
                                 WHERE x.account = w.holder AND x.number > 0) \
               WHERE w.account_id = $1";
    /// One page of the entries of an account's holder, with the other person while there is an account that is
    /// not about to be deleted.
    LIST = "SELECT l.number, l.reference, l.kind, l.amount, l.balance, l.debt, l.created_at, \
              g.gift, g.note, g.target, a.id AS other \
            FROM wallets w JOIN ledger l ON l.account = w.holder \
            LEFT JOIN gifts g ON g.id = l.reference \
            LEFT JOIN wallets o ON o.holder = CASE WHEN g.sender = l.account \
              THEN g.recipient ELSE g.sender END \
            LEFT JOIN accounts a ON a.id = o.account_id AND a.closes_at IS NULL \
            WHERE w.account_id = $1 AND l.number > 0 AND l.number < $2 \
            ORDER BY l.number DESC LIMIT $3";
}

/// What somebody has.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Balance {
    /// Coins to spend; never less than none.
    #[schema(example = 60)]
    balance: i64,
    /// Coins that were spent before what they were bought with was given back. What comes in pays it first;
    /// until then nothing can be spent.
    #[schema(example = 0)]
    debt: i64,
}

/// One entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    /// The entries are numbered from 1, without gaps.
    number: i64,
    /// `top-up`, `refund`, `refund-reversal`, `gift-given`, `gift-received`, `tip-given` or `tip-received`.
    kind: String,
    /// The order, the refund, the gift or the tip.
    reference: Uuid,
    /// The change.
    amount: i64,
    /// The coins after it.
    balance: i64,
    /// The debt after it.
    debt: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// With whom; null for an order, and once the other leaves.
    other: Option<Uuid>,
    /// Which gift.
    gift: Option<String>,
    /// What the giver wrote.
    note: Option<String>,
    /// What a tip is thanks for.
    target: Option<Uuid>,
}

/// What the account has.
///
/// # Errors
/// The database failed.
pub fn balance(cx: &Context, account_id: Uuid) -> Result<Balance, Problem> {
    let row = cx.sql()?.first(&BALANCE, &[Parameter::id(account_id)])?;
    let read = |row: Row| {
        Ok(Balance {
            balance: row.get("balance")?,
            debt: row.get("debt")?,
        })
    };
    row.map_or(Ok(Balance::default()), read)
}

/// The account's entries, the newest first.
///
/// # Errors
/// The database failed.
pub fn list(cx: &Context, account_id: Uuid, request: PageRequest) -> Result<Page<Entry>, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(account_id),
            Parameter::Integer(request.before_number()),
            Parameter::Integer(request.rows()),
        ],
    )?;
    let entries = rows.iter().map(|row| {
        Ok(Entry {
            number: row.get("number")?,
            kind: row.get("kind")?,
            reference: row.get("reference")?,
            amount: row.get("amount")?,
            balance: row.get("balance")?,
            debt: row.get("debt")?,
            created_at: row.get("created_at")?,
            other: row.get("other")?,
            gift: row.get("gift")?,
            note: row.get("note")?,
            target: row.get("target")?,
        })
    });
    let entries = entries.collect::<Result<_, SqlError>>()?;
    Ok(request.page_by_number(entries, |entry: &Entry| entry.number))
}
