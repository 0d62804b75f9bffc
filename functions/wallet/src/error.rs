//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Problem, Violation};
use shared::ledger::Refused;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// A field has this violation.
    Invalid(Violation),
    /// Nobody can give coins to themselves.
    Oneself,
    /// There are too few coins, or a debt.
    Insufficient,
    /// There is no such person, or none that the giver may know of.
    NotFound,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Insufficient => Self::Insufficient,
            Refused::Oneself => Self::Oneself,
            Refused::Problem(problem) => Self::Problem(problem),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let conflict = |name, title| Self::new(StatusCode::CONFLICT, name, title);
        match error {
            Error::Invalid(violation) => Self::invalid_fields(&[violation]),
            Error::Oneself => conflict("give-oneself", "不能送给自己"),
            Error::Insufficient => conflict("coins-insufficient", "金币不足,请先充值"),
            Error::NotFound => Self::not_found(),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
