//! Uploads in the database. A row's states:
//!
//! - open: a form was given out, `completed_at` is NULL;
//! - ready: `completed_at` is set, so a feature may refer to it, which it says by setting `expires_at` to
//!   NULL; until then the row goes a day after it was made;
//! - discarded: `account_id` is NULL; nobody can read it or refer to it, and the sweep deletes it. That is
//!   also what withdrawing a consent and deleting an account leave;
//! - claimed: discarded and of `size` 0; until `expires_at` it is one sweep's alone, or, its bytes deleted,
//!   only there until nothing that was under way can write them again.
//!
//! An avatar that a profile shows is referred to, whatever `expires_at` says: the profile's request may have
//! been stopped before it set it.
//!
//! `etag` is what the bytes are known by. The embedded store notes it before it writes them, with a mark in
//! front, so that of two files that come by one form at once only one is ever written.

use std::time::Duration;

use shared::consent;
use shared::http::{Context, Problem};
use shared::race::Pauses;
use shared::sql::{Constraint, Parameter, Row, SqlError, Statement, statements};
use shared::time::Timestamp;
use uuid::Uuid;

use crate::error::Error;
use crate::kind::Kind;

/// How long an upload stays that nothing refers to.
const UNREFERENCED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How many uploads a person may have that nothing refers to.
const MOST_UNREFERENCED: i64 = 20;

/// Before an etag: its bytes are on their way. No store's own etag begins so.
const COMING: char = '~';

macro_rules! find {
    ($condition:literal) => {
        concat!(
            "SELECT u.id, u.account_id, a.person_key_id, u.kind, u.content_type, u.size, u.slot, u.etag, \
               u.created_at, u.completed_at \
             FROM uploads u JOIN accounts a ON a.id = u.account_id \
             WHERE u.id = $1 AND (u.expires_at IS NULL OR u.expires_at > $2 \
               OR EXISTS (SELECT 1 FROM profiles p \
                 WHERE p.account_id = u.account_id AND p.avatar = 'upload:' || u.id))",
            $condition
        )
    };
}

statements! {
    /// A new upload, if the person has not too many.
    CREATE = "INSERT INTO uploads \
                (id, account_id, purpose, kind, content_type, size, created_at, expires_at) \
              SELECT $1, $2, $3, $4, $5, CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS BIGINT) \
              WHERE (SELECT COUNT(*) FROM uploads WHERE account_id = $2 AND expires_at > $7) \
                < CAST($9 AS BIGINT) \
              RETURNING id";
    /// An upload that is somebody's, with the key of that person.
    FIND = (find!(""));
    /// The same, without avatars of those whose accounts are about to be deleted: nobody is shown them.
    FIND_SHOWN = (find!(" AND (u.kind <> 'avatar' OR a.closes_at IS NULL)"));
    /// An upload that an open review looks at.
    FIND_IN_REVIEW = "SELECT u.id, u.account_id, a.person_key_id, u.kind, u.content_type, u.size, u.slot, \
                        u.etag, u.created_at, u.completed_at \
                      FROM verification_photos p \
                        JOIN verification_claims c ON c.id = p.verification_id AND c.status = 'in_review' \
                        JOIN verifications v ON v.id = c.id \
                        JOIN uploads u ON u.id = p.upload_id AND u.completed_at IS NOT NULL \
                        JOIN accounts a ON a.id = u.account_id \
                      WHERE p.upload_id = $1";
    /// The least slot below $1 that is free, for an open upload that has none yet and to which nothing but
    /// the bytes of the etag $2 came.
    TAKE_SLOT = "UPDATE uploads SET slot = COALESCE(slot, \
                     CASE WHEN NOT EXISTS (SELECT 1 FROM uploads WHERE slot = 0) THEN 0 \
                     ELSE (SELECT MIN(u.slot) + 1 FROM uploads u \
                           WHERE u.slot >= 0 AND u.slot < CAST($1 AS BIGINT) - 1 \
                             AND NOT EXISTS (SELECT 1 FROM uploads v WHERE v.slot = u.slot + 1)) END), \
                     etag = $2 \
                   WHERE id = $3 AND account_id IS NOT NULL AND completed_at IS NULL \
                     AND (etag IS NULL OR etag = $2) AND expires_at > $4 \
                   RETURNING slot";
    /// The bytes are in the slot.
    KEEP = "UPDATE uploads SET etag = $1 \
            WHERE id = $2 AND account_id IS NOT NULL AND completed_at IS NULL AND etag = $3 \
              AND expires_at > $4 \
            RETURNING id";
    /// The bytes were checked.
    COMPLETE = "UPDATE uploads SET completed_at = $1, size = $2, etag = $3 \
                WHERE id = $4 AND account_id = $5 AND completed_at IS NULL AND expires_at > $1 \
                RETURNING id";
    /// Discards a person's upload that nothing refers to, and claims it.
    DISCARD = "UPDATE uploads \
               SET account_id = NULL, purpose = NULL, completed_at = NULL, size = 0, expires_at = $1 \
               WHERE id = $2 AND account_id = $3 AND expires_at IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM profiles p \
                   WHERE p.account_id = uploads.account_id AND p.avatar = 'upload:' || uploads.id) \
               RETURNING id, slot, etag, created_at";
    /// Claims some that are discarded and have bytes, and discards and claims some whose time is over. What
    /// makes them due is asked for twice: in between another sweep may have claimed one, or a feature referred
    /// to it.
    CLAIM = "UPDATE uploads \
             SET account_id = NULL, purpose = NULL, completed_at = NULL, size = 0, expires_at = $1 \
             WHERE id IN (SELECT u.id FROM uploads u \
                 WHERE (u.account_id IS NULL AND u.size > 0) \
                   OR (u.expires_at <= $2 AND NOT EXISTS (SELECT 1 FROM profiles p \
                     WHERE p.account_id = u.account_id AND p.avatar = 'upload:' || u.id)) \
                 ORDER BY u.account_id IS NOT NULL, u.expires_at LIMIT $3) \
               AND ((account_id IS NULL AND size > 0) OR expires_at <= $2) \
             RETURNING id, slot, etag, created_at";
    /// Says until when a claimed upload is left alone.
    WAIT = "UPDATE uploads SET expires_at = $1 WHERE id = $2 AND account_id IS NULL AND size = 0";
    /// The end of a discarded upload.
    DELETE = "DELETE FROM uploads WHERE id = $1 AND account_id IS NULL";
}

/// An upload that is somebody's.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The upload.
    pub id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// That person's data key.
    pub person_key_id: Uuid,
    /// What it is for.
    pub kind: Kind,
    /// Its media type.
    pub content_type: &'static str,
    /// Its size in bytes: what was declared, and of a ready one what is stored.
    pub size: i64,
    /// Its slot in the embedded store, if it is there.
    pub slot: Option<i64>,
    /// What its bytes are known by.
    pub etag: Option<Etag>,
    /// When its form was made.
    pub created_at: Timestamp,
    /// Whether its bytes were checked.
    pub is_ready: bool,
}

/// What an upload's bytes are known by.
#[derive(Clone, Debug, PartialEq)]
pub enum Etag {
    /// They are being written, or were to be when something stopped.
    Coming(String),
    /// They are stored.
    Stored(String),
}

/// What is declared of an upload.
#[derive(Debug)]
pub struct Declared {
    /// What it is for.
    pub kind: Kind,
    /// Its media type.
    pub content_type: &'static str,
    /// Its size in bytes.
    pub size: i64,
}

/// What a check has found.
#[derive(Debug)]
pub struct Checked {
    /// The size of what is stored now, in bytes.
    pub size: i64,
    /// What these bytes are known by.
    pub etag: String,
}

/// What is left of an upload to delete, claimed by whoever has this.
#[derive(Debug)]
pub struct Discarded {
    /// The upload.
    pub id: Uuid,
    /// Its slot in the embedded store, if it is there.
    pub slot: Option<i64>,
    /// What its bytes are known by.
    pub etag: Option<Etag>,
    /// When its form was made.
    pub created_at: Timestamp,
}

impl Upload {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        let unknown = |column| SqlError::Mismatch { column };
        let kind = Kind::named(&row.get::<String>("kind")?).ok_or(unknown("kind"))?;
        let content_type = kind
            .content_type(&row.get::<String>("content_type")?)
            .ok_or(unknown("content_type"))?;
        Ok(Self {
            id: row.get("id")?,
            account_id: row.get("account_id")?,
            person_key_id: row.get("person_key_id")?,
            kind,
            content_type,
            size: row.get("size")?,
            slot: row.get("slot")?,
            etag: row.get::<Option<String>>("etag")?.map(Etag::from_column),
            created_at: row.get("created_at")?,
            is_ready: row.get::<Option<Timestamp>>("completed_at")?.is_some(),
        })
    }
}

impl Etag {
    fn from_column(text: String) -> Self {
        match text.strip_prefix(COMING) {
            Some(etag) => Self::Coming(etag.to_owned()),
            None => Self::Stored(text),
        }
    }

    /// That of bytes that are stored.
    pub fn stored(&self) -> Option<&str> {
        match self {
            Self::Coming(_) => None,
            Self::Stored(etag) => Some(etag),
        }
    }
}

fn coming(etag: &str) -> String {
    format!("{COMING}{etag}")
}

impl Discarded {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            id: row.get("id")?,
            slot: row.get("slot")?,
            etag: row.get::<Option<String>>("etag")?.map(Etag::from_column),
            created_at: row.get("created_at")?,
        })
    }
}

/// A new open upload; its identifier.
///
/// # Errors
/// [`Error::TooMany`]; a consent that was withdrawn just now; or the database failed.
pub fn create(cx: &Context, account_id: Uuid, declared: &Declared) -> Result<Uuid, Error> {
    let id = cx.new_id();
    let purpose = declared.kind.rule().purpose;
    let created = cx.sql()?.first(
        &CREATE,
        &[
            Parameter::id(id),
            Parameter::id(account_id),
            Parameter::optional(purpose.map(|purpose| Parameter::text(purpose.terms().name))),
            Parameter::text(declared.kind.name()),
            Parameter::text(declared.content_type),
            Parameter::Integer(declared.size),
            Parameter::time(cx.now()),
            Parameter::time(cx.now().plus(UNREFERENCED_FOR)),
            Parameter::Integer(MOST_UNREFERENCED),
        ],
    );
    match created {
        Ok(Some(_)) => Ok(id),
        Ok(None) => Err(Error::TooMany),
        // The consent, or the account itself, went after the guards had seen it.
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(purpose
            .map_or_else(Problem::unauthenticated, consent::required)
            .into()),
        Err(error) => Err(error.into()),
    }
}

/// The upload `id`, unless it is discarded or its time is over.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find(cx: &Context, id: Uuid) -> Result<Upload, Error> {
    find_by(cx, &FIND, id)
}

/// As [`find`], for whoever is shown it: an avatar of somebody who leaves is not.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find_shown(cx: &Context, id: Uuid) -> Result<Upload, Error> {
    find_by(cx, &FIND_SHOWN, id)
}

fn find_by(cx: &Context, statement: &Statement, id: Uuid) -> Result<Upload, Error> {
    let row = cx
        .sql()?
        .first(statement, &[Parameter::id(id), Parameter::time(cx.now())])?
        .ok_or(Error::NotFound)?;
    Ok(Upload::from_row(&row)?)
}

/// As [`find`], if it is this person's.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find_own(cx: &Context, id: Uuid, account_id: Uuid) -> Result<Upload, Error> {
    let upload = find(cx, id)?;
    if upload.account_id == account_id {
        Ok(upload)
    } else {
        Err(Error::NotFound)
    }
}

/// The upload `id`, if a review that is open looks at it.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find_in_review(cx: &Context, id: Uuid) -> Result<Upload, Error> {
    let row = cx
        .sql()?
        .first(&FIND_IN_REVIEW, &[Parameter::id(id)])?
        .ok_or(Error::NotFound)?;
    Ok(Upload::from_row(&row)?)
}

/// Gives an open upload the least free of `slots` slots, or the one that it has already, for the bytes that
/// will be known by `etag`.
///
/// # Errors
/// [`Error::StorageFull`]; [`Error::AlreadyStored`] if others came before; [`Error::NotFound`] if it is no
/// longer open; or the database failed.
pub fn take_slot(cx: &Context, id: Uuid, slots: u32, etag: &str) -> Result<i64, Error> {
    /// How often two uploads may want the same slot at once.
    const TRIES: usize = 16;
    let mut pauses = Pauses::default();
    for _ in 0..TRIES {
        let taken = cx.sql()?.first(
            &TAKE_SLOT,
            &[
                Parameter::Integer(i64::from(slots)),
                Parameter::text(coming(etag)),
                Parameter::id(id),
                Parameter::time(cx.now()),
            ],
        );
        match taken {
            Ok(Some(row)) => {
                let slot: Option<i64> = row.get("slot")?;
                return slot.ok_or(Error::StorageFull);
            }
            Ok(None) => {
                find(cx, id)?;
                return Err(Error::AlreadyStored);
            }
            Err(SqlError::Constraint(Constraint::Unique(_))) => pauses.wait(),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::unavailable().into())
}

/// Notes that the bytes known by `etag` are stored; whether the upload was still open and waited for them.
///
/// # Errors
/// The database failed.
pub fn keep(cx: &Context, id: Uuid, etag: &str) -> Result<bool, Error> {
    let kept = cx.sql()?.first(
        &KEEP,
        &[
            Parameter::text(etag),
            Parameter::id(id),
            Parameter::text(coming(etag)),
            Parameter::time(cx.now()),
        ],
    )?;
    Ok(kept.is_some())
}

/// Makes an open upload ready; whether it was still open.
///
/// # Errors
/// The database failed.
pub fn complete(cx: &Context, upload: &Upload, checked: &Checked) -> Result<bool, Error> {
    let completed = cx.sql()?.first(
        &COMPLETE,
        &[
            Parameter::time(cx.now()),
            Parameter::Integer(checked.size),
            Parameter::text(checked.etag.as_str()),
            Parameter::id(upload.id),
            Parameter::id(upload.account_id),
        ],
    )?;
    Ok(completed.is_some())
}

/// Discards an upload of this person that nothing refers to, and claims it until `until`; `None` if there is
/// none.
///
/// # Errors
/// The database failed.
pub fn discard(
    cx: &Context,
    id: Uuid,
    account_id: Uuid,
    until: Timestamp,
) -> Result<Option<Discarded>, Error> {
    let row = cx.sql()?.first(
        &DISCARD,
        &[
            Parameter::time(until),
            Parameter::id(id),
            Parameter::id(account_id),
        ],
    )?;
    Ok(row.as_ref().map(Discarded::from_row).transpose()?)
}

/// Claims, until `until`, at most `limit` uploads that are discarded or whose time is over: they are the
/// caller's alone to delete.
///
/// # Errors
/// The database failed.
pub fn claim(cx: &Context, limit: usize, until: Timestamp) -> Result<Vec<Discarded>, Error> {
    let rows = cx.sql()?.query(
        &CLAIM,
        &[
            Parameter::time(until),
            Parameter::time(cx.now()),
            Parameter::Integer(i64::try_from(limit).unwrap_or(i64::MAX)),
        ],
    )?;
    Ok(rows
        .iter()
        .map(Discarded::from_row)
        .collect::<Result<_, _>>()?)
}

/// Has a claimed upload left alone until `until`, and then claimed again.
///
/// # Errors
/// The database failed.
pub fn wait(cx: &Context, id: Uuid, until: Timestamp) -> Result<(), Error> {
    let parameters = [Parameter::time(until), Parameter::id(id)];
    Ok(cx.sql()?.execute(&WAIT, &parameters)?)
}

/// Deletes the row of a discarded upload.
///
/// # Errors
/// The database failed.
pub fn delete(cx: &Context, id: Uuid) -> Result<(), Error> {
    Ok(cx.sql()?.execute(&DELETE, &[Parameter::id(id)])?)
}
