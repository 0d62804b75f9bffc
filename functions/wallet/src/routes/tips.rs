//! `/v1/tips`: thanks in coins (clauses E13, E15).

use http::StatusCode;
use serde::Deserialize;
use shared::http::{Answer, Context, Json, ProblemBody, RequestKey, Violation};
use shared::ledger::Kind;
use shared::profile::ProfileComplete;
use shared::session::Session;
use utoipa::ToSchema;
use uuid::Uuid;

use super::gifts::Given;
use crate::catalogue::MOST_COINS;
use crate::error::Error;
use crate::giving::{self, Giving};

/// A tip for somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTip {
    /// The other's account.
    to: Uuid,
    /// From 1 to 1,000,000.
    #[schema(minimum = 1, maximum = 1_000_000)]
    coins: i64,
    /// What it is thanks for, such as an article.
    target: Option<Uuid>,
}

/// Give a tip
///
/// The coins go from mine to the other's, at once and finally.
#[utoipa::path(post, path = "/v1/tips", tag = "wallet", security(("session" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255)), request_body = NewTip,
    responses(
        (status = 201, body = Given),
        (status = 400, description = "`idempotency-key-required`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: nobody whom I may see",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`coins-insufficient`, also while there is a debt; `give-oneself`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`ledger-busy`: to be tried again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn give(
    cx: &Context,
    session: Session,
    _: ProfileComplete,
    RequestKey(id): RequestKey,
    Json(new): Json<NewTip>,
) -> Result<Answer, Error> {
    if !(1..=MOST_COINS).contains(&new.coins) {
        return Err(Error::Invalid(Violation::new("coins", "invalid")));
    }
    let giving = Giving {
        id,
        kind: Kind::Tip,
        from: session.account_id,
        to: new.to,
        coins: new.coins,
        gift: None,
        note: None,
        target: new.target,
    };
    giving::give(cx, &giving)?;
    let (to, coins) = (new.to, new.coins);
    Ok(Answer::json(StatusCode::CREATED, &Given { id, to, coins }))
}
