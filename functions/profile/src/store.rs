//! Profiles in the database.

use shared::http::Context;
use shared::sql::{Parameter, Row, SqlError, statements};
use uuid::Uuid;

use crate::error::Error;
use crate::fields::{self, Field, REQUIRED};
use crate::patch::Patch;

statements! {
    /// One profile.
    FIND = "SELECT version, hidden, avatar, gender, real_name, company, job_title, \
              motto, about, offers, needs, birthday, hometown, city, hobbies, industries, education \
            FROM profiles WHERE account_id = $1";
    /// One profile, if the asker may see it.
    FIND_SEEN = (concat!(
        "SELECT version, hidden, avatar, gender, real_name, company, job_title, \
           motto, about, offers, needs, birthday, hometown, city, hobbies, industries, education \
         FROM profiles p WHERE p.account_id = $1 AND ",
        shared::seen_by!("$2")
    ));
    /// Changes what the patch names, if the version is the expected one (-1: any), and if it does not change
    /// a name that is verified or is being looked at.
    UPDATE = "UPDATE profiles SET \
        avatar = CASE WHEN CAST($1 AS BIGINT) = 1 THEN $2 ELSE avatar END, \
        gender = CASE WHEN CAST($3 AS BIGINT) = 1 THEN $4 ELSE gender END, \
        real_name = CASE WHEN CAST($5 AS BIGINT) = 1 THEN $6 ELSE real_name END, \
        company = CASE WHEN CAST($7 AS BIGINT) = 1 THEN $8 ELSE company END, \
        job_title = CASE WHEN CAST($9 AS BIGINT) = 1 THEN $10 ELSE job_title END, \
        motto = CASE WHEN CAST($11 AS BIGINT) = 1 THEN $12 ELSE motto END, \
        about = CASE WHEN CAST($13 AS BIGINT) = 1 THEN $14 ELSE about END, \
        offers = CASE WHEN CAST($15 AS BIGINT) = 1 THEN $16 ELSE offers END, \
        needs = CASE WHEN CAST($17 AS BIGINT) = 1 THEN $18 ELSE needs END, \
        birthday = CASE WHEN CAST($19 AS BIGINT) = 1 THEN $20 ELSE birthday END, \
        hometown = CASE WHEN CAST($21 AS BIGINT) = 1 THEN $22 ELSE hometown END, \
        city = CASE WHEN CAST($23 AS BIGINT) = 1 THEN $24 ELSE city END, \
        hobbies = CASE WHEN CAST($25 AS BIGINT) = 1 THEN $26 ELSE hobbies END, \
        industries = CASE WHEN CAST($27 AS BIGINT) = 1 THEN $28 ELSE industries END, \
        education = CASE WHEN CAST($29 AS BIGINT) = 1 THEN $30 ELSE education END, \
        hidden = (hidden | CAST($31 AS BIGINT)) & ~CAST($32 AS BIGINT), \
        version = version + 1 \
      WHERE account_id = $33 AND (CAST($34 AS BIGINT) = -1 OR version = $34) \
        AND NOT (CAST($5 AS BIGINT) = 1 AND COALESCE($6, '') <> COALESCE(real_name, '') \
          AND EXISTS (SELECT 1 FROM verification_claims c WHERE c.account_id = $33 \
            AND c.kind = 'real-name' AND c.status IN ('passed', 'in_review'))) \
      RETURNING version, hidden, avatar, gender, real_name, company, job_title, \
        motto, about, offers, needs, birthday, hometown, city, hobbies, industries, education";
}

/// A stored profile.
pub struct Profile {
    /// Whose it is.
    pub id: Uuid,
    /// Counts the changes.
    pub version: i64,
    /// The bits of the optional fields that nobody else sees.
    pub hidden: i64,
    /// In the order of [`fields::all`].
    values: Vec<Option<String>>,
}

impl Profile {
    /// Every field with its stored form; `None` if it was not given. The required ones come first.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, Option<&str>)> {
        fields::all().zip(self.values.iter().map(Option::as_deref))
    }

    /// The required fields that were not given.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.fields()
            .take(REQUIRED.len())
            .filter(|(_, value)| value.is_none())
            .map(|(field, _)| field.name)
    }

    fn from_row(id: Uuid, row: &Row) -> Result<Self, SqlError> {
        let mut values = Vec::new();
        for field in fields::all() {
            values.push(row.get(field.name)?);
        }
        Ok(Self {
            id,
            version: row.get("version")?,
            hidden: row.get("hidden")?,
            values,
        })
    }
}

/// The profile of an account.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find(cx: &Context, account_id: Uuid) -> Result<Profile, Error> {
    let row = cx
        .sql()?
        .first(&FIND, &[Parameter::id(account_id)])?
        .ok_or(Error::NotFound)?;
    Ok(Profile::from_row(account_id, &row)?)
}

/// The profile of an account, as far as `asker` may see it.
///
/// # Errors
/// [`Error::NotFound`], or the database failed.
pub fn find_seen(cx: &Context, account_id: Uuid, asker: Uuid) -> Result<Profile, Error> {
    let parameters = [Parameter::id(account_id), Parameter::id(asker)];
    let row = cx.sql()?.first(&FIND_SEEN, &parameters)?;
    let row = row.ok_or(Error::NotFound)?;
    Ok(Profile::from_row(account_id, &row)?)
}

/// Applies `patch` and answers the profile as it is then. With `expected`, only to that version.
///
/// # Errors
/// [`Error::Changed`] if it is another version, [`Error::NameVerified`], or the database failed.
pub fn update(
    cx: &Context,
    account_id: Uuid,
    patch: Patch,
    expected: Option<i64>,
) -> Result<Profile, Error> {
    let mut parameters = Vec::new();
    for value in patch.values {
        parameters.push(Parameter::flag(value.is_some()));
        parameters.push(Parameter::optional(value.flatten().map(Parameter::Text)));
    }
    parameters.extend([
        Parameter::Integer(patch.hide),
        Parameter::Integer(patch.show),
        Parameter::id(account_id),
        Parameter::Integer(expected.unwrap_or(-1)),
    ]);
    let row = cx.sql()?.first(&UPDATE, &parameters)?;
    if let Some(row) = row {
        return Ok(Profile::from_row(account_id, &row)?);
    }
    // An account has its profile from the start, so the version is in the way, or the verified name.
    let version = find(cx, account_id)?.version;
    if expected.is_none_or(|expected| expected == version) {
        Err(Error::NameVerified)
    } else {
        Err(Error::Changed)
    }
}
