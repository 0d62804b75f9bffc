//! The grid: all that is kept of a position is the cell that it lies in.
//!
//! Cells are S2's of level 14, about 560 m wide anywhere on Earth (areas from 0.19 to 0.40 km²). Their
//! identifiers follow a space-filling curve, so that what lies together is mostly numbered together.
//! <https://s2geometry.io/resources/s2cell_statistics>, <https://s2geometry.io/devguide/s2cell_hierarchy>

use s2::cellid::CellID;
use s2::latlng::LatLng;
use s2::point::Point;

use crate::position::Position;

/// S2's level.
const LEVEL: u64 = 14;
/// The Earth's mean radius in metres, as S2 takes it.
const EARTH_RADIUS: f64 = 6_371_010.0;

/// A cell of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell(CellID);

impl Cell {
    /// The cell around a position.
    pub fn around(position: Position) -> Self {
        let leaf = CellID::from(LatLng::from_degrees(position.lat, position.lng));
        Self(leaf.parent(LEVEL))
    }

    /// The cell of a stored number; `None` if there is no such cell.
    pub fn from_number(number: i64) -> Option<Self> {
        let id = CellID(number.cast_unsigned());
        (id.is_valid() && id.level() == LEVEL).then_some(Self(id))
    }

    /// The number under which it is stored, and by which cells are ordered: S2's identifier.
    pub fn number(self) -> i64 {
        self.0.0.cast_signed()
    }

    /// Where its centre is.
    pub fn position(self) -> Position {
        let centre = LatLng::from(self.0);
        Position {
            lat: centre.lat.deg(),
            lng: centre.lng.deg(),
        }
    }

    /// Its centre from the Earth's, in whole metres.
    pub fn centre(self) -> Centre {
        centre(self.0)
    }
}

/// A cell's centre: metres from the Earth's, on a sphere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Centre {
    /// Towards 0° N 0° E.
    pub x: i64,
    /// Towards 0° N 90° E.
    pub y: i64,
    /// Towards the north pole.
    pub z: i64,
}

impl Centre {
    /// The square of the straight distance in metres: at 50 km it is 13 cm short of the way over the ground.
    pub fn squared_distance(self, other: Self) -> i64 {
        let square = |a: i64, b: i64| (a - b) * (a - b);
        square(self.x, other.x) + square(self.y, other.y) + square(self.z, other.z)
    }
}

fn centre(id: CellID) -> Centre {
    let metres = |unit: f64| (unit * EARTH_RADIUS).round() as i64;
    let point = Point::from(id).0;
    Centre {
        x: metres(point.x),
        y: metres(point.y),
        z: metres(point.z),
    }
}

/// A part of the sphere that is numbered without gaps: a cell of the grid, or a larger one that is made of
/// such.
#[derive(Clone, Copy, Debug)]
pub struct Block(CellID);

impl Block {
    /// The six that make up the sphere.
    pub fn sphere() -> impl Iterator<Item = Self> {
        (0..6).map(|face| Self(CellID::from_face(face)))
    }

    /// The four that make it up; `None` if it is one cell of the grid.
    pub fn quarters(self) -> Option<[Self; 4]> {
        (self.0.level() < LEVEL).then(|| self.0.children().map(Self))
    }

    /// Its centre.
    pub fn centre(self) -> Centre {
        centre(self.0)
    }

    /// No point of it is farther from its centre, in metres.
    pub fn reach(self) -> f64 {
        // Half of the longest diagonal that S2 states for a level, and the rounding of the centre.
        const HALF_DIAGONAL: f64 = 2.438_654_594_434_021 / 2.0;
        HALF_DIAGONAL * EARTH_RADIUS / (1u64 << self.0.level()) as f64 + 2.0
    }

    /// The numbers of the first and the last cell in it.
    pub fn numbers(self) -> (i64, i64) {
        let first = self.0.child_begin_at_level(LEVEL);
        let last = self.0.child_end_at_level(LEVEL).prev();
        (first.0.cast_signed(), last.0.cast_signed())
    }
}
