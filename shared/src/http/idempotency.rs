//! `Idempotency-Key`: an unsafe call that is sent again with the same key gets the first one's answer and
//! has no second effect (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! A key's row is taken before the call runs and holds the answer afterwards, sealed: answers contain
//! tokens. Only successes are kept: what failed may be tried again with the same key, and what is not done yet
//! ([`Answer::unfinished`]) goes on with it, and what is made while it is sent ([`Answer::chunks`]) is made again. A call that was stopped half-way leaves its row without an answer;
//! after [`ABANDONED_AFTER`] the next try runs the whole again, which every handler bears.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::answer::Body;
use super::{Answer, Context, FromContext, Problem, Route};
use crate::crypto::{Key, KeyedHash, Purpose, hex};
use crate::random;
use crate::session::Session;
use crate::sql::{Parameter, statements};

/// How long an answer is given again.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// When a call without an answer is taken for stopped. Longer than a call lives (most wait eight seconds for a
/// provider; what waits longer, for a large file, can be done twice), and well within the minute for which a
/// one-time code can be repeated.
const ABANDONED_AFTER: Duration = Duration::from_secs(20);
const MAX_KEY_LENGTH: usize = 255;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Marks an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

statements! {
    /// Takes the key, if it is new, expired, or abandoned by the same request.
    TAKE = "INSERT INTO idempotency_keys (id, fingerprint, taken_at, expires_at) \
            VALUES ($1, $2, $3, $4) \
            ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, \
              taken_at = excluded.taken_at, expires_at = excluded.expires_at, answer = NULL \
            WHERE idempotency_keys.expires_at <= excluded.taken_at \
              OR (idempotency_keys.answer IS NULL \
                  AND idempotency_keys.fingerprint = excluded.fingerprint \
                  AND idempotency_keys.taken_at <= $5) \
            RETURNING id";
    /// What the key's holder did.
    FIND = "SELECT fingerprint, answer, taken_at FROM idempotency_keys WHERE id = $1";
    /// Keeps the answer, if the key is still ours.
    KEEP = "UPDATE idempotency_keys SET answer = $1 WHERE id = $2 AND taken_at = $3";
    /// Gives the key back.
    RELEASE = "DELETE FROM idempotency_keys WHERE id = $1 AND taken_at = $2 AND answer IS NULL";
}

/// Runs the route's handler; with an `Idempotency-Key` on an unsafe method, once.
pub(super) fn run_once(cx: &Context, route: &Route) -> Result<Answer, Problem> {
    let Some(key) = cx.request().headers().get(IDEMPOTENCY_KEY) else {
        return (route.run)(cx);
    };
    if matches!(cx.request().method(), &Method::GET | &Method::HEAD) {
        return (route.run)(cx);
    }
    let call = Call::of(cx, key)?;
    if let Some(answer) = call.earlier_answer(cx)? {
        return Ok(answer);
    }
    let outcome = (route.run)(cx);
    let lasting = outcome
        .as_ref()
        .ok()
        .and_then(|answer| Some((answer, answer.lasting()?)));
    let noted = match lasting {
        Some((answer, body)) => call.keep(cx, answer, body),
        None => call.release(cx),
    };
    // The effect stands, so the answer goes out even where it cannot be kept.
    if let Err(problem) = noted {
        problem.log(cx);
    }
    outcome
}

struct Call {
    key: Key,
    /// Who calls what with which key.
    id: KeyedHash,
    /// What the call says, so that a key that is used for something else is noticed.
    fingerprint: KeyedHash,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    /// Every whole answer of ours to an unsafe call is JSON text.
    body: String,
}

impl Call {
    fn of(cx: &Context, idempotency_key: &HeaderValue) -> Result<Self, Problem> {
        let request = cx.request();
        let given = checked(idempotency_key)?;
        let header_bytes = |name| {
            let value = request.headers().get(name);
            value.map_or(&[][..], HeaderValue::as_bytes)
        };
        let key = Key::for_purpose(Purpose::IdempotentAnswer)?;
        let id = key.hash(&[
            header_bytes(header::AUTHORIZATION),
            request.method().as_str().as_bytes(),
            request.uri().path().as_bytes(),
            given,
        ]);
        let fingerprint = key.hash(&[
            request.uri().query().unwrap_or_default().as_bytes(),
            header_bytes(header::IF_MATCH),
            request.body(),
        ]);
        Ok(Self {
            key,
            id,
            fingerprint,
        })
    }

    /// Takes the key, or gives the answer that its first call got.
    fn earlier_answer(&self, cx: &Context) -> Result<Option<Answer>, Problem> {
        let now = cx.now();
        let taken = cx.sql()?.first(
            &TAKE,
            &[
                Parameter::blob(self.id),
                Parameter::blob(self.fingerprint),
                Parameter::time(now),
                Parameter::time(now.plus(KEPT_FOR)),
                Parameter::time(now.minus(ABANDONED_AFTER)),
            ],
        )?;
        if taken.is_some() {
            return Ok(None);
        }
        let in_progress = || {
            Problem::new(
                StatusCode::CONFLICT,
                "idempotency-key-in-progress",
                "相同的请求正在处理中",
            )
            .retry_after(1)
        };
        let row = cx.sql()?.first(&FIND, &[Parameter::blob(self.id)])?;
        // Given back between the two statements: its call is over, so the next try can take it.
        let row = row.ok_or_else(in_progress)?;
        if row.get::<Vec<u8>>("fingerprint")? != self.fingerprint {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "该 Idempotency-Key 已用于其他请求",
            ));
        }
        let sealed: Option<Vec<u8>> = row.get("answer")?;
        let opened = self
            .key
            .open(&self.context(), &sealed.ok_or_else(in_progress)?)?;
        Ok(Some(restore(&opened).ok_or_else(Problem::internal)?))
    }

    fn keep(&self, cx: &Context, answer: &Answer, body: &[u8]) -> Result<(), Problem> {
        let kept = Kept {
            status: answer.0.status().as_u16(),
            headers: answer
                .0
                .headers()
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.to_string(), value.to_str().ok()?.to_owned()))
                })
                .collect(),
            body: String::from_utf8_lossy(body).into_owned(),
        };
        let plain = serde_json::to_vec(&kept).expect("plain data");
        let sealed = self.key.seal(&self.context(), &plain, &mut random::host());
        cx.sql()?.execute(
            &KEEP,
            &[
                Parameter::blob(sealed),
                Parameter::blob(self.id),
                Parameter::time(cx.now()),
            ],
        )?;
        Ok(())
    }

    fn release(&self, cx: &Context) -> Result<(), Problem> {
        cx.sql()?.execute(
            &RELEASE,
            &[Parameter::blob(self.id), Parameter::time(cx.now())],
        )?;
        Ok(())
    }

    fn context(&self) -> String {
        format!("idempotency_keys.answer:{}", hex(&self.id))
    }
}

fn checked(idempotency_key: &HeaderValue) -> Result<&[u8], Problem> {
    let given = idempotency_key.as_bytes();
    if given.is_empty() || given.len() > MAX_KEY_LENGTH {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key-invalid",
            "Idempotency-Key 无效",
        )
        .with("max_length", MAX_KEY_LENGTH));
    }
    Ok(given)
}

/// The guard of people's calls about money: they must have an `Idempotency-Key`. It holds
/// [`request_key`]'s answer for the person.
///
/// Answers 401 `unauthenticated`, or 400 `idempotency-key-required`.
#[derive(Debug)]
pub struct RequestKey(pub Uuid);

impl FromContext for RequestKey {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let account_id = Session::from_context(cx)?.account_id;
        request_key(cx, account_id.as_bytes()).map(Self)
    }
}

/// An identifier that the same caller's same call with the same `Idempotency-Key` always has. The effect is
/// stored under it, so that a call that was stopped half-way and runs again finds what it did.
///
/// # Errors
/// 400 `idempotency-key-required`, or `idempotency-key-invalid`.
pub fn request_key(cx: &Context, caller: &[u8]) -> Result<Uuid, Problem> {
    let request = cx.request();
    let given = request.headers().get(IDEMPOTENCY_KEY).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key-required",
            "缺少 Idempotency-Key",
        )
    })?;
    let hash = Key::for_purpose(Purpose::RequestKey)?.hash(&[
        caller,
        request.method().as_str().as_bytes(),
        request.uri().path().as_bytes(),
        checked(given)?,
        request.body(),
    ]);
    let bytes = *hash.first_chunk().expect("32 bytes hold 16");
    Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn restore(kept: &[u8]) -> Option<Answer> {
    let kept: Kept = serde_json::from_slice(kept).ok()?;
    let mut response = Response::new(Body::Whole(kept.body.into_bytes()));
    *response.status_mut() = StatusCode::from_u16(kept.status).ok()?;
    for (name, value) in kept.headers {
        response.headers_mut().insert(
            HeaderName::try_from(name).ok()?,
            HeaderValue::try_from(value).ok()?,
        );
    }
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Some(Answer(response))
}
