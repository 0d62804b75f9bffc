//! Positions, and the two systems of coordinates in which they come.
//!
//! Android's own GPS gives WGS-84. AMap gives GCJ-02, which in mainland China, Hong Kong and Macao differs from
//! it by up to 700 m, and elsewhere not at all (clause V12). Positions are kept in WGS-84: it is the same
//! everywhere.
//!
//! The offset's formula is not published; everybody uses the one that became known, on Krasovsky's
//! ellipsoid. An official converter, whose example the test holds, differs from it by less than two metres.

use std::f64::consts::PI;

/// A point on Earth in WGS-84, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// From -90 to 90, north positive.
    pub lat: f64,
    /// From -180 to 180, east positive.
    pub lng: f64,
}

/// Where coordinates are offset, as boxes of south, west, north, east: China roughly, and what of its
/// neighbours and Taiwan lies in those boxes. Near the border a point may be taken for the other side's.
const OFFSET: [[f64; 4]; 6] = [
    [42.889_900, 79.446_200, 49.220_400, 96.330_000],
    [39.374_200, 109.687_200, 54.141_500, 135.000_200],
    [29.529_700, 73.124_600, 42.889_900, 124.143_255],
    [26.718_600, 82.968_400, 29.529_700, 97.035_200],
    [20.414_096, 97.025_300, 29.529_700, 124.367_395],
    [17.871_542, 107.975_793, 20.414_096, 111.744_104],
];
const NOT_OFFSET: [[f64; 4]; 6] = [
    [21.785_006, 119.921_265, 25.398_623, 122.497_559],
    [20.098_800, 101.865_200, 22.284_000, 106.665_000],
    [20.487_800, 106.452_500, 21.542_200, 108.051_000],
    [50.325_700, 109.032_300, 55.817_500, 119.127_000],
    [49.557_400, 127.456_800, 55.817_500, 137.022_700],
    [42.569_200, 131.266_200, 44.892_200, 137.022_700],
];

impl Position {
    /// The point that GCJ-02 calls so: within a centimetre of the one whose [`Position::to_gcj02`] it is.
    pub fn from_gcj02(lat: f64, lng: f64) -> Self {
        let given = Self { lat, lng };
        if !given.is_offset() {
            return given;
        }
        // The offset changes by less than a hundredth of a step, so each round gains two digits.
        let mut found = given;
        for _ in 0..6 {
            let (lat_offset, lng_offset) = found.offset();
            found = Self {
                lat: lat - lat_offset,
                lng: lng - lng_offset,
            };
        }
        found
    }

    /// The same point's latitude and longitude in GCJ-02.
    pub fn to_gcj02(self) -> (f64, f64) {
        if !self.is_offset() {
            return (self.lat, self.lng);
        }
        let (lat_offset, lng_offset) = self.offset();
        (self.lat + lat_offset, self.lng + lng_offset)
    }

    fn is_offset(self) -> bool {
        let is_in = |[south, west, north, east]: &[f64; 4]| {
            (*south..=*north).contains(&self.lat) && (*west..=*east).contains(&self.lng)
        };
        OFFSET.iter().any(is_in) && !NOT_OFFSET.iter().any(is_in)
    }

    /// GCJ-02's offset here, in degrees of latitude and longitude.
    fn offset(self) -> (f64, f64) {
        const SEMI_MAJOR_AXIS: f64 = 6_378_245.0;
        const SQUARED_ECCENTRICITY: f64 = 0.006_693_421_622_965_943;
        let (x, y) = (self.lng - 105.0, self.lat - 35.0);
        let wave = |at: f64, (amplitude, length): (f64, f64)| amplitude * (at * PI / length).sin();
        let waves =
            |at: f64, waves: [(f64, f64); 4]| waves.map(|each| wave(at, each)).iter().sum::<f64>();
        let common = wave(x, (20.0, 1.0 / 6.0)) + wave(x, (20.0, 0.5));
        let north_waves = waves(y, [(20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0)]);
        let east_waves = waves(x, [(20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0)]);
        let north = -100.0
            + 2.0 * x
            + 3.0 * y
            + 0.2 * y * y
            + 0.1 * x * y
            + 0.2 * x.abs().sqrt()
            + (common + north_waves) * 2.0 / 3.0;
        let east = 300.0
            + x
            + 2.0 * y
            + 0.1 * x * x
            + 0.1 * x * y
            + 0.1 * x.abs().sqrt()
            + (common + east_waves) * 2.0 / 3.0;
        let (sine, cosine) = self.lat.to_radians().sin_cos();
        let squeezed = 1.0 - SQUARED_ECCENTRICITY * sine * sine;
        let meridian = SEMI_MAJOR_AXIS * (1.0 - SQUARED_ECCENTRICITY) / squeezed.powf(1.5);
        let parallel = SEMI_MAJOR_AXIS * cosine / squeezed.sqrt();
        (
            (north / meridian).to_degrees(),
            (east / parallel).to_degrees(),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Metres between two pairs of coordinates that are near each other.
    fn metres(a: (f64, f64), b: (f64, f64)) -> f64 {
        let north = (a.0 - b.0) * 111_320.0;
        let east = (a.1 - b.1) * 111_320.0 * a.0.to_radians().cos();
        north.hypot(east)
    }

    // https://help.aliyun.com/zh/address-purification/addrpapi/developer-reference/coordinate-system-conversion
    #[test]
    fn agrees_with_an_official_converter() {
        let (wgs84, gcj02) = ((30.281_543, 120.021_519), (30.279_164, 120.026_268));
        let position = Position {
            lat: wgs84.0,
            lng: wgs84.1,
        };
        assert!(metres(position.to_gcj02(), gcj02) < 2.0);
        let found = Position::from_gcj02(gcj02.0, gcj02.1);
        assert!(metres((found.lat, found.lng), wgs84) < 2.0);
    }

    #[test]
    fn is_the_same_outside_china() {
        for (lat, lng) in [
            (35.681, 139.767), // Tokyo
            (25.034, 121.564), // Taipei
            (21.028, 105.834), // Hanoi
            (48.857, 2.352),   // Paris
            (-33.869, 151.209),
            (90.0, 0.0),
            (0.0, -180.0),
        ] {
            let position = Position { lat, lng };
            assert_eq!(position.to_gcj02(), (lat, lng));
            assert_eq!(Position::from_gcj02(lat, lng), position);
        }
    }

    proptest! {
        // clause V12
        #[test]
        fn there_and_back_is_the_same_place(lat in 18.0..53.5f64, lng in 73.5..134.8f64) {
            let position = Position { lat, lng };
            let (gcj_lat, gcj_lng) = position.to_gcj02();
            let is_near_an_edge = Position { lat: gcj_lat, lng: gcj_lng }.is_offset() != position.is_offset();
            prop_assume!(!is_near_an_edge);
            let back = Position::from_gcj02(gcj_lat, gcj_lng);
            prop_assert!(metres((back.lat, back.lng), (lat, lng)) < 0.01);
            prop_assert!(metres((gcj_lat, gcj_lng), (lat, lng)) < 1000.0);
        }
    }
}
