//! What an announcement says, by its kind. It is stored as JSON and answered as it was written.

use serde::{Deserialize, Serialize};
use shared::announcement::{RequestNews, RequestNotice};
use shared::time::Timestamp;
use utoipa::ToSchema;

use crate::change::Change;

/// A version of the policy was published (clause N1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyNotice {
    /// The version: its date.
    #[schema(example = "2027-01-01")]
    pub version: String,
    pub change: Change,
    /// Whether it narrows people's rights: then it does not apply to who has not agreed (clause N2).
    pub narrows: bool,
    /// What changed.
    pub summary: String,
}

/// A new product or service that collects more (clause G3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceNotice {
    pub title: String,
    pub text: String,
    /// The purpose that it asks consent for.
    #[schema(example = "location")]
    pub purpose: String,
}

/// Who takes over the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// The receiver's name: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// How people reach the receiver: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub contact: String,
}

/// A merger, an acquisition, or a transfer of assets, by which data passes to another company (clause T4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferNotice {
    pub title: String,
    pub text: String,
    pub receiver: Receiver,
    /// Whether the receiver protects the data less than the policy does: people are asked again then.
    pub lower_standard: bool,
    /// The major version of the policy by which they are asked.
    #[schema(example = "2027-01-01")]
    pub policy_version: Option<String>,
}

/// Something happened to personal data (clause C2): the policy's parts of such a notice, and whom to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BreachNotice {
    /// 安全事件的基本情况
    pub what_happened: String,
    /// 可能的影响
    pub possible_effects: String,
    /// 我们已采取或将要采取的处置措施
    pub measures: String,
    /// 您可自主防范和降低风险的建议
    pub advice: String,
    /// 对您的补救措施
    pub remedies: String,
    /// Whom to ask.
    pub contact: String,
}

/// What an announcement says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "content", rename_all = "kebab-case")]
#[schema(as = NoticeContent)]
pub enum Content {
    PolicyMajor(PolicyNotice),
    PolicyMinor(PolicyNotice),
    Service(ServiceNotice),
    Transfer(TransferNotice),
    Breach(BreachNotice),
    Request(RequestNotice),
}

impl Content {
    /// The notice of a version.
    pub fn of_version(notice: PolicyNotice) -> Self {
        if notice.change.is_major() {
            Self::PolicyMajor(notice)
        } else {
            Self::PolicyMinor(notice)
        }
    }

    /// The kind's name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PolicyMajor(_) => "policy-major",
            Self::PolicyMinor(_) => "policy-minor",
            Self::Service(_) => "service",
            Self::Transfer(_) => "transfer",
            Self::Breach(_) => "breach",
            Self::Request(_) => "request",
        }
    }

    /// Whether the app must put it before people's eyes.
    pub fn is_prominent(&self) -> bool {
        !matches!(self, Self::PolicyMinor(_))
    }

    /// What people read first.
    pub fn title(&self) -> &str {
        match self {
            Self::PolicyMajor(_) => "隐私政策有重大变更,请阅读并同意新版本",
            Self::PolicyMinor(_) => "隐私政策已更新",
            Self::Service(notice) => &notice.title,
            Self::Transfer(notice) => &notice.title,
            Self::Breach(_) => "个人信息安全事件告知",
            Self::Request(notice) => match notice.status {
                RequestNews::Answered => "您的请求已有答复",
                RequestNews::Refused => "您的请求未能同意,请查看理由",
                RequestNews::Charged => "您的请求需收取成本费用,请查看说明",
            },
        }
    }
}

/// An announcement that was made.
#[derive(Serialize, ToSchema)]
pub struct Announced {
    /// The announcement.
    pub id: uuid::Uuid,
    /// When it was made. It reaches the accounts that there were then, some at a time.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_names_the_kind_as_the_database_does() {
        let notice = |change| PolicyNotice {
            version: "2027-01-01".into(),
            change,
            narrows: false,
            summary: "x".into(),
        };
        for (change, kind) in [
            (Change::Contact, "policy-major"),
            (Change::Minor, "policy-minor"),
        ] {
            let content = Content::of_version(notice(change));
            let json = serde_json::to_value(&content).unwrap();
            assert_eq!((content.kind(), json["kind"].as_str()), (kind, Some(kind)));
            assert_eq!(content.is_prominent(), change.is_major());
            assert_eq!(serde_json::from_value::<Content>(json).unwrap(), content);
        }
    }
}
