//! Alibaba Cloud OSS. A form writes the object `uploads/<id>`; completing the upload makes the object
//! `uploads/<id>/clean`, which no form can write, and only that one is ever read by people. The bucket stays
//! private.

mod bucket;

use std::time::Duration;

use http::{HeaderName, Method, Response, StatusCode, header};
use shared::http::{Context, Problem};
use shared::outbound::{self, Limits};
use shared::recipient;
use shared::time::Timestamp;
use shared::variables::Misconfigured;
use uuid::Uuid;

use self::bucket::{Bucket, ENCRYPTION};
use super::key;
use crate::error::{Error, Mismatch};
use crate::form::{Form, Sending};
use crate::kind;
use crate::picture;
use crate::rows::{Checked, Upload};
use crate::sound_and_video;

const SMALL: Limits = Limits::small(Duration::from_secs(8));
/// For a whole picture; an object that is larger was not written by a form of ours.
const PICTURE: Limits = Limits {
    deadline: Duration::from_secs(20),
    max_answer: kind::MAX_PICTURE as usize + 1,
};

/// A bucket.
pub struct Oss(Bucket);

impl Oss {
    /// The bucket that `oss_host` names; `None` if it is empty.
    ///
    /// # Errors
    /// It is not `scheme://bucket.endpoint`, or another variable is missing.
    pub fn configured() -> Result<Option<Self>, Misconfigured> {
        Ok(Bucket::configured()?.map(Self))
    }

    /// The form that writes an upload's object.
    pub fn form(&self, sending: &Sending) -> Form {
        self.0.form(sending)
    }

    /// A link to a ready upload's object.
    pub fn link(&self, upload_id: Uuid, now: Timestamp, expires_at: Timestamp) -> String {
        self.0.link(&clean_key(upload_id), now, expires_at)
    }

    /// Checks what has come and makes the object that stays. Stopped or repeated, it makes the same again:
    /// the first object stays until the row says that the upload is ready.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Mismatch`], or OSS failed.
    pub fn check(&self, cx: &Context, upload: &Upload) -> Result<Checked, Error> {
        if kind::is_picture(upload.content_type) {
            self.clean_picture(cx, upload)
        } else {
            self.copy_checked(cx, upload)
        }
    }

    /// Reads a picture whole, and writes it without its metadata.
    fn clean_picture(&self, cx: &Context, upload: &Upload) -> Result<Checked, Error> {
        let received = self.call(cx, Method::GET, &key(upload.id), &[], Vec::new(), &PICTURE)?;
        let size = i64::try_from(received.body().len()).unwrap_or(i64::MAX);
        agrees(upload, &received, Some(size))?;
        let clean = picture::strip(upload.content_type, received.body())
            .map_err(|_| Error::Mismatch(Mismatch::Content))?;
        drop(received);
        let size = i64::try_from(clean.len()).unwrap_or(i64::MAX);
        let headers = [("content-type", upload.content_type), ENCRYPTION];
        let clean_key = clean_key(upload.id);
        let written = self.call(cx, Method::PUT, &clean_key, &headers, clean, &PICTURE)?;
        let etag = etag(&written)?.to_owned();
        Ok(Checked { size, etag })
    }

    /// Looks at the first bytes of sound or video, and has OSS copy exactly what was looked at
    /// (<https://help.aliyun.com/zh/oss/developer-reference/copyobject>).
    fn copy_checked(&self, cx: &Context, upload: &Upload) -> Result<Checked, Error> {
        // A range beyond the end is answered with the whole object, which is then no larger than the range
        // (<https://help.aliyun.com/zh/oss/how-to-obtain-oss-resources-by-segmenting-http-range-requests>).
        let range = format!("bytes=0-{}", sound_and_video::HEAD - 1);
        let head = [("range", range.as_str())];
        let received = self.call(cx, Method::GET, &key(upload.id), &head, Vec::new(), &SMALL)?;
        agrees(upload, &received, whole_size(&received))?;
        if !sound_and_video::begins(upload.content_type, received.body()) {
            return Err(Error::Mismatch(Mismatch::Content));
        }
        let source = self.0.source(&key(upload.id));
        let headers = [
            ("x-oss-copy-source", source.as_str()),
            ("x-oss-copy-source-if-match", etag(&received)?),
            ENCRYPTION,
        ];
        let clean_key = clean_key(upload.id);
        self.call(cx, Method::PUT, &clean_key, &headers, Vec::new(), &PICTURE)?;
        let copied = self.call(cx, Method::HEAD, &clean_key, &[], Vec::new(), &SMALL)?;
        let etag = etag(&copied)?.to_owned();
        Ok(Checked {
            size: upload.size,
            etag,
        })
    }

    /// Deletes what the form wrote.
    ///
    /// # Errors
    /// OSS failed.
    pub fn delete_received(&self, cx: &Context, upload_id: Uuid) -> Result<(), Error> {
        self.delete_object(cx, &key(upload_id))
    }

    /// Deletes all that an upload may have.
    ///
    /// # Errors
    /// OSS failed.
    pub fn delete(&self, cx: &Context, upload_id: Uuid) -> Result<(), Error> {
        self.delete_object(cx, &clean_key(upload_id))?;
        self.delete_object(cx, &key(upload_id))
    }

    fn delete_object(&self, cx: &Context, key: &str) -> Result<(), Error> {
        // An object that is not there is deleted just as well
        // (<https://help.aliyun.com/zh/oss/developer-reference/deleteobject>).
        match self.call(cx, Method::DELETE, key, &[], Vec::new(), &SMALL) {
            Ok(_) | Err(Error::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// One request and its successful answer.
    fn call(
        &self,
        cx: &Context,
        method: Method,
        key: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        limits: &Limits,
    ) -> Result<Response<Vec<u8>>, Error> {
        // The first of several calls may have taken long; a signature has a time of its own.
        let now = Timestamp::now().max(cx.now());
        let request = self.0.request(method, key, headers, body, now);
        let request = request.ok_or_else(Problem::internal)?;
        match outbound::send(recipient::ALIYUN_OSS, &request, limits) {
            Ok(answer) => read(answer),
            Err(failure) => Err(unavailable(format!("oss: {failure}"), failure.is_lasting())),
        }
    }
}

/// The object that people read.
fn clean_key(upload_id: Uuid) -> String {
    format!("{}/clean", key(upload_id))
}

/// What a status means (<https://help.aliyun.com/zh/oss/user-guide/error-response>).
fn read(answer: Response<Vec<u8>>) -> Result<Response<Vec<u8>>, Error> {
    let status = answer.status();
    match status {
        _ if status.is_success() => Ok(answer),
        StatusCode::NOT_FOUND if !says(&answer, b"<Code>NoSuchBucket</Code>") => {
            Err(Error::Missing)
        }
        // It was written again while we looked at it: the next try sees the newer one.
        StatusCode::PRECONDITION_FAILED => Err(unavailable("oss: object changed", false)),
        _ => {
            let cause = format!("oss: status {}", status.as_u16());
            // Keys, rights and names stay wrong until people act; the rest passes.
            let alarm = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
            Err(unavailable(cause, alarm))
        }
    }
}

fn says(answer: &Response<Vec<u8>>, text: &[u8]) -> bool {
    let body = answer.body();
    body.windows(text.len()).any(|window| window == text)
}

/// Holds the object's size and media type against what was declared.
fn agrees(upload: &Upload, received: &Response<Vec<u8>>, size: Option<i64>) -> Result<(), Error> {
    if size != Some(upload.size) {
        return Err(Error::Mismatch(Mismatch::Size));
    }
    if text(received, header::CONTENT_TYPE) != Some(upload.content_type) {
        return Err(Error::Mismatch(Mismatch::Type));
    }
    Ok(())
}

/// The whole object's size, of an answer that may hold only its beginning.
fn whole_size(answer: &Response<Vec<u8>>) -> Option<i64> {
    match answer.status() {
        StatusCode::PARTIAL_CONTENT => {
            let range = text(answer, header::CONTENT_RANGE)?;
            range.rsplit_once('/')?.1.parse().ok()
        }
        _ => i64::try_from(answer.body().len()).ok(),
    }
}

fn etag(answer: &Response<Vec<u8>>) -> Result<&str, Error> {
    text(answer, header::ETAG).ok_or_else(|| unavailable("oss: no etag", true))
}

fn text(answer: &Response<Vec<u8>>, name: HeaderName) -> Option<&str> {
    answer.headers().get(name)?.to_str().ok()
}

fn unavailable(cause: impl Into<String>, alarm: bool) -> Error {
    Error::StorageUnavailable {
        cause: cause.into(),
        alarm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Vec<u8>> {
        let mut builder = Response::builder().status(status);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(body.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn each_status_has_its_meaning() {
        let outcome = |status, body| match read(answer(status, &[], body)) {
            Ok(_) => "done",
            Err(Error::Missing) => "missing",
            Err(Error::StorageUnavailable { alarm: false, .. }) => "later",
            Err(Error::StorageUnavailable { alarm: true, .. }) => "alarm",
            Err(_) => "other",
        };
        for (status, body, meaning) in [
            (200, "", "done"),
            (204, "", "done"),
            (206, "", "done"),
            (404, "<Code>NoSuchKey</Code>", "missing"),
            (404, "", "missing"),
            (404, "<Code>NoSuchBucket</Code>", "alarm"),
            (412, "", "later"),
            (429, "", "later"),
            (500, "", "later"),
            (503, "", "later"),
            (403, "<Code>SignatureDoesNotMatch</Code>", "alarm"),
            (400, "", "alarm"),
        ] {
            assert_eq!(outcome(status, body), meaning, "{status} {body}");
        }
    }

    #[test]
    fn the_whole_size_is_read_from_either_answer() {
        let range = |value| answer(206, &[("content-range", value)], "abc");
        assert_eq!(whole_size(&range("bytes 0-2/2048")), Some(2048));
        assert_eq!(whole_size(&range("bytes 0-2/*")), None);
        assert_eq!(whole_size(&range("2048")), None);
        assert_eq!(whole_size(&answer(206, &[], "abc")), None);
        assert_eq!(whole_size(&answer(200, &[], "abc")), Some(3));
    }
}
