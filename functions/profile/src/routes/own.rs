//! `/v1/profile`: one's own profile (clauses S1, S2, R1, R2).

use http::header;
use shared::http::{Answer, Context, ProblemBody, object};
use shared::session::Session;
use shared::variables::{self, Misconfigured};

use crate::avatar;
use crate::document::{OwnProfile, ProfilePatch};
use crate::error::Error;
use crate::fields::Setting;
use crate::patch::Patch;
use crate::store::{self, Profile};
use crate::view::Own;

/// Read one's profile
#[utoipa::path(get, path = "/v1/profile", tag = "profile", security(("session" = [])),
    responses((status = 200, body = OwnProfile,
        headers(("etag" = String, description = "the version, for `If-Match`")))))]
pub fn read(cx: &Context, session: Session) -> Result<Answer, Error> {
    Ok(answer(&store::find(cx, session.account_id)?))
}

/// Change one's profile
///
/// A JSON merge patch: what is not named stays, null clears. All violations come in one answer, and then
/// nothing is changed.
#[utoipa::path(patch, path = "/v1/profile", tag = "profile", security(("session" = [])),
    params(("if-match" = Option<String>, Header,
        description = "change it only if this is still its version")),
    request_body(content = ProfilePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = OwnProfile,
            headers(("etag" = String, description = "the new version"))),
        (status = 409, description = "`real-name-verified`: the name was verified, and stays",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "`profile-changed`: it is another version by now",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`; `adults-only`: the birthday is under 18 years ago",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn update(cx: &Context, session: Session) -> Result<Answer, Error> {
    let expected = cx
        .request()
        .headers()
        .get(header::IF_MATCH)
        .map(|value| value.to_str().map_err(|_| Error::IfMatchInvalid))
        .transpose()?
        .map(if_match)
        .transpose()?
        .flatten();
    let patch = object(cx, &["application/merge-patch+json", "application/json"])?;
    let setting = Setting {
        today: cx.now().china_date(),
        avatar_url_prefixes: avatar_url_prefixes()?,
    };
    let patch = Patch::read(&patch, &setting)?;
    let account_id = session.account_id;
    let avatar = patch.avatar().cloned();
    if let Some(Some(avatar)) = &avatar {
        avatar::check(cx, account_id, avatar)?;
    }
    let profile = store::update(cx, account_id, patch, expected)?;
    if avatar.is_some() {
        avatar::keep_current(cx, account_id)?;
    }
    Ok(answer(&profile))
}

/// Each ends with a slash: without it `https://cdn.example.com` would admit `https://cdn.example.com.evil`.
fn avatar_url_prefixes() -> Result<Vec<String>, Misconfigured> {
    const VARIABLE: &str = "avatar_url_prefixes";
    let text = variables::required(VARIABLE)?;
    let prefixes: Vec<_> = text
        .split(',')
        .map(|prefix| prefix.trim().to_owned())
        .collect();
    if prefixes.iter().all(|prefix| prefix.ends_with('/')) {
        Ok(prefixes)
    } else {
        Err(Misconfigured { variable: VARIABLE })
    }
}

fn answer(profile: &Profile) -> Answer {
    Answer::ok(&Own(profile)).header(header::ETAG, &format!("\"{}\"", profile.version))
}

/// The version that `If-Match` names; `None` for `*`. One tag is taken, not a list: a profile has one. A tag that is none of ours matches no version: it
/// reads as one that never is.
fn if_match(text: &str) -> Result<Option<i64>, Error> {
    const NEVER: i64 = i64::MIN;
    if text == "*" {
        return Ok(None);
    }
    // If-Match compares strongly: a weak tag matches nothing (RFC 9110, 13.1.1).
    if text.starts_with("W/\"") && text.ends_with('"') {
        return Ok(Some(NEVER));
    }
    let tag = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .filter(|tag| !tag.contains('"'))
        .ok_or(Error::IfMatchInvalid)?;
    Ok(Some(
        tag.parse()
            .ok()
            .filter(|version: &i64| *version >= 0 && version.to_string() == tag)
            .unwrap_or(NEVER),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_names_a_version_or_none_that_is() {
        assert_eq!(if_match("*").unwrap(), None);
        assert_eq!(if_match("\"7\"").unwrap(), Some(7));
        for text in ["\"-1\"", "\"+7\"", "\"007\"", "\"x\"", "W/\"7\"", "\"\""] {
            assert_eq!(if_match(text).unwrap(), Some(i64::MIN), "{text}");
        }
        for text in ["7", "\"7", "\"7\", \"8\"", ""] {
            assert!(if_match(text).is_err(), "{text}");
        }
    }
}
