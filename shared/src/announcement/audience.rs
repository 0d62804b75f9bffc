//! Whom an announcement is for, as it is stored while it is being delivered.

use uuid::Uuid;

use crate::time::Timestamp;

const EVERYBODY: &str = "everybody";
const TOLD: &str = "told:";
const REGISTERED_BEFORE: &str = "registered-before:";
/// How long an identifier's text is.
const ID_LENGTH: usize = 36;

/// Whom an announcement is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every account that there is.
    Everybody,
    /// Those that were opened before a moment.
    RegisteredBefore(Timestamp),
    /// These, in their order.
    Accounts(Vec<Uuid>),
    /// So many that were listed and have been told: who they were is in their inboxes alone.
    Told(usize),
}

impl Audience {
    /// These accounts, each once.
    pub fn accounts(mut ids: Vec<Uuid>) -> Self {
        ids.sort();
        ids.dedup();
        Self::Accounts(ids)
    }

    /// The text that is stored: a word, or the identifiers one after the other.
    pub fn to_text(&self) -> String {
        match self {
            Self::Everybody => EVERYBODY.to_owned(),
            Self::RegisteredBefore(moment) => {
                format!("{REGISTERED_BEFORE}{}", moment.as_millis())
            }
            Self::Accounts(ids) => ids.iter().map(Uuid::to_string).collect(),
            Self::Told(count) => format!("{TOLD}{count}"),
        }
    }

    /// What stays of it when it was told: no list of who was concerned.
    pub fn when_told(&self) -> Self {
        match self {
            Self::Accounts(ids) => Self::Told(ids.len()),
            other => other.clone(),
        }
    }

    /// Reads what [`Audience::to_text`] made.
    pub fn from_text(text: &str) -> Option<Self> {
        if text == EVERYBODY {
            return Some(Self::Everybody);
        }
        if let Some(moment) = text.strip_prefix(REGISTERED_BEFORE) {
            return moment
                .parse()
                .ok()
                .map(Timestamp)
                .map(Self::RegisteredBefore);
        }
        if let Some(count) = text.strip_prefix(TOLD) {
            return count.parse().ok().map(Self::Told);
        }
        let ids = text.as_bytes().chunks(ID_LENGTH);
        ids.map(|id| Uuid::try_parse_ascii(id).ok())
            .collect::<Option<_>>()
            .map(Self::Accounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_read_as_it_was_written() {
        let ids = vec![Uuid::from_u128(7), Uuid::from_u128(3), Uuid::from_u128(7)];
        let accounts = Audience::accounts(ids);
        assert_eq!(
            accounts,
            Audience::Accounts(vec![Uuid::from_u128(3), Uuid::from_u128(7)])
        );
        assert_eq!(accounts.when_told(), Audience::Told(2));
        for audience in [
            Audience::Everybody,
            Audience::RegisteredBefore(Timestamp(1_700_000_000_000)),
            accounts,
            Audience::Accounts(Vec::new()),
            Audience::Told(2),
        ] {
            assert_eq!(Audience::from_text(&audience.to_text()), Some(audience));
        }
        assert_eq!(Audience::from_text("somebody"), None);
    }
}
