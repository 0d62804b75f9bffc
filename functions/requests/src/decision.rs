//! Deciding a request, once (clause R7).

use shared::http::Context;
use shared::random;
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::error::Error;
use crate::kind::Status;
use crate::refusal::Case;
use crate::request::{self, RequestDetails};

statements! {
    /// Decides a request that waits. Of two decisions at once, one finds that it does not wait any more. Who asked is
    /// to be told ([`crate::telling`]).
    DECIDE = "UPDATE requests SET status = $1, closed_at = $2, untold_since = $2, refusal = $3, answer = $4 \
              WHERE id = $5 AND status = 'open' RETURNING CAST(1 AS BIGINT) AS decided";
}

/// What an operator decides.
#[derive(Clone, Copy, Debug)]
pub enum Decision {
    /// It is answered.
    Answer,
    /// It is refused.
    Refuse(Case),
}

impl Decision {
    fn status(self) -> Status {
        match self {
            Self::Answer => Status::Answered,
            Self::Refuse(_) => Status::Refused,
        }
    }

    fn case(self) -> Option<Case> {
        match self {
            Self::Answer => None,
            Self::Refuse(case) => Some(case),
        }
    }
}

/// Decides a request, with the text that the asker reads. The same decision made again changes nothing. Where the
/// account is gone nobody can read the text any more, so it is not kept.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AlreadyDecided`], or a store failed.
pub fn decide(
    cx: &Context,
    id: Uuid,
    decision: Decision,
    text: &str,
) -> Result<RequestDetails, Error> {
    let request = request::find(cx, id)?;
    let (status, case) = (decision.status(), decision.case());
    if request.is_open() {
        let key = request.key(cx)?;
        let context = request::context("answer", id);
        let sealed = key.map(|key| key.seal(&context, text.as_bytes(), &mut random::host()));
        cx.sql()?.first(
            &DECIDE,
            &[
                Parameter::text(status.name()),
                Parameter::time(cx.now()),
                Parameter::optional(case.map(|case| Parameter::text(case.name()))),
                Parameter::optional(sealed.map(Parameter::blob)),
                Parameter::id(id),
            ],
        )?;
    }
    let details = request::find(cx, id)?.details(cx)?;
    if !details.was_decided(status, case, text) {
        return Err(Error::AlreadyDecided);
    }
    Ok(details)
}
