//! Where the bytes are: in a bucket of Alibaba Cloud OSS, or, where none is configured, sealed in the
//! key-value store.
//!
//! Both give out a form of the same shape, and a file is checked and its metadata removed before anything
//! may refer to it. When that happens differs, because of what the stores can do. To OSS the form goes past
//! us, and can be sent again until it ends; so completing an upload makes a second object that no form can
//! write. The key-value store is ours: everything happens as the form arrives, and a slot is written while
//! nobody can refer to it and never over bytes in use, for which the store has no compare-and-set.

mod embedded;
mod oss;

use shared::http::Context;
use shared::time::Timestamp;
use shared::variables::Misconfigured;
use uuid::Uuid;

use crate::error::Error;
use crate::form::{Form, Sending};
use crate::rows::{Checked, Discarded, Etag, Upload};

pub use embedded::Embedded;
pub use oss::Oss;

/// One of the two stores.
pub enum Store {
    /// A bucket.
    Oss(Oss),
    /// The key-value store.
    Embedded(Embedded),
}

/// The key of an upload's object, and the name in its form.
fn key(upload_id: Uuid) -> String {
    format!("uploads/{upload_id}")
}

impl Store {
    /// The store that new uploads go to: a bucket if `oss_host` names one.
    ///
    /// # Errors
    /// A variable of that store is unusable.
    pub fn configured() -> Result<Self, Misconfigured> {
        Ok(match Oss::configured()? {
            Some(oss) => Self::Oss(oss),
            None => Self::Embedded(Embedded::configured()?),
        })
    }

    /// The store of an upload that has this slot: a slot is where it is even if a bucket came later.
    ///
    /// # Errors
    /// As [`Store::configured`].
    pub fn of(slot: Option<i64>) -> Result<Self, Misconfigured> {
        match slot {
            Some(_) => Ok(Self::Embedded(Embedded::configured()?)),
            None => Self::configured(),
        }
    }

    /// The largest file that it takes, in bytes.
    pub fn max_size(&self) -> i64 {
        match self {
            Self::Oss(_) => i64::MAX,
            Self::Embedded(_) => embedded::MAX_SIZE,
        }
    }

    /// The form by which the file of a new upload is sent.
    ///
    /// # Errors
    /// A variable is unusable.
    pub fn form(
        &self,
        upload_id: Uuid,
        content_type: &'static str,
        size: i64,
        made_at: Timestamp,
    ) -> Result<Form, Misconfigured> {
        let sending = Sending {
            key: key(upload_id),
            content_type,
            size,
            made_at,
        };
        match self {
            Self::Oss(oss) => Ok(oss.form(&sending)),
            Self::Embedded(embedded) => embedded.form(upload_id, &sending),
        }
    }

    /// Checks what has come for an open upload and brings it to where it stays.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Mismatch`], or the store failed.
    pub fn check(&self, cx: &Context, upload: &Upload) -> Result<Checked, Error> {
        match self {
            Self::Oss(oss) => oss.check(cx, upload),
            Self::Embedded(embedded) => embedded.check(cx, upload),
        }
    }

    /// Deletes what [`Store::check`] has made of an upload that is over.
    ///
    /// # Errors
    /// The store failed.
    pub fn undo_check(&self, cx: &Context, upload_id: Uuid) -> Result<(), Error> {
        match self {
            Self::Oss(oss) => oss.delete(cx, upload_id),
            // It makes nothing, and the slot may be another upload's by now.
            Self::Embedded(_) => Ok(()),
        }
    }

    /// Deletes what a ready upload no longer needs.
    ///
    /// # Errors
    /// The store failed; the upload's own end deletes it too.
    pub fn tidy(&self, cx: &Context, upload_id: Uuid) -> Result<(), Error> {
        match self {
            Self::Oss(oss) => oss.delete_received(cx, upload_id),
            Self::Embedded(_) => Ok(()),
        }
    }

    /// A URL by which the reader named by the bytes `reader` reads a ready upload until `expires_at`.
    ///
    /// # Errors
    /// A variable is unusable.
    pub fn link(
        &self,
        cx: &Context,
        upload_id: Uuid,
        reader: &[u8],
        expires_at: Timestamp,
    ) -> Result<String, Misconfigured> {
        match self {
            // It is made anew for each reader, but OSS knows no readers.
            Self::Oss(oss) => Ok(oss.link(upload_id, cx.now(), expires_at)),
            Self::Embedded(embedded) => embedded.link(upload_id, reader, expires_at),
        }
    }

    /// Deletes all bytes of a claimed upload.
    ///
    /// # Errors
    /// The store failed.
    pub fn delete(&self, cx: &Context, upload_id: Uuid, slot: Option<i64>) -> Result<(), Error> {
        match self {
            Self::Oss(oss) => oss.delete(cx, upload_id),
            Self::Embedded(embedded) => embedded.delete(cx, slot),
        }
    }

    /// Whether bytes may still come for a discarded upload: to OSS by its form, whatever we know; here only
    /// by a request that took the slot and has not said yet that it wrote.
    pub fn can_still_receive(&self, upload: &Discarded) -> bool {
        match self {
            Self::Oss(_) => true,
            Self::Embedded(_) => {
                upload.slot.is_some() && !matches!(upload.etag, Some(Etag::Stored(_)))
            }
        }
    }
}
