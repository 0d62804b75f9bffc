//! The session cache in the key-value store. It is direct-mapped: a token's hash names one of
//! `session_cache_slots` slots, whose entry may be another session's. So the number of keys is bounded,
//! whoever comes. An entry older than [`FRESH_FOR`] counts for nothing: the database is the truth.

use std::time::Duration;

use uuid::Uuid;

use super::TokenHash;
use crate::http::{Context, Problem};
use crate::log::Level;
use crate::time::Timestamp;
use crate::variables;

/// How long an ended session can live on where the store agrees with itself late.
const FRESH_FOR: Duration = Duration::from_secs(60);

/// What the guard needs to know of a session.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) token_hash: TokenHash,
    pub(super) session_id: Uuid,
    pub(super) account_id: Uuid,
    /// Milliseconds since 1970.
    pub(super) checked_at: i64,
    /// Milliseconds since 1970.
    pub(super) expires_at: i64,
    pub(super) policy_version: String,
    pub(super) major_version: String,
}

impl Entry {
    /// The entry as it is stored: its members one after the other, the texts last with a line between them. It is
    /// read at every request, so it is not JSON.
    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.token_hash[..],
            self.session_id.as_bytes(),
            self.account_id.as_bytes(),
            &self.checked_at.to_be_bytes(),
            &self.expires_at.to_be_bytes(),
            self.policy_version.as_bytes(),
            b"\n",
            self.major_version.as_bytes(),
        ]
        .concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (token_hash, rest) = bytes.split_first_chunk()?;
        let (session_id, rest) = rest.split_first_chunk()?;
        let (account_id, rest) = rest.split_first_chunk()?;
        let (checked_at, rest) = rest.split_first_chunk()?;
        let (expires_at, rest) = rest.split_first_chunk()?;
        let (policy_version, major_version) = std::str::from_utf8(rest).ok()?.split_once('\n')?;
        Some(Self {
            token_hash: *token_hash,
            session_id: Uuid::from_bytes(*session_id),
            account_id: Uuid::from_bytes(*account_id),
            checked_at: i64::from_be_bytes(*checked_at),
            expires_at: i64::from_be_bytes(*expires_at),
            policy_version: policy_version.to_owned(),
            major_version: major_version.to_owned(),
        })
    }

    /// Whether it can be relied on now, for this token.
    fn holds(&self, token_hash: &TokenHash, now: Timestamp) -> bool {
        let checked = Timestamp(self.checked_at);
        self.token_hash == *token_hash
            && checked <= now
            && now < checked.plus(FRESH_FOR)
            && now < Timestamp(self.expires_at)
    }
}

/// The cached session of this token, if there is a fresh one. A store that fails is a miss.
pub(super) fn get(cx: &Context, token_hash: &TokenHash) -> Result<Option<Entry>, Problem> {
    let key = slot(token_hash)?;
    let value = cx.key_value().and_then(|store| store.get(&key));
    let entry = value
        .ok()
        .flatten()
        .and_then(|value| Entry::from_bytes(&value))
        .filter(|entry| entry.holds(token_hash, cx.now()));
    Ok(entry)
}

/// Caches a session that the database has just confirmed; whether that worked.
pub(super) fn put(cx: &Context, entry: &Entry) -> Result<bool, Problem> {
    let key = slot(&entry.token_hash)?;
    let stored = cx
        .key_value()
        .and_then(|store| store.set(&key, &entry.to_bytes()))
        .is_ok();
    Ok(stored)
}

/// Forgets sessions that the database has just ended, so that they end at once. To be called after the
/// rows are gone.
///
/// # Errors
/// The variables are unusable. A store that fails is logged: its entries count for nothing a minute
/// later.
pub fn forget(cx: &Context, ended: &[TokenHash]) -> Result<(), Problem> {
    for token_hash in ended {
        let key = slot(token_hash)?;
        if cx.key_value().and_then(|store| store.delete(&key)).is_err() {
            cx.log(Level::Warning, "session-cache-unavailable", &[]);
        }
    }
    Ok(())
}

fn slot(token_hash: &TokenHash) -> Result<String, Problem> {
    const VARIABLE: &str = "session_cache_slots";
    let slots: u32 = variables::parsed(VARIABLE)?;
    let [a, b, c, d, ..] = *token_hash;
    let slot = u32::from_be_bytes([a, b, c, d])
        .checked_rem(slots)
        .ok_or(variables::Misconfigured { variable: VARIABLE })?;
    Ok(format!("session:{slot}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKED: i64 = 1_000_000;

    fn entry() -> Entry {
        Entry {
            token_hash: [7; 32],
            session_id: Uuid::nil(),
            account_id: Uuid::nil(),
            checked_at: CHECKED,
            expires_at: CHECKED + 90_000,
            policy_version: "2023-10-25".into(),
            major_version: "2023-10-25".into(),
        }
    }

    #[test]
    fn an_entry_holds_for_a_minute_for_its_own_token() {
        let holds = |token: u8, now| entry().holds(&[token; 32], Timestamp(now));
        assert!(holds(7, CHECKED));
        assert!(holds(7, CHECKED + 59_999));
        assert!(!holds(7, CHECKED + 60_000));
        assert!(!holds(7, CHECKED - 1), "a clock set back proves nothing");
        assert!(!holds(8, CHECKED));
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let bytes = entry().to_bytes();
        assert_eq!(Entry::from_bytes(&bytes), Some(entry()));
        assert_eq!(Entry::from_bytes(&bytes[..79]), None);
        assert_eq!(Entry::from_bytes(&[]), None);
    }

    #[test]
    fn an_entry_does_not_outlive_its_session() {
        let entry = Entry {
            expires_at: CHECKED + 10,
            ..entry()
        };
        assert!(entry.holds(&[7; 32], Timestamp(CHECKED + 9)));
        assert!(!entry.holds(&[7; 32], Timestamp(CHECKED + 10)));
    }
}
