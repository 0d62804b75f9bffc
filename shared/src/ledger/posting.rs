//! Postings: coins that go from one account to another.

use http::StatusCode;
use uuid::Uuid;

use crate::http::{Context, Problem};
use crate::log::Level;
use crate::race::Pauses;
use crate::sql::{Constraint, Parameter, SqlError, statements};

/// The ledger's name for the house, whose entries have no number and no balance: they would be everybody's
/// hot spot, and their sum is what the others' entries say.
const HOUSE: &str = "house";

/// How often a posting that lost a race for an account's next number is tried.
const TRIES: u32 = 16;

statements! {
    /// Both sides of a posting, the payer's ($4 is negative) and the payee's. The rows go in by account, so
    /// that two opposite postings at once wait for each other in one order.
    ///
    /// `net` is what the account has after it, less than nothing if it owes. Who may not owe ($5 is 0) gets
    /// the negative balance that the schema refuses.
    APPEND = "INSERT INTO ledger \
                (reference, kind, account, number, amount, balance, debt, created_at) \
              SELECT t.reference, t.kind, t.account, \
                CASE WHEN t.account <> 'house' THEN COALESCE(t.last, 0) + 1 END, t.amount, \
                CASE WHEN t.account <> 'house' \
                  THEN CASE WHEN t.net < 0 AND t.owes = 1 THEN 0 ELSE t.net END END, \
                CASE WHEN t.account <> 'house' \
                  THEN CASE WHEN t.net < 0 AND t.owes = 1 THEN -t.net ELSE 0 END END, \
                t.created_at \
              FROM (SELECT e.reference, e.kind, e.account, e.amount, e.owes, e.created_at, \
                      l.number AS last, \
                      COALESCE(l.balance, 0) - COALESCE(l.debt, 0) + e.amount AS net \
                    FROM (SELECT CAST($1 AS TEXT) AS reference, CAST($2 AS TEXT) AS kind, \
                            CAST($3 AS TEXT) AS account, CAST($4 AS BIGINT) AS amount, \
                            CAST($5 AS BIGINT) AS owes, CAST($6 AS BIGINT) AS created_at \
                          UNION ALL SELECT CAST($1 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT), \
                            -CAST($4 AS BIGINT), 1, CAST($6 AS BIGINT)) e \
                    LEFT JOIN ledger l ON l.account = e.account \
                      AND l.number = (SELECT MAX(x.number) FROM ledger x \
                                      WHERE x.account = e.account AND x.number > 0)) t \
              ORDER BY t.account";
    /// Whether a posting was made.
    FIND = "SELECT reference FROM ledger WHERE reference = $1 AND kind = $2";
}

/// Whose coins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// Ours: where coins come from when they are bought, and go to when they are given back.
    House,
    /// A person's, by the pseudonym.
    Holder(Uuid),
}

impl Account {
    fn text(self) -> String {
        match self {
            Self::House => HOUSE.to_owned(),
            Self::Holder(holder) => holder.to_string(),
        }
    }
}

/// Why coins move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They were bought.
    TopUp,
    /// What they were bought with was given back. They may be spent already.
    Refund,
    /// A refund did not stand.
    RefundReversal,
    /// One of the gifts, from one person to another.
    Gift,
    /// Thanks to another person.
    Tip,
}

impl Kind {
    /// The kinds of the payer's and of the payee's entry.
    const fn sides(self) -> (&'static str, &'static str) {
        match self {
            Self::TopUp => ("house-top-up", "top-up"),
            Self::Refund => ("refund", "house-refund"),
            Self::RefundReversal => ("house-refund-reversal", "refund-reversal"),
            Self::Gift => ("gift-given", "gift-received"),
            Self::Tip => ("tip-given", "tip-received"),
        }
    }

    /// A refund takes coins that may be gone; everybody else pays with what is there.
    const fn payer_may_owe(self) -> bool {
        matches!(self, Self::Refund)
    }
}

/// Coins that go from `payer` to `payee`.
#[derive(Clone, Copy, Debug)]
pub struct Posting {
    /// What it is for: an order, a refund, a gift. Of one kind it is made once.
    pub reference: Uuid,
    /// Why.
    pub kind: Kind,
    /// Who has fewer coins afterwards.
    pub payer: Account,
    /// Who has more.
    pub payee: Account,
    /// How many; more than none.
    pub coins: i64,
}

/// Why nothing was posted.
#[derive(Debug)]
pub enum Refused {
    /// The payer has too few coins, or owes some.
    Insufficient,
    /// Payer and payee are one.
    Oneself,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// Makes a posting; one that was made before changes nothing and is a success.
///
/// # Errors
/// See [`Refused`]. After a problem the posting may stand: it is to be made again.
pub fn post(cx: &Context, posting: &Posting) -> Result<(), Refused> {
    if posting.payer == posting.payee {
        return Err(Refused::Oneself);
    }
    let (payer_kind, payee_kind) = posting.kind.sides();
    let parameters = [
        Parameter::id(posting.reference),
        Parameter::text(payer_kind),
        Parameter::text(posting.payer.text()),
        Parameter::Integer(-posting.coins),
        Parameter::flag(posting.kind.payer_may_owe()),
        Parameter::time(cx.now()),
        Parameter::text(payee_kind),
        Parameter::text(posting.payee.text()),
    ];
    let mut pauses = Pauses::default();
    for _ in 0..TRIES {
        let Err(error) = cx.sql()?.execute(&APPEND, &parameters) else {
            return Ok(());
        };
        match error {
            SqlError::Constraint(Constraint::Unique(name)) => match name.as_str() {
                "ledger_account_number_unique" => pauses.wait(),
                "ledger_reference_kind_unique" => return Ok(()),
                _ => return Err(SqlError::Failed.into()),
            },
            SqlError::Constraint(Constraint::Check(name)) if name == "ledger_balance" => {
                // It may be what emptied the wallet.
                return match has(cx, posting.reference, posting.kind)? {
                    true => Ok(()),
                    false => Err(Refused::Insufficient),
                };
            }
            error => return Err(error.into()),
        }
    }
    Err(busy().into())
}

/// Whether a posting was made.
///
/// # Errors
/// The database failed.
pub fn has(cx: &Context, reference: Uuid, kind: Kind) -> Result<bool, Problem> {
    let parameters = [Parameter::id(reference), Parameter::text(kind.sides().0)];
    Ok(cx.sql()?.first(&FIND, &parameters)?.is_some())
}

fn busy() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "ledger-busy",
        "操作过于频繁,请稍后再试",
    )
    .retry_after(1)
    .because(Level::Warning, "ledger: every try lost its race")
}
