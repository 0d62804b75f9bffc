//! A search for people nearby: which cells a page looks at, and where the next one goes on.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;
use shared::crypto::Key;
use shared::time::Timestamp;
use uuid::Uuid;

use crate::cell::Cell;
use crate::cover::{Ring, cover};

/// How many ranges one statement takes.
pub const RANGES: usize = 24;
/// For how long a search can be gone on with.
const VALID_FOR: Duration = Duration::from_secs(15 * 60);

/// A range of cell numbers to look at, for one ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first cell's number.
    pub low: i64,
    /// The last cell's number.
    pub high: i64,
    /// What of it counts.
    pub ring: Ring,
}

/// A place in the order of a search: by step, then by cell, then by account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The step.
    pub step: i64,
    /// The cell's number.
    pub cell: i64,
    /// The account.
    pub account_id: Uuid,
}

/// A search, as far as it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// From where.
    pub origin: Cell,
    /// When it began: who has moved since is left out, so that nobody comes twice.
    pub began_at: Timestamp,
    /// The last place that was looked at.
    pub last: Option<Place>,
}

impl Search {
    /// What is still to be looked at up to `radius` (one of the steps), in order: at most [`RANGES`] ranges.
    /// If the first is a single cell and the search has a last place in it, only what follows that counts.
    pub fn ranges(&self, radius: i64) -> Vec<Range> {
        let from = self.last.map_or(0, |last| last.step);
        let rings: Vec<_> = Ring::within(radius)
            .filter(|ring| ring.step >= from)
            .collect();
        // One more for the rest of the last cell.
        let each = (RANGES - 1) / rings.len().max(1);
        let mut ranges = Vec::new();
        let covers = cover(self.origin, &rings, each);
        for (ring, cover) in rings.into_iter().zip(covers) {
            match self.last.filter(|last| last.step == ring.step) {
                Some(last) => ranges.extend(rest(&cover, last.cell, ring)),
                None => {
                    ranges.extend(
                        cover
                            .into_iter()
                            .map(|(low, high)| Range { low, high, ring }),
                    )
                }
            }
        }
        ranges
    }

    /// The account after which the first range begins: empty if it begins with everybody.
    pub fn after(&self) -> String {
        self.last
            .map_or_else(String::new, |last| last.account_id.to_string())
    }

    /// As a cursor, which tells nothing to its holder and serves nobody else, nor another question: `asked`
    /// says who asked for what.
    pub fn seal(&self, key: &Key, asked: &str, rng: &mut impl CryptoRng) -> Option<String> {
        let last = self.last?;
        let mut plain = Vec::new();
        for number in [
            self.origin.number(),
            self.began_at.as_millis(),
            last.step,
            last.cell,
        ] {
            plain.extend(number.to_be_bytes());
        }
        plain.extend(last.account_id.as_bytes());
        Some(URL_SAFE_NO_PAD.encode(key.seal(asked, &plain, rng)))
    }

    /// The search that a cursor goes on with; `None` if it is none of ours, of another question, or too old.
    pub fn open(cursor: &str, key: &Key, asked: &str, now: Timestamp) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let plain = key.open(asked, &sealed).ok()?;
        let (numbers, account_id) = plain.split_at_checked(32)?;
        let mut numbers = numbers
            .chunks_exact(8)
            .map(|bytes| i64::from_be_bytes(bytes.try_into().expect("eight bytes")));
        let search = Self {
            origin: Cell::from_number(numbers.next()?)?,
            began_at: Timestamp(numbers.next()?),
            last: Some(Place {
                step: numbers.next()?,
                cell: numbers.next()?,
                account_id: Uuid::from_slice(account_id).ok()?,
            }),
        };
        (search.began_at.plus(VALID_FOR) > now).then_some(search)
    }
}

/// What of a ring's cover comes after its cell `last`, and before it that cell by itself, which others may be
/// in.
fn rest(cover: &[(i64, i64)], last: i64, ring: Ring) -> Vec<Range> {
    let mut rest = vec![Range {
        low: last,
        high: last,
        ring,
    }];
    let following = cover.iter().filter(|(_, high)| *high > last);
    rest.extend(following.map(|(low, high)| Range {
        low: (*low).max(last + 1),
        high: *high,
        ring,
    }));
    rest
}

#[cfg(test)]
mod tests {
    use shared::random;

    use super::*;
    use crate::cover::STEPS;
    use crate::position::Position;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn search() -> Search {
        Search {
            origin: Cell::around(Position {
                lat: 24.48,
                lng: 118.09,
            }),
            began_at: NOW,
            last: None,
        }
    }

    #[test]
    fn ranges_come_by_ring_and_by_number_and_fit_into_the_statement() {
        for radius in STEPS {
            let ranges = search().ranges(radius);
            assert!(!ranges.is_empty() && ranges.len() < RANGES);
            let order = |range: &Range| (range.ring.step, range.low);
            assert!(ranges.is_sorted_by(|a, b| order(a) < order(b)), "{radius}");
        }
    }

    #[test]
    fn after_a_place_come_the_rest_of_its_cell_and_what_follows() {
        let all = search().ranges(5000);
        let within = all[all.len() / 2];
        let (cell, ring) = (within.low, within.ring);
        let last = Place {
            step: ring.step,
            cell,
            account_id: Uuid::nil(),
        };
        let rest = Search {
            last: Some(last),
            ..search()
        };
        let rest = rest.ranges(5000);
        assert!(rest.len() <= RANGES);
        assert_eq!(
            (rest[0].low, rest[0].high, rest[0].ring),
            (cell, cell, ring)
        );
        assert!(
            rest[1..]
                .iter()
                .all(|range| range.ring.step > ring.step || range.low > cell)
        );
        // What is looked at afterwards is what was to be looked at, without what has been.
        let covers = |ranges: &[Range], step: i64, cell: i64| {
            let holds = |range: &&Range| {
                range.ring.step == step && (range.low..=range.high).contains(&cell)
            };
            ranges.iter().find(holds).is_some()
        };
        for range in all
            .iter()
            .filter(|range| (range.ring.step, range.low) > (ring.step, cell))
        {
            assert!(covers(&rest, range.ring.step, range.low));
        }
    }

    #[test]
    fn a_cursor_opens_for_the_same_question_alone_and_not_for_long() {
        let (mut rng, key) = (random::host(), Key::generate(&mut random::host()));
        assert_eq!(search().seal(&key, "q", &mut rng), None);
        let search = Search {
            last: Some(Place {
                step: 2000,
                cell: -7,
                account_id: Uuid::from_u128(7),
            }),
            ..search()
        };
        let cursor = search.seal(&key, "q", &mut rng).unwrap();
        let open = |cursor: &str, asked, now| Search::open(cursor, &key, asked, now);
        assert_eq!(open(&cursor, "q", NOW), Some(search));
        assert_eq!(open(&cursor, "r", NOW), None);
        assert_eq!(open(&cursor[1..], "q", NOW), None);
        assert_eq!(open("", "q", NOW), None);
        assert_eq!(open(&cursor, "q", NOW.plus(VALID_FOR)), None);
    }
}
