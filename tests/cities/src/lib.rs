//! Where people live in China: positions clustered like its cities, the same at every run.

use std::f64::consts::TAU;

/// A city.
#[derive(Clone, Debug)]
pub struct City {
    /// Its name.
    pub name: &'static str,
    /// The centre's latitude in degrees (WGS-84).
    pub lat: f64,
    /// The centre's longitude in degrees (WGS-84).
    pub lng: f64,
    /// How many people live there.
    pub population: f64,
}

/// The largest cities, the largest first; see `README.md` for the source.
pub fn cities() -> Vec<City> {
    include_str!("../cities.tsv").lines().map(city).collect()
}

fn city(line: &'static str) -> City {
    let mut columns = line.split('\t');
    let mut column = || columns.next().expect("a column");
    let name = column();
    let mut number = || column().parse().expect("a number");
    City {
        name,
        lat: number(),
        lng: number(),
        population: number(),
    }
}

/// Draws positions: a city by its population, and a place around its centre.
#[derive(Debug)]
pub struct Sampler {
    /// Each city with the share of the people in it and in those before it.
    cities: Vec<(f64, City)>,
    random: fastrand::Rng,
}

impl Sampler {
    /// A sampler that draws the same positions for the same seed.
    pub fn new(seed: u64) -> Self {
        let cities = cities();
        let whole: f64 = cities.iter().map(|city| city.population).sum();
        let shares = cities.into_iter().scan(0.0, |sum, city| {
            *sum += city.population / whole;
            Some((*sum, city))
        });
        Self {
            cities: shares.collect(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// The next position: latitude and longitude in degrees (WGS-84).
    pub fn position(&mut self) -> (f64, f64) {
        let share = self.random.f64();
        let at = self.cities.partition_point(|(sum, _)| *sum < share);
        let city = self.cities[at.min(self.cities.len() - 1)].1.clone();
        // Cities grow outwards too: 3 km for a hundred thousand people, 12 km for twenty-five million.
        let spread = 3.0 * (city.population / 100_000.0).powf(0.25);
        let distance = spread * (-2.0 * (1.0 - self.random.f64()).ln()).sqrt();
        let (east, north) = (self.random.f64() * TAU).sin_cos();
        let degrees = distance / 111.2;
        let lat = city.lat + north * degrees;
        (lat, city.lng + east * degrees / lat.to_radians().cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cities_are_where_they_are() {
        let cities = cities();
        assert_eq!(cities.len(), 340);
        assert_eq!(cities[0].name, "Shanghai");
        assert!(cities.is_sorted_by(|a, b| a.population >= b.population));
        let is_in_china =
            |city: &City| (18.0..54.0).contains(&city.lat) && (73.0..135.0).contains(&city.lng);
        assert!(cities.iter().all(is_in_china));
    }

    #[test]
    fn a_seed_gives_the_same_positions_near_cities() {
        let (mut one, mut other) = (Sampler::new(7), Sampler::new(7));
        let cities = cities();
        for _ in 0..1000 {
            let (lat, lng) = one.position();
            assert_eq!((lat, lng), other.position());
            let near = |city: &City| {
                let east = (city.lng - lng) * lat.to_radians().cos();
                (city.lat - lat).hypot(east) * 111.2 < 60.0
            };
            assert!(cities.iter().any(near), "{lat} {lng}");
        }
    }
}
