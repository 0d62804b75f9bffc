//! `/v1/consents`: what the person can agree to, and has (clauses G1, G2).

use serde::Serialize;
use shared::consent::{Kind, Purpose};
use shared::http::{Answer, Context, Problem};
use shared::session::AnySession;
use shared::time::Timestamp;
use utoipa::ToSchema;

use crate::store::{self, Given};

/// A purpose, and whether the person agrees to it.
#[derive(Serialize, ToSchema)]
pub struct ConsentItem {
    #[schema(example = "real-name-verification")]
    purpose: &'static str,
    kind: Kind,
    /// The version to agree to now: its date.
    #[schema(example = "2026-11-23")]
    version: &'static str,
    title: &'static str,
    text: &'static str,
    /// Whether the person agrees to this version.
    granted: bool,
    /// The version that the person agreed to, which may be an older one.
    granted_version: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    granted_at: Option<Timestamp>,
}

impl ConsentItem {
    /// `purpose`, with what the person gave for it.
    pub fn new(purpose: Purpose, given: Option<Given>) -> Self {
        let terms = purpose.terms();
        let current = |given: &Given| given.version == terms.version;
        Self {
            purpose: terms.name,
            kind: terms.kind,
            version: terms.version,
            title: terms.title,
            text: terms.text,
            // It stands as long as the account; which version of the policy must be agreed to is the session's guard's.
            granted: terms.kind == Kind::Basic || given.as_ref().is_some_and(current),
            granted_at: given.as_ref().map(|given| given.given_at),
            granted_version: given.map(|given| given.version),
        }
    }
}

/// Every purpose.
#[derive(Serialize, ToSchema)]
pub struct Consents {
    consents: Vec<ConsentItem>,
}

/// List the consents
///
/// Every purpose that asks for consent, and whether the person has given it. Open also to who is about to leave, as
/// withdrawing is.
#[utoipa::path(get, path = "/v1/consents", tag = "consents", security(("session" = [])),
    responses((status = 200, body = Consents)))]
pub fn list(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Problem> {
    let given = store::list(cx, session.account_id)?;
    let consents = Purpose::ALL.iter().map(|purpose| {
        let name = purpose.terms().name;
        let given = given.iter().find(|given| given.purpose == name);
        ConsentItem::new(*purpose, given.cloned())
    });
    Ok(Answer::ok(&Consents {
        consents: consents.collect(),
    }))
}
