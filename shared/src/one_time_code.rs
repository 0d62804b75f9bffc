//! One-time codes: six digits, five minutes, one use, five tries.
//!
//! There is one row for a number and a purpose; a new code replaces the old one. A wrong guess is counted
//! by the statement that compares it, so a thousand guesses at once get five tries in all.

use std::time::Duration;

use http::{StatusCode, header};
use rand_core::CryptoRng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crypto::{Key, KeyedHash, Purpose, hex};
use crate::http::{Context, Problem};
use crate::random;
use crate::sql::{Parameter, statements};

/// How long a code can be used.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How long the one who used a code can use it again, so that a lost answer locks nobody out.
const REPEATABLE_FOR: Duration = Duration::from_secs(60);
const DIGITS: usize = 6;

statements! {
    /// Stores a new code over the old one.
    STORE = "INSERT INTO sms_codes (phone_hash, purpose, code_hash, tries, expires_at) \
             VALUES ($1, $2, $3, 0, $4) \
             ON CONFLICT (phone_hash, purpose) DO UPDATE SET \
               code_hash = excluded.code_hash, tries = 0, expires_at = excluded.expires_at, \
               redeemed_at = NULL, redeemer_hash = NULL, plan = NULL";
    /// Uses the code if it is right and may be used; counts the try if it is wrong.
    REDEEM = "UPDATE sms_codes SET \
                tries = tries + CASE WHEN code_hash = $1 THEN 0 ELSE 1 END, \
                redeemed_at = CASE WHEN code_hash = $1 AND (CAST($2 AS BIGINT) = 1 \
                  OR EXISTS (SELECT 1 FROM accounts a WHERE a.phone_hash = $3)) \
                  THEN $4 ELSE redeemed_at END, \
                redeemer_hash = CASE WHEN code_hash = $1 THEN $5 ELSE redeemer_hash END, \
                plan = CASE WHEN code_hash = $1 THEN $6 ELSE plan END \
              WHERE phone_hash = $3 AND purpose = $7 \
                AND tries < 5 AND expires_at > $4 AND redeemed_at IS NULL \
              RETURNING redeemed_at, \
                CAST(CASE WHEN code_hash = $1 THEN 1 ELSE 0 END AS BIGINT) AS is_right";
    /// What the one who has just used this code was given. A wrong code or another redeemer costs a try
    /// here too.
    REPEAT = "UPDATE sms_codes SET tries = tries + \
                CASE WHEN code_hash = $1 AND redeemer_hash = $2 THEN 0 ELSE 1 END \
              WHERE phone_hash = $3 AND purpose = $4 AND tries < 5 AND redeemed_at > $5 \
              RETURNING CASE WHEN code_hash = $1 AND redeemer_hash = $2 THEN plan END AS plan";
    /// A used code leads nowhere any more.
    VOID = "UPDATE sms_codes SET plan = NULL WHERE purpose = $1 \
            AND phone_hash = (SELECT a.phone_hash FROM accounts a WHERE a.id = $2)";
}

/// What a code is for. A code for one purpose is nothing to another.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CodePurpose {
    /// Logging in, or opening an account.
    Login,
    /// Setting a password.
    Password,
    /// Deleting the account.
    Delete,
    /// Setting a password without a session: it was forgotten, or the account is frozen.
    Reset,
}

impl CodePurpose {
    fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Password => "password",
            Self::Delete => "delete",
            Self::Reset => "reset",
        }
    }
}

/// A code in the clear, on its way to the person.
pub struct Code(String);

impl Code {
    /// Six digits, each sequence as likely as any other.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        const CODES: u32 = 1_000_000;
        // The largest multiple of CODES; what lies above would favour the small codes.
        const LIMIT: u32 = u32::MAX - u32::MAX % CODES;
        loop {
            let number = u32::from_be_bytes(random::bytes(rng));
            if number < LIMIT {
                return Self(format!("{:0DIGITS$}", number % CODES));
            }
        }
    }

    /// The digits.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

/// Stores `code` for the number; an older one for the same purpose is void from now on.
///
/// # Errors
/// The database failed.
pub fn store(
    cx: &Context,
    phone_hash: &KeyedHash,
    purpose: CodePurpose,
    code: &Code,
) -> Result<(), Problem> {
    let code_hash = Codes::open()?.hash(phone_hash, purpose, code.digits());
    cx.sql()?.execute(
        &STORE,
        &[
            Parameter::blob(phone_hash),
            Parameter::text(purpose.name()),
            Parameter::blob(code_hash),
            Parameter::time(cx.now().plus(LIFETIME)),
        ],
    )?;
    Ok(())
}

/// Takes away the repeating of the account's last login: a session that is ended must not come back by it.
///
/// # Errors
/// The database failed.
pub fn void_login(cx: &Context, account_id: Uuid) -> Result<(), Problem> {
    cx.sql()?.execute(
        &VOID,
        &[
            Parameter::text(CodePurpose::Login.name()),
            Parameter::id(account_id),
        ],
    )?;
    Ok(())
}

/// 401: the code or the password is wrong, used, or too old. It is not told which, nor whether there is such an
/// account.
pub fn credentials_invalid() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "credentials-invalid",
        "验证码或密码不正确,或已失效",
    )
    .header(header::WWW_AUTHENTICATE, "Bearer")
}

/// Someone who presents a code.
pub struct Redeemer<'a> {
    /// The number that the code was sent to.
    pub phone_hash: &'a KeyedHash,
    /// What the code is to be used for.
    pub purpose: CodePurpose,
    /// The digits as they were typed.
    pub digits: &'a str,
    /// Who presents it; only the same one may repeat it.
    pub identity: KeyedHash,
    /// Whether the code may be used where it would open a new account.
    pub may_open_account: bool,
}

/// How a right code was received.
pub enum Redeemed<P> {
    /// It was used for this plan: the new one, or the one of the use that is being repeated.
    Used(P),
    /// It is right, and was not used: it would open an account.
    WouldOpenAccount,
}

impl Redeemer<'_> {
    /// Uses the code for `plan`, once. The same redeemer gets the same plan again for a minute; whatever
    /// a plan leads to must therefore bear being done again.
    ///
    /// # Errors
    /// 401 `credentials-invalid`, whatever the reason; or the database failed.
    pub fn redeem<P: Serialize + DeserializeOwned>(
        &self,
        cx: &Context,
        plan: P,
    ) -> Result<Redeemed<P>, Problem> {
        let codes = Codes::open()?;
        let code_hash = codes.hash(self.phone_hash, self.purpose, self.digits);
        let plain = serde_json::to_vec(&plan).expect("plans are plain data");
        let sealed = codes
            .0
            .seal(&self.plan_context(), &plain, &mut random::host());
        let row = cx.sql()?.first(
            &REDEEM,
            &[
                Parameter::blob(code_hash),
                Parameter::flag(self.may_open_account),
                Parameter::blob(self.phone_hash),
                Parameter::time(cx.now()),
                Parameter::blob(self.identity),
                Parameter::blob(sealed),
                Parameter::text(self.purpose.name()),
            ],
        )?;
        let Some(row) = row else {
            return self.repeat(cx, &codes, &code_hash);
        };
        if !row.get::<bool>("is_right")? {
            return Err(credentials_invalid());
        }
        match row.get::<Option<i64>>("redeemed_at")? {
            Some(_) => Ok(Redeemed::Used(plan)),
            None => Ok(Redeemed::WouldOpenAccount),
        }
    }

    /// What a plan is bound to: its own row.
    fn plan_context(&self) -> String {
        let row = hex(self.phone_hash);
        format!("sms_codes.plan:{row}:{}", self.purpose.name())
    }

    fn repeat<P: DeserializeOwned>(
        &self,
        cx: &Context,
        codes: &Codes,
        code_hash: &KeyedHash,
    ) -> Result<Redeemed<P>, Problem> {
        let row = cx.sql()?.first(
            &REPEAT,
            &[
                Parameter::blob(code_hash),
                Parameter::blob(self.identity),
                Parameter::blob(self.phone_hash),
                Parameter::text(self.purpose.name()),
                Parameter::time(cx.now().minus(REPEATABLE_FOR)),
            ],
        )?;
        let sealed = match row {
            Some(row) => row.get::<Option<Vec<u8>>>("plan")?,
            None => None,
        };
        let sealed = sealed.ok_or_else(credentials_invalid)?;
        let plain = codes.0.open(&self.plan_context(), &sealed)?;
        let plan = serde_json::from_slice(&plain).map_err(|_| Problem::internal())?;
        Ok(Redeemed::Used(plan))
    }
}

struct Codes(Key);

impl Codes {
    fn open() -> Result<Self, Problem> {
        Ok(Self(Key::for_purpose(Purpose::OneTimeCode)?))
    }

    fn hash(&self, phone_hash: &KeyedHash, purpose: CodePurpose, digits: &str) -> KeyedHash {
        self.0
            .hash(&[phone_hash, purpose.name().as_bytes(), digits.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_digits_and_differ() {
        let codes: Vec<_> = (0..100)
            .map(|_| Code::generate(&mut random::host()))
            .collect();
        for code in &codes {
            assert_eq!(code.digits().len(), DIGITS);
            assert!(code.digits().bytes().all(|byte| byte.is_ascii_digit()));
        }
        assert!(codes.iter().any(|code| code.digits() != codes[0].digits()));
    }
}
