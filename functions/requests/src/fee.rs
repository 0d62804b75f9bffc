//! What a request costs that repeats others (clause R7): nothing, but for who asked for the same at least twice
//! within the year before.

use std::time::Duration;

use shared::http::Context;
use shared::random;
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::error::Error;
use crate::request::{self, RequestDetails};

/// The highest fee, in fen: 100 yuan, which is what authorities take for an application beyond the free ones, to
/// steer repeated ones (国办函〔2020〕109号, article 4,
/// <http://www.xinhui.gov.cn/zwgk/zdlyxxgk/hjbhxxgk/tzgg/content/post_2365222.html>). A fee of ours covers cost and
/// no more, and to look up what is held costs us no more than them.
pub const MOST_FEN: i64 = 10_000;

/// How many requests of the same kind must have come before, and within which time.
const BEFORE: i64 = 2;
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

statements! {
    /// Sets the fee of a request that waits, if the same person has asked for the same often enough. Who asked is to be
    /// told ([`crate::telling`]).
    SET = "UPDATE requests SET fee_fen = $1, fee_reason = $2, untold_since = $3 \
           WHERE id = $4 AND status = 'open' AND fee_fen IS NULL \
             AND $5 <= (SELECT COUNT(*) FROM requests q \
               WHERE q.account_id = requests.account_id AND q.kind = requests.kind \
                 AND (q.received_at, q.id) < (requests.received_at, requests.id) \
                 AND q.received_at >= requests.received_at - $6) \
           RETURNING CAST(1 AS BIGINT) AS is_set";
}

/// Sets a request's fee. The same fee set again changes nothing.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AlreadyDecided`], [`Error::FeeSet`], [`Error::FeeNotAllowed`], or a store failed.
pub fn set(cx: &Context, id: Uuid, fen: i64, reason: &str) -> Result<RequestDetails, Error> {
    let request = request::find(cx, id)?;
    if let Some(key) = request.key(cx)? {
        let context = request::context("fee_reason", id);
        let sealed = key.seal(&context, reason.as_bytes(), &mut random::host());
        cx.sql()?.first(
            &SET,
            &[
                Parameter::Integer(fen),
                Parameter::blob(sealed),
                Parameter::time(cx.now()),
                Parameter::id(id),
                Parameter::Integer(BEFORE),
                Parameter::Integer(i64::try_from(YEAR.as_millis()).unwrap_or(i64::MAX)),
            ],
        )?;
    }
    let details = request::find(cx, id)?.details(cx)?;
    if details.has_fee(fen, reason) {
        return Ok(details);
    }
    Err(if details.is_charged() {
        Error::FeeSet
    } else if details.is_open() {
        Error::FeeNotAllowed
    } else {
        Error::AlreadyDecided
    })
}
