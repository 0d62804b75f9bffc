//! What a version of the policy changes (clause N1): one of the policy's five kinds of major change, or less.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! changes {
    ($($(#[$doc:meta])* $change:ident = $name:literal, $sentence:expr;)*) => {
        /// What a version of the policy changes. Section 8 (二) of the policy lists what is major.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[schema(as = PolicyChange)]
        pub enum Change {
            $($(#[$doc])* #[serde(rename = $name)] $change,)*
        }

        impl Change {
            /// Every kind of change.
            pub const ALL: &[Self] = &[$(Self::$change),*];

            /// Its name, which never changes.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$change => $name,)*
                }
            }

            /// The policy's own words for it; a minor change has none.
            pub fn sentence(self) -> Option<&'static str> {
                match self {
                    $(Self::$change => $sentence,)*
                }
            }
        }
    };
}

changes! {
    /// How the service works: purposes, kinds and uses of personal data.
    ServiceModel = "service-model",
        Some("我们的服务模式发生重大变化。如处理个人信息的目的、处理的个人信息类型、个人信息的使用方式等");
    /// Who owns it.
    Ownership = "ownership",
        Some("我们在所有权结构、组织架构等方面发生重大变化如业务调整、破产并购等引起的所有者变更等");
    /// Who gets data.
    Recipients = "recipients",
        Some("个人信息共享、转让或公开披露的主要对象发生变化");
    /// People's rights, and how they use them.
    Rights = "rights",
        Some("您参与个人信息处理方面的权利及其行使方式发生重大变化");
    /// Who answers for it, and how they are reached.
    Contact = "contact",
        Some("我们负责处理个人信息安全的责任部门、联络方式及投诉渠道发生变化");
    /// Anything else.
    Minor = "minor", None;
}

impl Change {
    /// The change of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|change| change.name() == name)
    }

    /// Whether people must agree before they can go on.
    pub fn is_major(self) -> bool {
        self != Self::Minor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy_version::FIRST_TEXT;

    // clause N1
    #[test]
    fn the_policys_five_kinds_of_change_are_major_in_its_own_words() {
        let major = Change::ALL.iter().filter(|change| change.is_major());
        let sentences: Vec<_> = major.filter_map(|change| change.sentence()).collect();
        assert_eq!(sentences.len(), 5);
        for sentence in sentences {
            assert!(FIRST_TEXT.contains(sentence), "{sentence}");
        }
        assert_eq!(Change::Minor.sentence(), None);
    }

    #[test]
    fn a_change_is_found_by_the_name_that_json_has_for_it() {
        for change in Change::ALL {
            assert_eq!(Change::named(change.name()), Some(*change));
            assert_eq!(serde_json::to_value(change).unwrap(), change.name());
        }
        assert_eq!(Change::named("first"), None);
    }
}
