//! The guard of everything that needs a person: a bearer token whose session is alive.

use std::time::Duration;

use http::{Method, StatusCode, header};
use uuid::Uuid;

use super::cache::{self, Entry};
use super::{Token, TokenHash, forget};
use crate::http::{Context, FromContext, Problem};
use crate::policy::Versions;
use crate::sql::{Parameter, statements};
use crate::time::Timestamp;

/// How long a session lives after the last day on which it was used.
pub const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

statements! {
    /// The living session of a token.
    FIND = "SELECT s.id, s.account_id, s.expires_at, s.last_used_on, a.policy_version, a.closes_at, \
              (SELECT m.version FROM policy_versions m WHERE m.is_major = 1 \
                ORDER BY m.version DESC LIMIT 1) AS major_version \
            FROM sessions s JOIN accounts a ON a.id = s.account_id \
            WHERE s.token_hash = $1 AND s.expires_at > $2";
    /// A session's first use on a day moves its end.
    TOUCH = "UPDATE sessions SET last_used_on = $1, expires_at = $2 \
             WHERE token_hash = $3 AND last_used_on < $1";
}

/// A living session whose account is not about to be deleted and has consented to the last major version of the
/// policy. Who has not may still read (clause N1). A new version is noticed within a minute.
///
/// Answers 401 `unauthenticated`, 403 `account-closing` with `executes_at` (clause R5), or 403
/// `policy-consent-required`.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session.
    pub id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// The hash of its token.
    pub token_hash: TokenHash,
    /// When it ends if it is not used again.
    pub expires_at: Timestamp,
    /// The version of the policy that the account has consented to.
    pub policy_version: String,
    /// The last version of the policy that changed something major.
    pub major_version: String,
    /// When the account is deleted, if that was asked for.
    pub closes_at: Option<Timestamp>,
}

/// A living session, whatever its account has consented to, and even if it is about to be deleted: for what stays
/// open all the same (one's own data, copies, leaving and coming back).
///
/// Answers 401 `unauthenticated`.
#[derive(Debug)]
pub struct AnySession(pub Session);

impl FromContext for Session {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        if let Some(session) = cx.session.get() {
            return Ok(session.clone());
        }
        let session = Self::find(cx)?;
        Ok(cx.session.get_or_init(|| session).clone())
    }
}

impl Session {
    fn find(cx: &Context) -> Result<Self, Problem> {
        let token_hash = token_hash(cx)?;
        let reads = matches!(cx.request().method(), &Method::GET | &Method::HEAD);
        let is_open = |session: &Session| reads || session.policy_version >= session.major_version;
        // An entry from before the person's consent must not shut the person out, so it asks again.
        if let Some(session) = cached(cx, token_hash)?.filter(is_open) {
            return Ok(session);
        }
        let session = confirmed(cx, token_hash)?;
        if let Some(closes_at) = session.closes_at {
            return Err(closing(closes_at.max(cx.now())));
        }
        if is_open(&session) {
            return Ok(session);
        }
        Err(Versions::in_force(cx)?.consent_required())
    }
}

impl FromContext for AnySession {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let token_hash = token_hash(cx)?;
        match cached(cx, token_hash)? {
            Some(session) => Ok(Self(session)),
            None => confirmed(cx, token_hash).map(Self),
        }
    }
}

fn closing(closes_at: Timestamp) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "account-closing",
        "账号正在注销中,如需继续使用请先撤销注销",
    )
    .with("executes_at", closes_at.to_string())
}

fn token_hash(cx: &Context) -> Result<TokenHash, Problem> {
    bearer_token(cx)
        .and_then(Token::parse)
        .map(|token| token.hash())
        .ok_or_else(Problem::unauthenticated)
}

/// The bearer token of the request, if it has one.
pub(crate) fn bearer_token(cx: &Context) -> Option<&str> {
    cx.header(header::AUTHORIZATION.as_str()).and_then(bearer)
}

/// The credentials of the scheme `Bearer`, whose name is case-insensitive (RFC 9110, 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

fn cached(cx: &Context, token_hash: TokenHash) -> Result<Option<Session>, Problem> {
    let entry = cache::get(cx, &token_hash)?;
    Ok(entry.map(|entry| Session {
        id: entry.session_id,
        account_id: entry.account_id,
        token_hash,
        expires_at: Timestamp(entry.expires_at),
        policy_version: entry.policy_version,
        major_version: entry.major_version,
        closes_at: None,
    }))
}

/// Asks the database, notes the day's first use, and fills the cache.
fn confirmed(cx: &Context, token_hash: TokenHash) -> Result<Session, Problem> {
    let mut session = find(cx, token_hash)?.ok_or_else(Problem::unauthenticated)?;
    let today = cx.now().china_day();
    if session.last_used_on < today {
        let expires_at = cx.now().plus(LIFETIME);
        cx.sql()?.execute(
            &TOUCH,
            &[
                Parameter::time(today),
                Parameter::time(expires_at),
                Parameter::blob(token_hash),
            ],
        )?;
        session.session.expires_at = expires_at;
    }
    let session = session.session;
    let entry = Entry {
        token_hash,
        session_id: session.id,
        account_id: session.account_id,
        checked_at: cx.now().as_millis(),
        expires_at: session.expires_at.as_millis(),
        policy_version: session.policy_version.clone(),
        major_version: session.major_version.clone(),
    };
    // A cached session is one of an open account.
    if session.closes_at.is_some() {
        return Ok(session);
    }
    // Between our look and our entry the session may have been ended and its entry removed; ours would
    // then bring it back for a minute. So look once more: either we see that it is gone, or whoever ends
    // it later removes our entry.
    if cache::put(cx, &entry)? && find(cx, token_hash)?.is_none() {
        forget(cx, &[token_hash])?;
        return Err(Problem::unauthenticated());
    }
    Ok(session)
}

struct Found {
    session: Session,
    last_used_on: Timestamp,
}

fn find(cx: &Context, token_hash: TokenHash) -> Result<Option<Found>, Problem> {
    let row = cx.sql()?.first(
        &FIND,
        &[Parameter::blob(token_hash), Parameter::time(cx.now())],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Found {
        session: Session {
            id: row.get("id")?,
            account_id: row.get("account_id")?,
            token_hash,
            expires_at: row.get("expires_at")?,
            policy_version: row.get("policy_version")?,
            major_version: row.get("major_version")?,
            closes_at: row.get("closes_at")?,
        },
        last_used_on: row.get("last_used_on")?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(bearer("Bearer x"), Some("x"));
        assert_eq!(bearer("bearer  x"), Some("x"));
        for text in ["", "x", "Basic x", "Bearerx"] {
            assert_eq!(bearer(text), None, "{text}");
        }
    }
}
