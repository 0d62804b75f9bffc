//! Consent by purpose (clauses G1, G2, R4): what a person can agree to, and the guard that asks for it.
//!
//! A consent is a row of `consents`, and the events beside it prove how it came about. What is held for a purpose
//! refers to that row, so it cannot be stored without it, and goes with it when the person withdraws.
//!
//! To add a purpose: a line of the list below, and a reference to `consents` in the table that holds what is
//! collected for it.

use std::marker::PhantomData;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::erasure::{self, What};
use crate::http::{Context, FromContext, Problem};
use crate::recipient_notice;
use crate::session::Session;
use crate::sql::{Constraint, Parameter, SqlError, statements};

// A proof refers to its account by no constraint, for it outlives it under a pseudonym. So that none is written for
// an account that is deleted at this moment, PostgreSQL locks the row that it is written from: `$lock`.

macro_rules! prove_given {
    ($lock:literal) => {
        concat!(
            "INSERT INTO consent_events (id, account_id, purpose, version, granted, happened_at) \
             SELECT $1, a.id, $2, $3, 1, CAST($4 AS BIGINT) FROM accounts a WHERE a.id = $5 \
               AND NOT EXISTS (SELECT 1 FROM consents c \
                 WHERE c.account_id = a.id AND c.purpose = $2 AND c.version = $3)",
            $lock
        )
    };
}

macro_rules! prove_withdrawn {
    ($lock:literal) => {
        concat!(
            "INSERT INTO consent_events (id, account_id, purpose, version, granted, happened_at) \
             SELECT $1, c.account_id, c.purpose, c.version, 0, CAST($2 AS BIGINT) FROM consents c \
             WHERE c.account_id = $3 AND c.purpose = $4",
            $lock
        )
    };
}

statements! {
    /// The version that an account has consented to for a purpose.
    FIND = "SELECT version FROM consents WHERE account_id = $1 AND purpose = $2";
    /// Proof that it was given; nothing where this version stands already, or the account is gone.
    PROVE_GIVEN = { sqlite: prove_given!(""), postgres: prove_given!(" FOR KEY SHARE") };
    /// Gives what was proven, and nothing without its proof: the consent that needed none may have been
    /// withdrawn since. The same one given again keeps its time.
    GIVE = "INSERT INTO consents (account_id, purpose, version, given_at) \
        SELECT e.account_id, e.purpose, e.version, e.happened_at FROM consent_events e WHERE e.id = $1 \
        ON CONFLICT (account_id, purpose) DO UPDATE SET \
          version = excluded.version, given_at = excluded.given_at \
        WHERE consents.version <> excluded.version";
    /// Proof that it was withdrawn; nothing where none stands.
    PROVE_WITHDRAWN = { sqlite: prove_withdrawn!(""), postgres: prove_withdrawn!(" FOR KEY SHARE") };
    /// Withdraws what was proven to be, and with it goes what refers to it.
    WITHDRAW = "DELETE FROM consents WHERE account_id = $1 AND purpose = $2 \
        AND EXISTS (SELECT 1 FROM consent_events e WHERE e.id = $3)";
}

/// How a consent is asked for (clause G2; Personal Information Protection Law, articles 14 and 29).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ConsentKind)]
pub enum Kind {
    /// Part of consenting to the policy: without it there is no account.
    Basic,
    /// For a function that the person can do without.
    Extended,
    /// For sensitive data, or data that a third party gets: asked by itself.
    Separate,
}

/// What a person is asked to agree to.
#[derive(Debug)]
pub struct Terms {
    /// The purpose's name, which never changes.
    pub name: &'static str,
    /// How it is asked for.
    pub kind: Kind,
    /// The text's version: its date. A consent to another version must be given again.
    pub version: &'static str,
    /// What the person reads first.
    pub title: &'static str,
    /// All of it.
    pub text: &'static str,
}

/// A purpose as a type, for [`Consented`].
pub trait For {
    /// The purpose.
    const PURPOSE: Purpose;
}

macro_rules! purposes {
    ($($(#[$doc:meta])* $purpose:ident = $name:literal, $kind:ident, $version:literal, $title:literal, $text:literal;)*) => {
        /// What data is processed for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Purpose {
            $($(#[$doc])* $purpose,)*
        }

        impl Purpose {
            /// Every purpose.
            pub const ALL: &[Self] = &[$(Self::$purpose),*];

            /// What the person is asked to agree to.
            pub fn terms(self) -> &'static Terms {
                match self {
                    $(Self::$purpose => &Terms {
                        name: $name,
                        kind: Kind::$kind,
                        version: $version,
                        title: $title,
                        text: $text,
                    },)*
                }
            }
        }

        $($(#[$doc])*
        #[derive(Debug)]
        pub struct $purpose;

        impl For for $purpose {
            const PURPOSE: Purpose = Purpose::$purpose;
        })*
    };
}

purposes! {
    /// The account itself, by consent to the policy.
    Account = "account", Basic, "2023-10-25",
        "账号与基本资料",
        "为注册、登录和使用基本功能,我们处理您的手机号,以及头像、性别、真实姓名、公司和职务。撤回此项同意须注销账号。";
    /// Real-name verification by face, through Alipay.
    RealNameVerification = "real-name-verification", Separate, "2026-11-25",
        "支付宝实名认证",
        "为核实您的身份,我们将您的姓名和身份证号码提供给支付宝(中国)网络技术有限公司,由其通过人脸识别核验;我们要求支付宝不留存人脸照片,我们也不接收人脸信息。认证后我们只保留脱敏的证件号码及其加密校验值。不同意不影响其他功能;您也可以选择提交证件照片由人工审核。";
    /// A person looks at photos of documents.
    DocumentReview = "document-review", Separate, "2026-11-25",
        "证件人工审核",
        "为由人工核实您的身份,我们的审核人员查看您提交的姓名、身份证号码及证件照片。审核结束后证件照片立即删除,我们只保留脱敏的证件号码及其加密校验值。不同意不影响其他功能。";
    /// Paying in a page within WeChat, which WeChat makes possible only for the person's name there.
    WechatPagePayment = "wechat-page-payment", Separate, "2026-11-26",
        "微信内支付",
        "您在微信内的页面(公众号、小程序)支付时,除订单号和金额外,我们还须将您在我们公众号下的标识(openid)提供给财付通支付科技有限公司,否则微信不受理该订单。我们不保存这一标识。不同意不影响以其他方式支付。";
    /// Enterprise verification by business card and licence.
    EnterpriseVerification = "enterprise-verification", Extended, "2026-11-23",
        "企业认证",
        "为核实您所代表的企业,我们的审核人员查看您提交的企业名称、统一社会信用代码、名片和营业执照照片。审核结束后照片立即删除。不同意不影响其他功能。";
    /// People near me.
    Location = "location", Separate, "2026-11-23",
        "附近的人",
        "仅在您使用附近的人等功能时,我们处理您授权提供的位置,并只保存约五百米见方的网格,到期删除,不形成轨迹。不同意只影响这些功能。";
    /// Ranking by what a person does in the app.
    PersonalisedRanking = "personalised-ranking", Extended, "2026-11-23",
        "个性化推荐",
        "为向您推荐更合适的人和内容,我们根据您的资料以及搜索、浏览和互动记录进行排序。不同意时推荐不使用这些记录。";
    /// News by SMS.
    MarketingSms = "marketing-sms", Extended, "2026-11-23",
        "营销短信",
        "我们通过短信向您发送活动与服务资讯。您可以随时撤回同意,或按短信中的方式退订。";
    /// News by telephone.
    MarketingCalls = "marketing-calls", Extended, "2026-11-25",
        "营销电话",
        "我们通过电话向您介绍活动与服务。您可以随时撤回同意,撤回后我们不再致电。";
    /// Messages on the device's screen while the app is not open: the policy's 【设置】-【推送通知设置】.
    PushNotifications = "push-notifications", Extended, "2026-11-26",
        "推送通知",
        "应用未打开时,我们向您的设备推送消息、活动与服务通知。您可以随时在【设置】-【推送通知设置】中撤回同意,撤回后我们不再推送;不同意不影响其他功能,通知仍可在应用内查看。";
}

impl Purpose {
    /// The purpose of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|purpose| purpose.terms().name == name)
    }
}

/// The path's `{purpose}`. What is no purpose's name answers 404.
impl FromContext for Purpose {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        cx.parameter("purpose")
            .and_then(Self::named)
            .ok_or_else(Problem::not_found)
    }
}

/// The guard of everything that needs the consent `P`: nothing is stored or sent without it.
///
/// Answers 403 `consent-required` with the `purpose` and the `version` to agree to.
#[derive(Debug)]
pub struct Consented<P>(PhantomData<P>);

impl<P: For> FromContext for Consented<P> {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let session = Session::from_context(cx)?;
        require(cx, session.account_id, P::PURPOSE)?;
        Ok(Self(PhantomData))
    }
}

/// As [`Consented`], where only the request's body says which purpose it is.
///
/// # Errors
/// 403 `consent-required`, or the database failed.
pub fn require(cx: &Context, account_id: Uuid, purpose: Purpose) -> Result<(), Problem> {
    let terms = purpose.terms();
    let row = cx.sql()?.first(
        &FIND,
        &[Parameter::id(account_id), Parameter::text(terms.name)],
    )?;
    let version: Option<String> = row.map(|row| row.get("version")).transpose()?;
    check(purpose, version.as_deref())
}

/// Whether the `version` that a person agreed to, if any, is the one in force.
///
/// # Errors
/// 403 `consent-required`.
pub fn check(purpose: Purpose, version: Option<&str>) -> Result<(), Problem> {
    if version == Some(purpose.terms().version) {
        Ok(())
    } else {
        Err(required(purpose))
    }
}

/// 403 that names the purpose: also for a row that the schema refused, because its consent has just been
/// withdrawn.
pub fn required(purpose: Purpose) -> Problem {
    let terms = purpose.terms();
    Problem::new(
        StatusCode::FORBIDDEN,
        "consent-required",
        "使用此功能需要您的单独同意",
    )
    .with("purpose", terms.name)
    .with("version", terms.version)
}

/// Gives a consent. Its proof comes first: a consent without one would be worth nothing, and a proof whose
/// consent did not come is followed by the next try's.
///
/// # Errors
/// The database failed.
pub fn give(cx: &Context, account_id: Uuid, purpose: Purpose) -> Result<(), Problem> {
    let (id, terms) = (cx.new_id(), purpose.terms());
    cx.sql()?.execute(
        &PROVE_GIVEN,
        &[
            Parameter::id(id),
            Parameter::text(terms.name),
            Parameter::text(terms.version),
            Parameter::time(cx.now()),
            Parameter::id(account_id),
        ],
    )?;
    match cx.sql()?.execute(&GIVE, &[Parameter::id(id)]) {
        // The account was deleted after its proof was written.
        Err(SqlError::Constraint(Constraint::ForeignKey)) => Err(Problem::unauthenticated()),
        given => Ok(given?),
    }
}

/// Withdraws a consent, its proof first. What the schema ties to it is gone with it, also from a backup that is
/// restored later.
///
/// Who got data on it is told before that (clause R3): a notice of something that is then not deleted is followed by
/// the next try, a deletion without a notice by nothing.
///
/// # Errors
/// The database failed.
pub fn withdraw(cx: &Context, account_id: Uuid, purpose: Purpose) -> Result<(), Problem> {
    let name = purpose.terms().name;
    let parameters = [Parameter::id(account_id), Parameter::text(name)];
    if cx.sql()?.first(&FIND, &parameters)?.is_none() {
        return Ok(());
    }
    erasure::note(cx, account_id, &What::Consent(name.to_owned()))?;
    withdraw_noted(cx, account_id, purpose)
}

/// The same of what is noted already: whoever does it again after a backup was restored notes it when all is done.
///
/// # Errors
/// The database failed.
pub fn withdraw_noted(cx: &Context, account_id: Uuid, purpose: Purpose) -> Result<(), Problem> {
    recipient_notice::of_withdrawal(cx, account_id, purpose)?;
    let (id, terms) = (cx.new_id(), purpose.terms());
    cx.sql()?.execute(
        &PROVE_WITHDRAWN,
        &[
            Parameter::id(id),
            Parameter::time(cx.now()),
            Parameter::id(account_id),
            Parameter::text(terms.name),
        ],
    )?;
    cx.sql()?.execute(
        &WITHDRAW,
        &[
            Parameter::id(account_id),
            Parameter::text(terms.name),
            Parameter::id(id),
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_found_by_its_name_alone() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::named(purpose.terms().name), Some(*purpose));
        }
        assert_eq!(Purpose::named("Account"), None);
        assert_eq!(Purpose::named(""), None);
    }
}
