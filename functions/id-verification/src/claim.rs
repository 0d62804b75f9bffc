//! The personal part of a verification: one row, whose every change of state is one statement.
//!
//! It refers to the consent that it stands on, so that the row cannot be stored without one, and goes when
//! that is withdrawn. The identity number itself is nowhere: there are its masked form and its keyed hash.

use std::time::Duration;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use shared::consent::Purpose;
use shared::crypto::{KeyedHash, PersonKey};
use shared::http::{Context, Problem};
use shared::sql::{Constraint, Parameter, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;

/// How long Alipay's certify_id, and with it the link, can be used
/// (<https://developer.aliyun.com/ask/285734>).
pub const LIFETIME: Duration = Duration::from_secs(23 * 60 * 60);
/// When a claim that nobody can see is taken for stopped: longer than a submission lives.
const ABANDONED_AFTER: Duration = Duration::from_secs(20);
/// How often Alipay is asked about one verification, at most, because its person asks us.
const ASK_EVERY: Duration = Duration::from_secs(3);

statements! {
    /// A new claim.
    INSERT = "INSERT INTO verification_claims \
        (id, account_id, kind, purpose, status, asked_at, expires_at, opened_at, real_name, summary, \
         number_hash) \
        VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10)";
    /// Takes back what nobody has seen yet.
    REMOVE = "DELETE FROM verification_claims WHERE id = $1";
    /// Takes back an account's claims that were stopped before anybody could see them.
    REMOVE_UNSEEN = "DELETE FROM verification_claims \
        WHERE account_id = $1 AND kind = $2 AND opened_at <= $3 \
        AND NOT EXISTS (SELECT 1 FROM verifications v WHERE v.id = verification_claims.id)";
    /// The certify_id that Alipay gave.
    SET_CERTIFY_ID = "UPDATE verification_claims SET certify_id = $1 WHERE id = $2 RETURNING id";
    /// What Alipay is to be asked about. A claim under review is the operators' to decide.
    FIND_CERTIFIED = "SELECT id FROM verification_claims WHERE certify_id = $1 \
        AND purpose = 'real-name-verification' AND status IN ('pending', 'failed')";
    /// The turn to ask Alipay: only one of many at once gets it.
    TAKE_TURN = "UPDATE verification_claims SET asked_at = $1 WHERE id = $2 AND status = 'pending' \
        AND purpose = 'real-name-verification' AND asked_at <= $3 RETURNING certify_id";
    /// Alipay says that it is the person, under the name that the profile still shows. After a failed try the
    /// person may try again with the same link.
    PASS = "UPDATE verification_claims \
        SET status = 'passed', verified_hash = number_hash, reason = NULL, decided_at = $1 \
        WHERE id = $2 AND purpose = 'real-name-verification' AND status IN ('pending', 'failed') \
          AND EXISTS (SELECT 1 FROM profiles p WHERE p.account_id = verification_claims.account_id \
            AND p.real_name = verification_claims.real_name) \
        RETURNING id";
    /// Alipay says that it is not, or somebody else was faster.
    FAIL = "UPDATE verification_claims SET status = 'failed', reason = $1, decided_at = $2 \
        WHERE id = $3 AND purpose = 'real-name-verification' AND status IN ('pending', 'failed')";
    /// From the machine's result to a person's: the claim stands on the other consent from now on.
    OPEN_REVIEW = "UPDATE verification_claims SET status = 'in_review', purpose = 'document-review', \
        opened_at = $1, alerted_at = NULL, reason = NULL, decided_at = NULL \
        WHERE id = $2 AND status IN ('pending', 'failed')";
    /// A person's decision that it is so, under the name that the profile still shows. Only an identity
    /// number has one holder.
    DECIDE_PASSED = "UPDATE verification_claims SET status = 'passed', reason = $1, decided_at = $2, \
        verified_hash = CASE WHEN kind = 'real-name' THEN number_hash END \
        WHERE id = $3 AND status = 'in_review' \
          AND (real_name IS NULL OR EXISTS (SELECT 1 FROM profiles p \
            WHERE p.account_id = verification_claims.account_id \
              AND p.real_name = verification_claims.real_name)) \
        RETURNING id";
    /// A person's decision that it is not.
    DECIDE_FAILED = "UPDATE verification_claims SET status = 'failed', reason = $1, decided_at = $2 \
        WHERE id = $3 AND status = 'in_review' RETURNING id";
}

/// What is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = VerificationKind)]
pub enum Kind {
    /// A person's name and identity number.
    RealName,
    /// A company.
    Enterprise,
}

impl Kind {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::RealName => "real-name",
            Self::Enterprise => "enterprise",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::RealName, Self::Enterprise]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// What is kept of whom it is about.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = VerificationSubject)]
pub struct Summary {
    /// The person's or the company's name.
    #[schema(example = "林小满")]
    pub name: String,
    /// The masked identity number, or the company's unified social credit code.
    #[schema(example = "350***********4512")]
    pub number: String,
}

impl Summary {
    /// Seals it for the claim `id`.
    pub fn seal(&self, key: &PersonKey, id: Uuid, rng: &mut impl CryptoRng) -> Vec<u8> {
        let plain = serde_json::to_vec(self).expect("plain data");
        key.seal(&context(id), &plain, rng)
    }

    /// Opens what [`Summary::seal`] made.
    ///
    /// # Errors
    /// It does not open, or the key store failed.
    pub fn open(
        cx: &Context,
        person_key_id: Uuid,
        id: Uuid,
        sealed: &[u8],
    ) -> Result<Self, Problem> {
        let opened = PersonKey::load(cx, person_key_id)?.open(&context(id), sealed)?;
        serde_json::from_slice(&opened).map_err(|_| Problem::internal())
    }
}

fn context(id: Uuid) -> String {
    format!("verification_claims.summary:{id}")
}

/// A claim to be stored.
pub struct NewClaim<'a> {
    /// Its identifier, and that of its verification.
    pub id: Uuid,
    /// Whose it is.
    pub account_id: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// The consent that it stands on.
    pub purpose: Purpose,
    /// The name that is verified, for as long as the profile shows it.
    pub real_name: Option<&'a str>,
    /// The sealed [`Summary`].
    pub summary: Vec<u8>,
    /// The keyed hash of the identity number.
    pub number_hash: Option<&'a KeyedHash>,
}

impl NewClaim<'_> {
    /// Stores it, to be decided by Alipay.
    ///
    /// # Errors
    /// 403 `consent-required` where the consent has just been withdrawn; or the database failed.
    pub fn insert_pending(&self, cx: &Context) -> Result<(), Error> {
        self.insert(cx, "pending", Some(cx.now().plus(LIFETIME)), None)
    }

    /// Stores it, to be decided by a person.
    ///
    /// # Errors
    /// [`Error::ReviewOpen`] if the account has one of this kind; as [`NewClaim::insert_pending`].
    pub fn insert_in_review(&self, cx: &Context) -> Result<(), Error> {
        cx.sql()?.execute(
            &REMOVE_UNSEEN,
            &[
                Parameter::id(self.account_id),
                Parameter::text(self.kind.name()),
                Parameter::time(cx.now().minus(ABANDONED_AFTER)),
            ],
        )?;
        self.insert(cx, "in_review", None, Some(cx.now()))
    }

    fn insert(
        &self,
        cx: &Context,
        status: &str,
        expires_at: Option<Timestamp>,
        opened_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let inserted = cx.sql()?.execute(
            &INSERT,
            &[
                Parameter::id(self.id),
                Parameter::id(self.account_id),
                Parameter::text(self.kind.name()),
                Parameter::text(self.purpose.terms().name),
                Parameter::text(status),
                Parameter::optional(expires_at.map(Parameter::time)),
                Parameter::optional(opened_at.map(Parameter::time)),
                Parameter::optional(self.real_name.map(Parameter::text)),
                Parameter::blob(&self.summary),
                Parameter::optional(self.number_hash.map(Parameter::blob)),
            ],
        );
        match inserted {
            Err(SqlError::Constraint(Constraint::ForeignKey)) => {
                Err(shared::consent::required(self.purpose).into())
            }
            Err(error) if is_second_review(&error) => Err(Error::ReviewOpen),
            inserted => Ok(inserted?),
        }
    }
}

fn is_second_review(error: &SqlError) -> bool {
    const ONE_REVIEW: &str = "verification_claims_account_id_kind_unique";
    matches!(error, SqlError::Constraint(Constraint::Unique(name)) if name == ONE_REVIEW)
}

fn is_held_by_another(error: &SqlError) -> bool {
    const ONE_HOLDER: &str = "verification_claims_verified_hash_unique";
    matches!(error, SqlError::Constraint(Constraint::Unique(name)) if name == ONE_HOLDER)
}

/// Takes back a claim that nobody has seen yet.
///
/// # Errors
/// The database failed.
pub fn remove(cx: &Context, id: Uuid) -> Result<(), Problem> {
    Ok(cx.sql()?.execute(&REMOVE, &[Parameter::id(id)])?)
}

/// Notes the certify_id that Alipay gave; whether the claim is still there.
///
/// # Errors
/// The database failed.
pub fn set_certify_id(cx: &Context, id: Uuid, certify_id: &str) -> Result<bool, Problem> {
    let parameters = [Parameter::text(certify_id), Parameter::id(id)];
    Ok(cx.sql()?.first(&SET_CERTIFY_ID, &parameters)?.is_some())
}

/// The claim that a certify_id belongs to, if Alipay's word still counts for it.
///
/// # Errors
/// The database failed.
pub fn find_certified(cx: &Context, certify_id: &str) -> Result<Option<Uuid>, Problem> {
    let row = cx
        .sql()?
        .first(&FIND_CERTIFIED, &[Parameter::text(certify_id)])?;
    Ok(row.map(|row| row.get("id")).transpose()?)
}

/// The certify_id, if it is time to ask Alipay about it again; nobody else will for a while then.
///
/// # Errors
/// The database failed.
pub fn take_turn(cx: &Context, id: Uuid) -> Result<Option<String>, Problem> {
    let row = cx.sql()?.first(
        &TAKE_TURN,
        &[
            Parameter::time(cx.now()),
            Parameter::id(id),
            Parameter::time(cx.now().minus(ASK_EVERY)),
        ],
    )?;
    Ok(row.map(|row| row.get("certify_id")).transpose()?.flatten())
}

/// The claim is true, unless another account has been verified under the same number, or the person goes by
/// another name since: then it failed.
///
/// # Errors
/// The database failed.
pub fn pass(cx: &Context, id: Uuid) -> Result<(), Problem> {
    let passed = cx
        .sql()?
        .first(&PASS, &[Parameter::time(cx.now()), Parameter::id(id)]);
    match passed {
        Err(error) if is_held_by_another(&error) => fail(cx, id, "id-number-in-use"),
        // Or it is passed by now: then this changes nothing.
        Ok(None) => fail(cx, id, "name-changed"),
        passed => Ok(passed.map(drop)?),
    }
}

/// The claim is not true; `reason` says why.
///
/// # Errors
/// The database failed.
pub fn fail(cx: &Context, id: Uuid, reason: &str) -> Result<(), Problem> {
    cx.sql()?.execute(
        &FAIL,
        &[
            Parameter::text(reason),
            Parameter::time(cx.now()),
            Parameter::id(id),
        ],
    )?;
    Ok(())
}

/// Gives the claim to the operators. One that they have already stays as it is.
///
/// # Errors
/// [`Error::ReviewOpen`] if the account has another under review; 403 `consent-required`; or the database
/// failed.
pub fn open_review(cx: &Context, id: Uuid) -> Result<(), Error> {
    let opened = cx.sql()?.execute(
        &OPEN_REVIEW,
        &[Parameter::time(cx.now()), Parameter::id(id)],
    );
    match opened {
        Err(SqlError::Constraint(Constraint::ForeignKey)) => {
            Err(shared::consent::required(Purpose::DocumentReview).into())
        }
        Err(error) if is_second_review(&error) => Err(Error::ReviewOpen),
        opened => Ok(opened?),
    }
}

/// A person's decision; whether it was still open.
///
/// # Errors
/// [`Error::NumberInUse`] if another account was verified under the same number; or the database failed.
pub fn decide(cx: &Context, id: Uuid, passed: bool, reason: Option<&str>) -> Result<bool, Error> {
    let statement = if passed {
        &DECIDE_PASSED
    } else {
        &DECIDE_FAILED
    };
    let decided = cx.sql()?.first(
        statement,
        &[
            Parameter::optional(reason.map(Parameter::text)),
            Parameter::time(cx.now()),
            Parameter::id(id),
        ],
    );
    match decided {
        Err(error) if is_held_by_another(&error) => Err(Error::NumberInUse),
        decided => Ok(decided?.is_some()),
    }
}
