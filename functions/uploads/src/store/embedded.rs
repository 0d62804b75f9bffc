//! The key-value store: the bytes lie under `upload:<slot>`, sealed with the owner's data key, so that
//! destroying that key destroys them. There are no more keys than the variable `upload_slots` says.

use std::num::NonZeroU32;

use shared::crypto::{Broken, Key, PersonKey, Purpose, hex};
use shared::http::Context;
use shared::key_value::Unavailable;
use shared::random;
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};
use uuid::Uuid;

use crate::error::{Error, Mismatch};
use crate::form::{Form, Sending};
use crate::kind;
use crate::link::Link;
use crate::multipart::Part;
use crate::picture;
use crate::rows::{self, Checked, Etag, Upload};
use crate::sound_and_video;

/// The largest file, in bytes: hosts have been seen to limit a value to a megabyte.
pub const MAX_SIZE: i64 = 1_000_000;

/// The embedded store.
pub struct Embedded {
    key: Key,
}

impl Embedded {
    /// The store with the application's key for signing forms and links.
    ///
    /// # Errors
    /// That key is unusable.
    pub fn configured() -> Result<Self, Misconfigured> {
        Ok(Self {
            key: Key::for_purpose(Purpose::Upload)?,
        })
    }

    /// The form of an upload. It is the same whenever it is made, so the one that comes back is checked
    /// against a new one.
    pub fn form(&self, upload_id: Uuid, sending: &Sending) -> Result<Form, Misconfigured> {
        let base = variables::required("public_base_url")?;
        let url = format!("{}/v1/uploads/{upload_id}/form", base.trim_end_matches('/'));
        let sign = |policy: &str| {
            let signature = self.key.hash(&[b"form", policy.as_bytes()]);
            ("signature", hex(&signature))
        };
        Ok(Form::new(url, sending, Vec::new(), Vec::new(), sign))
    }

    /// Takes the file of an open upload in.
    ///
    /// The order: the slot is taken in the database, for these bytes and no others; then they are written;
    /// then the row says that they are there. Stopped after the first or the second, the row says that they
    /// are coming; the same form with the same file can be sent again and finds the slot that is taken
    /// already, or the row's end deletes the slot's bytes and frees it.
    ///
    /// # Errors
    /// What was sent is not this upload's form or not its file; it is no longer open; or a store failed.
    pub fn receive(&self, cx: &Context, upload: &Upload, parts: &[Part]) -> Result<(), Error> {
        let sending = Sending {
            key: super::key(upload.id),
            content_type: upload.content_type,
            size: upload.size,
            made_at: upload.created_at,
        };
        let form = self.form(upload.id, &sending)?;
        let file = form.file(parts).ok_or(Error::FormInvalid)?;
        if cx.now() >= form.expires_at {
            return Err(Error::FormExpired);
        }
        if i64::try_from(file.len()) != Ok(upload.size) {
            return Err(Error::Mismatch(Mismatch::Size));
        }
        let bytes = cleaned(upload.content_type, file)?;
        let etag = self.etag(upload.id, &bytes);
        // The first answer was lost.
        if has_stored(upload, &etag) {
            return Ok(());
        }
        let slots: NonZeroU32 = variables::parsed("upload_slots")?;
        let person_key = PersonKey::load(cx, upload.person_key_id)?;
        let sealed = person_key.seal(&context(upload.id), &bytes, &mut random::host());
        let slot = rows::take_slot(cx, upload.id, slots.get(), &etag)?;
        let store = cx.key_value().map_err(unavailable)?;
        store.set(&slot_key(slot), &sealed).map_err(unavailable)?;
        if rows::keep(cx, upload.id, &etag)? {
            return Ok(());
        }
        // The same file at the same time, or an end of the upload: then the row waits and deletes again.
        if has_stored(&rows::find(cx, upload.id)?, &etag) {
            Ok(())
        } else {
            Err(Error::AlreadyStored)
        }
    }

    /// Checks that the bytes are there and whole: everything else was checked when they came.
    pub fn check(&self, cx: &Context, upload: &Upload) -> Result<Checked, Error> {
        let etag = stored_etag(upload).ok_or(Error::Missing)?;
        let bytes = self.read(cx, upload)?;
        Ok(Checked {
            size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            etag: etag.to_owned(),
        })
    }

    /// The bytes of an upload that has some.
    ///
    /// # Errors
    /// The store failed, or does not have what the database says.
    pub fn read(&self, cx: &Context, upload: &Upload) -> Result<Vec<u8>, Error> {
        let slot = upload.slot.ok_or(Error::Missing)?;
        let store = cx.key_value().map_err(unavailable)?;
        let sealed = store.get(&slot_key(slot)).map_err(unavailable)?;
        // A store that agrees with itself late has not heard of them.
        let sealed = sealed.ok_or(unavailable(Unavailable))?;
        let person_key = PersonKey::load(cx, upload.person_key_id)?;
        let bytes = person_key.open(&context(upload.id), &sealed)?;
        if has_stored(upload, &self.etag(upload.id, &bytes)) {
            Ok(bytes)
        } else {
            Err(Broken.into())
        }
    }

    /// A link to the route that serves the bytes.
    pub fn link(
        &self,
        upload_id: Uuid,
        reader: &[u8],
        expires_at: Timestamp,
    ) -> Result<String, Misconfigured> {
        let base = variables::required("public_base_url")?;
        Ok(Link::new(&self.key, upload_id, reader, expires_at).url(&self.key, &base))
    }

    /// The link that a request for an upload's bytes comes by.
    pub fn linked(&self, upload_id: Uuid, query: &str, now: Timestamp) -> Option<Link> {
        Link::read(&self.key, upload_id, query, now)
    }

    /// Deletes the slot's bytes.
    pub fn delete(&self, cx: &Context, slot: Option<i64>) -> Result<(), Error> {
        let Some(slot) = slot else { return Ok(()) };
        let store = cx.key_value().map_err(unavailable)?;
        store.delete(&slot_key(slot)).map_err(unavailable)
    }

    /// A keyed hash: without the key it cannot be tried out which picture it is of.
    fn etag(&self, upload_id: Uuid, bytes: &[u8]) -> String {
        hex(&self.key.hash(&[b"content", upload_id.as_bytes(), bytes]))
    }
}

fn stored_etag(upload: &Upload) -> Option<&str> {
    upload.etag.as_ref().and_then(Etag::stored)
}

fn has_stored(upload: &Upload, etag: &str) -> bool {
    stored_etag(upload) == Some(etag)
}

/// The file as it is stored: a picture without its metadata.
fn cleaned(content_type: &str, file: &[u8]) -> Result<Vec<u8>, Error> {
    const NOT_THE_TYPE: Error = Error::Mismatch(Mismatch::Content);
    if kind::is_picture(content_type) {
        return picture::strip(content_type, file).map_err(|_| NOT_THE_TYPE);
    }
    sound_and_video::begins(content_type, file)
        .then(|| file.to_vec())
        .ok_or(NOT_THE_TYPE)
}

fn slot_key(slot: i64) -> String {
    format!("upload:{slot}")
}

/// What the sealed bytes are bound to: a slot's next upload cannot be taken for the one before.
fn context(upload_id: Uuid) -> String {
    format!("uploads:{upload_id}")
}

fn unavailable(Unavailable: Unavailable) -> Error {
    Error::StorageUnavailable {
        cause: "key-value store unavailable".into(),
        alarm: false,
    }
}
