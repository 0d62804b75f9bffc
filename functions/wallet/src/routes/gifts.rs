//! `/v1/gifts`: which there are, and giving one (clause E15).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json, Problem, ProblemBody, RequestKey, Violation};
use shared::ledger::Kind;
use shared::profile::ProfileComplete;
use shared::session::Session;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::catalogue::{self, Gift};
use crate::error::Error;
use crate::giving::{self, Giving};

/// The gifts that there are.
#[derive(Serialize, ToSchema)]
pub struct Gifts {
    items: Vec<Gift>,
}

/// A gift for somebody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGift {
    /// The other's account.
    to: Uuid,
    /// One of the gifts' `id`s.
    #[schema(example = "flower")]
    gift: String,
    /// A few words, 200 characters at most.
    note: Option<String>,
}

/// What was given.
#[derive(Debug, Serialize, ToSchema)]
pub struct Given {
    /// The entries' `reference`.
    pub id: Uuid,
    /// The other's account.
    pub to: Uuid,
    /// What it cost.
    pub coins: i64,
}

/// List the gifts
#[utoipa::path(get, path = "/v1/gifts", tag = "wallet", security(("session" = [])),
    responses((status = 200, body = Gifts)))]
pub fn list(_: &Context, _: Session) -> Result<Answer, Problem> {
    let items = catalogue::gifts()?;
    Ok(Answer::ok(&Gifts { items }))
}

/// Give a gift
///
/// Its price goes from my coins to the other's, at once and finally.
#[utoipa::path(post, path = "/v1/gifts", tag = "wallet", security(("session" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255)), request_body = NewGift,
    responses(
        (status = 201, body = Given),
        (status = 400, description = "`idempotency-key-required`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: nobody whom I may see",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`coins-insufficient`, also while there is a debt; `give-oneself`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: `gift` can be `unknown-gift`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`ledger-busy`: to be tried again",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn give(
    cx: &Context,
    session: Session,
    _: ProfileComplete,
    RequestKey(id): RequestKey,
    Json(new): Json<NewGift>,
) -> Result<Answer, Error> {
    let gifts = catalogue::gifts()?;
    let gift = gifts
        .iter()
        .find(|gift| gift.id == new.gift)
        .ok_or_else(|| Error::Invalid(Violation::new("gift", "unknown-gift")))?;
    let giving = Giving {
        id,
        kind: Kind::Gift,
        from: session.account_id,
        to: new.to,
        coins: gift.coins,
        gift: Some(&gift.id),
        note: giving::note(new.note.as_deref())?,
        target: None,
    };
    giving::give(cx, &giving)?;
    let (to, coins) = (new.to, gift.coins);
    Ok(Answer::json(StatusCode::CREATED, &Given { id, to, coins }))
}
