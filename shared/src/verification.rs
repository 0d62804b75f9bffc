//! The guards of what only verified people may do (clause S4).

use http::StatusCode;

use crate::http::{Context, FromContext, Problem};
use crate::session::Session;
use crate::sql::{Parameter, statements};

statements! {
    /// A verification of this kind that was passed and whose consent stands. A person's counts for the name
    /// that was verified, and for no other.
    FIND_PASSED = "SELECT c.id FROM verification_claims c \
        WHERE c.account_id = $1 AND c.kind = $2 AND c.status = 'passed' \
          AND (c.real_name IS NULL OR EXISTS (SELECT 1 FROM profiles p \
            WHERE p.account_id = c.account_id AND p.real_name = c.real_name)) \
        LIMIT 1";
}

/// The caller's name and identity card were verified.
///
/// Answers 403 `real-name-verification-required`.
#[derive(Debug)]
pub struct RealNameVerified(());

/// The caller's company was verified.
///
/// Answers 403 `enterprise-verification-required`.
#[derive(Debug)]
pub struct EnterpriseVerified(());

impl FromContext for RealNameVerified {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        if has_passed(cx, "real-name")? {
            return Ok(Self(()));
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "real-name-verification-required",
            "请先完成实名认证",
        ))
    }
}

impl FromContext for EnterpriseVerified {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        if has_passed(cx, "enterprise")? {
            return Ok(Self(()));
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "enterprise-verification-required",
            "请先完成企业认证",
        ))
    }
}

fn has_passed(cx: &Context, kind: &str) -> Result<bool, Problem> {
    let session = Session::from_context(cx)?;
    let found = cx.sql()?.first(
        &FIND_PASSED,
        &[Parameter::id(session.account_id), Parameter::text(kind)],
    )?;
    Ok(found.is_some())
}
