//! Which cells to look at: the rings around a cell, each as a few ranges of cell numbers.

use crate::cell::{Block, Cell, Centre};

/// The steps in which distances are answered, in metres (clause E20). What lies beyond the last is not
/// nearby.
pub const STEPS: [i64; 7] = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000];

/// What belongs to one step: the cells at a distance of more than the step before and at most this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// The step in metres.
    pub step: i64,
    /// The least squared distance in it.
    pub nearest: i64,
    /// The largest squared distance in it.
    pub farthest: i64,
}

impl Ring {
    /// The rings of all steps up to `radius`, the nearest first.
    pub fn within(radius: i64) -> impl Iterator<Item = Self> {
        let before = std::iter::once(None).chain(STEPS.map(Some));
        STEPS
            .into_iter()
            .zip(before)
            .filter(move |(step, _)| *step <= radius)
            .map(|(step, before)| Self {
                step,
                nearest: before.map_or(0, |before| before * before + 1),
                farthest: step * step,
            })
    }

    fn holds(&self, squared_distance: i64) -> bool {
        (self.nearest..=self.farthest).contains(&squared_distance)
    }
}

/// For each ring around `origin`, at most `most` ranges that hold every cell of it, in ascending order, apart
/// from each other. They may hold others too.
pub fn cover(origin: Cell, rings: &[Ring], most: usize) -> Vec<Vec<(i64, i64)>> {
    let mut cover = Cover {
        origin: origin.centre(),
        rings,
        ranges: vec![Vec::new(); rings.len()],
    };
    for block in Block::sphere() {
        cover.add(block, &vec![true; rings.len()]);
    }
    let merged = cover.ranges.into_iter().map(|mut ranges| {
        ranges.sort_unstable();
        merge(&ranges, most)
    });
    merged.collect()
}

struct Cover<'a> {
    origin: Centre,
    rings: &'a [Ring],
    ranges: Vec<Vec<(i64, i64)>>,
}

impl Cover<'_> {
    /// Adds what of `block` is needed for those rings that are `open`: not covered by a larger block.
    fn add(&mut self, block: Block, open: &[bool]) {
        let squared = self.origin.squared_distance(block.centre());
        let Some(quarters) = block.quarters() else {
            let rings = self.rings.iter().zip(open).zip(&mut self.ranges);
            for ((ring, is_open), ranges) in rings {
                if *is_open && ring.holds(squared) {
                    ranges.push(block.numbers());
                }
            }
            return;
        };
        let (distance, reach) = ((squared as f64).sqrt(), block.reach());
        let mut still_open = open.to_vec();
        for ((ring, is_open), ranges) in
            self.rings.iter().zip(&mut still_open).zip(&mut self.ranges)
        {
            let (inner, outer) = ((ring.nearest as f64).sqrt(), ring.step as f64);
            let is_touched = distance - reach <= outer && distance + reach >= inner;
            let is_inside = distance - reach >= inner && distance + reach <= outer;
            // Finer blocks at the edges would only be merged again.
            let is_fine = reach * 4.0 <= outer;
            if *is_open && is_touched && (is_inside || is_fine) {
                ranges.push(block.numbers());
            }
            *is_open &= is_touched && !is_inside && !is_fine;
        }
        if still_open.contains(&true) {
            for quarter in quarters {
                self.add(quarter, &still_open);
            }
        }
    }
}

/// How far the numbers of two cells are apart that follow each other on the curve: twice the lowest bit that
/// is set in each, at S2's level 14 of 30.
const NEIGHBOURS: u64 = 2 << (2 * (30 - 14));

/// Closes the smallest gaps until there are at most `most` ranges.
fn merge(ranges: &[(i64, i64)], most: usize) -> Vec<(i64, i64)> {
    let gap = |pair: &[(i64, i64)]| pair[1].0.abs_diff(pair[0].1);
    let mut gaps: Vec<u64> = ranges.windows(2).map(gap).collect();
    gaps.sort_unstable_by(|a, b| b.cmp(a));
    let closed = gaps.get(most.saturating_sub(1)).copied();
    let closed = closed.map_or(NEIGHBOURS, |gap| gap.max(NEIGHBOURS));
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.0.abs_diff(last.1) <= closed => last.1 = range.1,
            _ => merged.push(*range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::position::Position;

    fn cell(lat: f64, lng: f64) -> Cell {
        Cell::around(Position { lat, lng })
    }

    fn is_in(ranges: &[(i64, i64)], cell: Cell) -> bool {
        let number = cell.number();
        ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&number))
    }

    #[test]
    fn the_first_ring_of_one_is_its_own_cell() {
        let origin = cell(24.48, 118.09);
        let first = Ring::within(500).next().unwrap();
        let number = origin.number();
        assert_eq!(cover(origin, &[first], 4), [[(number, number)]]);
    }

    #[test]
    fn every_step_is_a_ring_and_they_follow_each_other() {
        let rings: Vec<_> = Ring::within(50_000).collect();
        assert_eq!(
            rings.iter().map(|ring| ring.step).collect::<Vec<_>>(),
            STEPS
        );
        assert_eq!(rings[0].nearest, 0);
        for pair in rings.windows(2) {
            assert_eq!(pair[0].farthest + 1, pair[1].nearest);
        }
        assert_eq!(Ring::within(2000).count(), 3);
    }

    proptest! {
        // Anywhere on Earth, the poles and the antimeridian included: `up` and `round` name a point of the
        // sphere, and the other is a little to the side of it.
        #[test]
        fn a_cell_of_a_ring_is_in_its_cover(
            up in -1.0..=1.0f64, round in -180.0..=180.0f64,
            north in -0.5..0.5f64, east in -0.5..0.5f64, most in 1usize..12,
        ) {
            let lat = up.asin().to_degrees();
            let origin = cell(lat, round);
            let aside = (lat + north).clamp(-90.0, 90.0);
            let other = cell(aside, round + east / aside.to_radians().cos().max(0.01));
            let squared = origin.centre().squared_distance(other.centre());
            let rings: Vec<_> = Ring::within(50_000).collect();
            for (ring, cover) in rings.iter().zip(cover(origin, &rings, most)) {
                prop_assert!(cover.len() <= most);
                prop_assert!(cover.iter().all(|(low, high)| low <= high));
                prop_assert!(cover.windows(2).all(|pair| pair[0].1 < pair[1].0));
                if ring.holds(squared) {
                    prop_assert!(is_in(&cover, other), "{ring:?}");
                }
            }
        }
    }
}
