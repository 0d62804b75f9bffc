//! The ledger: the only truth about coins (clause E15).
//!
//! Its rows are written and never changed. A posting moves coins from one account to another as two rows of
//! one statement, which takes each account's last entry and computes the next number and balance from it.
//! What could go wrong is refused by the schema: the same posting twice by `(reference, kind)`, two postings
//! at once to one account by `(account, number)`, an empty wallet by `balance >= 0`.

mod holder;
mod posting;

pub use holder::{STATEMENTS as HOLDER_STATEMENTS, holder};
pub use posting::{Account, Kind, Posting, Refused, STATEMENTS, has, post};
