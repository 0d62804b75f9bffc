//! When a request may be refused (clause R7; the policy, section 六(七)): eight cases, and four kinds of unreasonable
//! request. There is no other.

use crate::names::names;

names! {
    /// Why a request is refused.
    Case as RefusalCase {
        /// 1. A duty that the law puts on us.
        LegalDuty = "legal-duty",
        /// 2. National security and defence.
        NationalSecurity = "national-security",
        /// 3. Public security, public health, a great public interest.
        PublicInterest = "public-interest",
        /// 4. Criminal investigation, prosecution, trial and execution.
        Justice = "justice",
        /// 5. Malice, or abuse of rights, with sufficient evidence.
        Abuse = "abuse",
        /// 6. Somebody's life or property, where consent can hardly be had.
        VitalInterest = "vital-interest",
        /// 7. Serious harm to the asker's or another's rights.
        Harm = "harm",
        /// 8. Trade secrets.
        TradeSecret = "trade-secret",
        /// Unreasonable: repeated without grounds.
        Repeated = "repeated",
        /// Unreasonable: too much technical effort.
        TooMuchEffort = "too-much-effort",
        /// Unreasonable: a risk to others' rights.
        RiskToOthers = "risk-to-others",
        /// Unreasonable: very unrealistic.
        Unrealistic = "unrealistic",
    }
}

impl Case {
    /// In the policy's words.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::LegalDuty => "与我们履行法律法规规定的义务相关的",
            Self::NationalSecurity => "与国家安全、国防安全直接相关的",
            Self::PublicInterest => "与公共安全、公共卫生、重大公共利益直接相关的",
            Self::Justice => "与刑事侦查、起诉、审判和执行判决直接相关的",
            Self::Abuse => "有充分证据表明您存在主观恶意或滥用权利的",
            Self::VitalInterest => {
                "出于维护您或其他个人的生命、财产等重大合法权益但又很难得到本人授权同意的"
            }
            Self::Harm => "响应您的请求将导致您或其他个人、组织的合法权益受到严重损害的",
            Self::TradeSecret => "涉及商业秘密的",
            Self::Repeated => "无端重复的请求",
            Self::TooMuchEffort => "需要过多技术手段的请求",
            Self::RiskToOthers => "给他人合法权益带来风险的请求",
            Self::Unrealistic => "非常不切实际的请求",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause R7
    #[test]
    fn there_are_eight_cases_and_four_kinds_each_in_the_policys_words() {
        let policy = include_str!("../../documents/privacy-policy.zh.txt");
        assert_eq!(Case::ALL.len(), 8 + 4);
        for case in Case::ALL {
            assert_eq!(Case::named(case.name()), Some(*case));
            assert_eq!(serde_json::json!(case), case.name());
            let words = case.sentence().trim_end_matches("的请求");
            assert!(policy.contains(words), "{words}");
        }
        assert_eq!(Case::named("because"), None);
    }
}
