//! Everybody who gets data from us, as data (clauses T3, T5, T6, D1): who, what, why, where, and by which host.
//!
//! The policy lists some of them; others the project added, and each says which version of the policy must name
//! it. A test compares the list with the hosts that `spin.toml` lets components reach: a host that is not here,
//! and is not ours, fails it.
//!
//! Nobody is called without an agreement that was reviewed ([`crate::outbound`]): the variable
//! `recipient_agreements` says when, since a contract is a fact of the company that runs the service.

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Problem;
use crate::log::Level;
use crate::variables::{self, Misconfigured};

const VARIABLE: &str = "recipient_agreements";

/// Where a recipient keeps what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RecipientRegion)]
pub enum Region {
    /// The mainland of China.
    Mainland,
    /// Outside it: an exception that has a name.
    Abroad,
}

/// As what a recipient gets data (Personal Information Protection Law, articles 21 and 23).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RecipientRole)]
pub enum Role {
    /// It works for us, for our purpose and by our instructions alone.
    Processor,
    /// It decides by itself what it does with the data. Whoever the policy does not name gets data as such only
    /// with separate consent (clause T6).
    Independent,
}

/// Where it is said that a recipient gets data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// In the policy from its first version on.
    InPolicy,
    /// Not yet: the version of the policy that must name it.
    From(&'static str),
}

/// Who gets data.
#[derive(Debug)]
pub struct Recipient {
    /// The name in disclosure records, which never changes.
    pub name: &'static str,
    /// The company.
    pub company: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// Which data.
    pub data: &'static str,
    /// Where a person reaches it: the policy's own link, or its page for such questions.
    pub contact: &'static str,
    /// Its own privacy policy.
    pub policy_url: &'static str,
    /// As what it gets the data.
    pub role: Role,
    /// Where it keeps the data.
    pub region: Region,
    /// Why a region outside the mainland is no breach of clause D1.
    pub exception: Option<&'static str>,
    /// Where it is named.
    pub named: Named,
    /// The variables of `spin.toml` with the hosts by which components reach it; none where only the app does.
    pub hosts: &'static [&'static str],
}

macro_rules! recipients {
    ($($name:ident = $text:literal, $named:expr, $role:ident, $region:ident $(($exception:literal))?, [$($host:literal),*],
       $company:literal, $purpose:literal, $data:literal, $contact:literal, $policy:literal;)*) => {
        $(
            #[doc = $company]
            pub const $name: &Recipient = &Recipient {
                name: $text,
                company: $company,
                purpose: $purpose,
                data: $data,
                contact: $contact,
                policy_url: $policy,
                role: Role::$role,
                region: Region::$region,
                exception: [$(Some($exception),)? None][0],
                named: $named,
                hosts: &[$($host),*],
            };
        )*

        /// Every recipient: the policy's in its order, then those that were added.
        pub const RECIPIENTS: &[&Recipient] = &[$($name),*];
    };
}

use Named::{From, InPolicy};

/// The version of the policy that must name those that were added.
const NEXT: &str = "2026-12-31";

recipients! {
    ALIPAY = "alipay", InPolicy, Independent, Mainland, ["alipay_gateway_host"],
        "支付宝(中国)网络技术有限公司", "支付;实名认证(人脸识别)",
        "订单号、金额;姓名、身份证号码", "95188", "https://render.alipay.com/p/c/k2cx0tg8";
    WECHAT_PAY = "wechat-pay", InPolicy, Independent, Mainland, ["wechat_pay_base_url"],
        "财付通支付科技有限公司", "支付", "订单号、金额;公众号支付时的 openid", "95017",
        "https://www.tenpay.com/v3/helpcenter/low/privacy.shtml";
    WECHAT_SHARE = "wechat-share", InPolicy, Independent, Mainland, [],
        "深圳市腾讯计算机系统有限公司", "向站外分享内容", "分享的内容、设备信息", "https://kf.qq.com",
        "https://weixin.qq.com/cgi-bin/readtemplate?lang=zh_CN&t=weixin_agreement&s=privacy";
    ALIYUN_NUMBER = "aliyun-number", InPolicy, Independent, Mainland, [],
        "阿里云计算有限公司", "本机号码一键登录和认证", "网络类型、设备信息、SIM 卡信息", "95187",
        "https://terms.aliyun.com/legal-agreement/terms/suit_bu1_ali_cloud/suit_bu1_ali_cloud201902141711_54837.html";
    HUAWEI_PUSH = "huawei-push", InPolicy, Independent, Mainland, [],
        "华为软件技术有限公司", "推送消息", "应用基本信息、设备标识符、系统信息", "950800",
        "https://consumer.huawei.com/cn/privacy/privacy-policy/";
    XIAOMI_PUSH = "xiaomi-push", InPolicy, Independent, Mainland, [],
        "北京小米移动软件有限公司", "推送消息", "设备标识符、应用信息、设备信息", "https://dev.mi.com",
        "https://dev.mi.com/console/doc/detail?pId=1822";
    OPPO_PUSH = "oppo-push", InPolicy, Independent, Mainland, [],
        "广东欢太科技有限公司", "推送消息", "设备标识符、应用信息、网络信息", "https://open.oppomobile.com",
        "https://open.oppomobile.com/new/developmentDoc/info?id=11228";
    VIVO_PUSH = "vivo-push", InPolicy, Independent, Mainland, [],
        "广东天宸网络科技有限公司", "推送消息", "设备信息、MAC 地址、系统信息", "https://dev.vivo.com.cn",
        "https://dev.vivo.com.cn/documentCenter/doc/366";
    MEIZU_PUSH = "meizu-push", InPolicy, Independent, Mainland, [],
        "珠海市魅族科技有限公司", "推送消息", "设备标识符、MAC 地址、位置信息", "https://open.flyme.cn",
        "https://www.meizu.com/legal.html";
    BUGLY = "bugly", InPolicy, Independent, Mainland, [],
        "深圳市腾讯计算机系统有限公司", "提升应用稳定性", "设备型号、系统版本、网络状态", "https://bugly.qq.com/v2/index",
        "https://privacy.qq.com/document/preview/fc748b3d96224fdb825ea79e132c1a56";
    AMAP = "amap", InPolicy, Independent, Mainland, [],
        "高德软件有限公司", "匹配信息,发送具体定位", "设备标识符、GPS 位置、WiFi 信息", "https://www.amap.com",
        "https://lbs.amap.com/pages/privacy/";
    QIYU = "qiyu", InPolicy, Independent, Mainland, [],
        "杭州网易质云科技有限公司", "客服会话", "网络信息", "https://qiyukf.com",
        "https://qi.163.com/termsService?privacy=1";
    OAID = "oaid", InPolicy, Independent, Mainland, [],
        "移动安全联盟(中国信息通信研究院)", "在设备上读取 OAID(uni-app 框架)",
        "设备制造商、型号、品牌;不经网络传输", "https://www.msa-alliance.cn", "https://www.msa-alliance.cn";
    JPUSH = "jpush", InPolicy, Independent, Mainland, [],
        "深圳市和讯华谷信息技术有限公司", "推送消息", "设备参数、设备标识符、网络信息", "https://www.jiguang.cn",
        "https://www.jiguang.cn/license/privacy";
    MOBTECH = "mobtech", InPolicy, Independent, Mainland, [],
        "上海游昆信息技术有限公司", "将指定内容分享到第三方平台", "设备信息、MAC 地址", "https://www.mob.com",
        "https://www.mob.com/about/policy";
    CHINA_MOBILE = "china-mobile", InPolicy, Independent, Mainland, [],
        "中移互联网有限公司", "一键登录", "网络信息、本机号码信息、设备信息", "https://wap.cmpassport.com",
        "https://wap.cmpassport.com/resources/html/contract.html";
    CARRIERS = "carriers", InPolicy, Independent, Mainland, [],
        "中国移动、中国电信、中国联通", "一键登录背后的运营商取号", "本机号码", "10086、10000、10010",
        "https://wap.cmpassport.com/resources/html/contract.html";
    APPLE = "apple", InPolicy, Independent, Abroad
            ("支付由用户与 Apple 直接完成;我们只向 Apple 查询其自己给出的交易编号,不提供个人信息"),
        ["apple_api_host"],
        "Apple Inc.", "支付", "Apple 自己给出的交易编号", "https://www.apple.com.cn/legal/privacy/contact/",
        "https://www.apple.com.cn/legal/privacy/";
    ALIYUN_SMS = "aliyun-sms", From(NEXT), Processor, Mainland, ["aliyun_sms_endpoint"],
        "阿里云计算有限公司", "发送验证码和通知短信", "手机号、验证码", "95187",
        "https://terms.aliyun.com/legal-agreement/terms/suit_bu1_ali_cloud/suit_bu1_ali_cloud201902141711_54837.html";
    ALIYUN_OSS = "aliyun-oss", From(NEXT), Processor, Mainland, ["oss_host"],
        "阿里云计算有限公司", "存储上传的图片、语音和视频", "上传的文件", "95187",
        "https://terms.aliyun.com/legal-agreement/terms/suit_bu1_ali_cloud/suit_bu1_ali_cloud201902141711_54837.html";
    ALIYUN_MAIL = "aliyun-mail", From(NEXT), Processor, Mainland, ["aliyun_mail_endpoint"],
        "阿里云计算有限公司", "发送个人信息副本的下载链接", "邮箱地址", "95187",
        "https://terms.aliyun.com/legal-agreement/terms/suit_bu1_ali_cloud/suit_bu1_ali_cloud201902141711_54837.html";
    OPERATOR_WEBHOOK = "operator-webhook", From(NEXT), Processor, Mainland, ["operator_webhook"],
        "运营团队所用的群机器人(钉钉或企业微信)", "通知运营人员有新的待办", "待办的编号和类型,不含个人信息",
        "https://www.dingtalk.com", "https://page.dingtalk.com/wow/dingtalk/act/privacypolicy";
    DELETION_RELAY = "deletion-relay", From(NEXT), Processor, Mainland, ["deletion_notice_host"],
        "转达删除通知的合作方接口", "将删除通知转达给获得过个人信息的接收方", "接收方已有的编号或手机号",
        "jsdclub@163.com", "https://www.chuangrenmai.com/privacy";
}

/// The recipient of this name.
pub fn named(name: &str) -> Option<&'static Recipient> {
    let mut all = RECIPIENTS.iter().copied();
    all.find(|recipient| recipient.name == name)
}

/// What binds a recipient: both dates are `YYYY-MM-DD`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Agreement {
    /// When it was agreed.
    #[schema(example = "2026-01-15")]
    pub agreed_on: String,
    /// When the recipient was last checked.
    #[schema(example = "2026-07-01")]
    pub reviewed_on: String,
}

/// The agreements that there are.
#[derive(Debug)]
pub struct Agreements(Vec<(String, Agreement)>);

impl Agreements {
    /// Reads the variable `recipient_agreements`: `name=AGREED/REVIEWED`, several separated by commas.
    ///
    /// # Errors
    /// It is not of this form.
    pub fn configured() -> Result<Self, Misconfigured> {
        parse(&variables::text(VARIABLE)?).ok_or(Misconfigured { variable: VARIABLE })
    }

    /// The one with a recipient.
    pub fn with(&self, recipient: &Recipient) -> Option<&Agreement> {
        let found = self.0.iter().find(|(name, _)| name == recipient.name);
        found.map(|(_, agreement)| agreement)
    }
}

fn parse(listed: &str) -> Option<Agreements> {
    let entries = listed.split(',').map(str::trim);
    let agreements = entries.filter(|entry| !entry.is_empty()).map(|entry| {
        let (name, dates) = entry.split_once('=')?;
        let (agreed_on, reviewed_on) = dates.split_once('/')?;
        let is_date = |text: &str| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
        named(name)?;
        (is_date(agreed_on) && is_date(reviewed_on)).then(|| {
            let agreement = Agreement {
                agreed_on: agreed_on.to_owned(),
                reviewed_on: reviewed_on.to_owned(),
            };
            (name.to_owned(), agreement)
        })
    });
    agreements.collect::<Option<_>>().map(Agreements)
}

/// Whether a recipient may be called (clause T5). Where the variable is unusable, nobody may.
pub fn has_agreement(recipient: &Recipient) -> bool {
    Agreements::configured().is_ok_and(|agreements| agreements.with(recipient).is_some())
}

/// Lets what leads to a recipient's being called begin, if there is an agreement with it (clause T5).
///
/// # Errors
/// 503 `recipient-without-agreement`, and an alarm in the log; or the variable is unusable.
pub fn require_agreement(recipient: &Recipient) -> Result<(), Problem> {
    if Agreements::configured()?.with(recipient).is_some() {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "recipient-without-agreement",
        "此功能所需的合作方尚未完成审核",
    )
    .retry_after(3600)
    .with("recipient", recipient.name)
    .because(
        Level::Alarm,
        format!("{VARIABLE}: no agreement with {}", recipient.name),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreements_are_listed_whole_or_not_at_all() {
        let agreements =
            parse(" alipay=2026-01-15/2026-07-01, apple=2025-01-01/2026-01-01,").unwrap();
        let agreement = agreements.with(ALIPAY).unwrap();
        assert_eq!(agreement.agreed_on, "2026-01-15");
        assert_eq!(agreement.reviewed_on, "2026-07-01");
        assert!(agreements.with(WECHAT_PAY).is_none());
        assert!(parse("").unwrap().0.is_empty());
        for broken in [
            "alipay",
            "alipay=2026-01-15",
            "nobody=2026-01-15/2026-07-01",
            "alipay=2026-13-15/2026-07-01",
            "alipay=yes/no",
        ] {
            assert!(parse(broken).is_none(), "{broken}");
        }
    }

    // clause D1
    #[test]
    fn whoever_is_abroad_says_why_that_is_no_transfer() {
        for recipient in RECIPIENTS {
            let is_abroad = recipient.region == Region::Abroad;
            assert_eq!(
                is_abroad,
                recipient.exception.is_some(),
                "{}",
                recipient.name
            );
        }
    }

    #[test]
    fn names_are_one_recipients_each() {
        for recipient in RECIPIENTS {
            assert_eq!(named(recipient.name).unwrap().company, recipient.company);
            let same = RECIPIENTS
                .iter()
                .filter(|other| other.name == recipient.name);
            assert_eq!(same.count(), 1, "{}", recipient.name);
        }
    }
}
