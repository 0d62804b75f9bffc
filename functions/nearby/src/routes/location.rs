//! `/v1/location`: where I am, as far as others may use it (clauses E4, E20).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json, Problem, ProblemBody, Violation};
use shared::log::Level;
use shared::rate_limit::{self, Limit};
use shared::session::AnySession;
use shared::time::Timestamp;
use shared::variables;
use utoipa::ToSchema;

use crate::asker::Asker;
use crate::cell::Cell;
use crate::error::Error;
use crate::location::{self, Given, Location, Moved, Rules};
use crate::position::Position;

/// A position is not taken with less accuracy, in metres.
const MAX_ACCURACY: f64 = 20_000.0;

/// A position.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationUpdate {
    /// Latitude in degrees.
    #[schema(minimum = -90, maximum = 90, example = 39.90872)]
    lat: f64,
    /// Longitude in degrees.
    #[schema(minimum = -180, maximum = 180, example = 116.39748)]
    lng: f64,
    /// How far the position can be off, in metres.
    #[schema(minimum = 0, maximum = 20000, example = 30)]
    accuracy_m: f64,
    coordinate_system: CoordinateSystem,
    /// Whether to look without being seen. If absent it stays as it is, and at first others see one.
    hidden: Option<bool>,
}

/// How the coordinates are meant.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CoordinateSystem {
    /// What satellites give: Android's own locations, iOS outside of China.
    Wgs84,
    /// What AMap gives.
    Gcj02,
}

/// A point.
#[derive(Serialize, ToSchema)]
pub struct Coordinates {
    #[schema(example = 39.90872)]
    lat: f64,
    #[schema(example = 116.39748)]
    lng: f64,
}

impl Coordinates {
    /// To the metre: the cell's centre needs no more.
    fn rounded(lat: f64, lng: f64) -> Self {
        let round = |degrees: f64| (degrees * 1e5).round() / 1e5;
        Self {
            lat: round(lat),
            lng: round(lng),
        }
    }
}

/// What is kept of one's location: a cell of about 500 m, by its centre.
#[derive(Serialize, ToSchema)]
#[schema(as = Location)]
pub struct LocationView {
    /// The cell's centre for a satellite receiver.
    wgs84: Coordinates,
    /// The cell's centre for AMap.
    gcj02: Coordinates,
    /// Whether nobody else is shown it.
    hidden: bool,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it is forgotten.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<Location> for LocationView {
    fn from(location: Location) -> Self {
        let centre = location.cell.position();
        let (lat, lng) = centre.to_gcj02();
        Self {
            wgs84: Coordinates::rounded(centre.lat, centre.lng),
            gcj02: Coordinates::rounded(lat, lng),
            hidden: location.is_hidden,
            updated_at: location.updated_at,
            expires_at: location.expires_at,
        }
    }
}

/// Read my location
///
/// Not the position that was given, which is not kept.
#[utoipa::path(get, path = "/v1/location", tag = "nearby", security(("session" = [])),
    responses(
        (status = 200, body = LocationView),
        (status = 403, description = "`consent-required`, with the `purpose` and the `version`; \
            `profile-incomplete`, with the `missing` fields",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`location-missing`: not given, or expired",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(_: &Context, asker: Asker) -> Result<Answer, Error> {
    let location = asker
        .location
        .ok_or(Error::LocationMissing(StatusCode::NOT_FOUND))?;
    Ok(Answer::ok(&LocationView::from(location)))
}

/// Give my location
///
/// It replaces the one before, and is forgotten after a day. Only the cell of about 500 m is kept in which
/// the position lies.
#[utoipa::path(put, path = "/v1/location", tag = "nearby", security(("session" = [])),
    request_body = LocationUpdate,
    responses(
        (status = 200, body = LocationView),
        (status = 403, description = "`consent-required`, with the `purpose` and the `version`; \
            `profile-incomplete`, with the `missing` fields",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate-limited`; `location-too-fast`: nobody moves like that",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn set(
    cx: &Context,
    asker: Asker,
    Json(update): Json<LocationUpdate>,
) -> Result<Answer, Error> {
    let given = read_update(&update).map_err(Error::Invalid)?;
    let rules = Rules::configured()?;
    let account = asker.account_id;
    let subject = account.as_bytes();
    let allowed = variables::parsed("location_updates_per_hour")?;
    let _spent = rate_limit::take(cx, [Limit::per_hour("location-update", subject, allowed)])?;
    // Around again only if another request of the same person came in between.
    for _ in 0..3 {
        match location::advance(cx, account, &given, &rules)? {
            Moved::Done(location) | Moved::Overtaken(location) => {
                return Ok(Answer::ok(&LocationView::from(location)));
            }
            Moved::TooFast { possible_at } => {
                cx.log(Level::Warning, "location-too-fast", &[]);
                return Err(Error::TooFast { possible_at });
            }
            Moved::Raced => continue,
            Moved::Missing => {}
        }
        // Who forgets a location and places another goes around the limit of speed.
        let allowed = variables::parsed("location_placements_per_day")?;
        let limit = Limit::per_day("location-placement", subject, allowed);
        let _spent = rate_limit::take(cx, [limit])?;
        if let Some(location) = location::place(cx, account, &given, &rules)? {
            return Ok(Answer::ok(&LocationView::from(location)));
        }
    }
    Err(Problem::unavailable().into())
}

/// Forget my location
///
/// Others do not see one from this moment. Open also to who has not agreed to the policy's last major version, and to
/// who is about to leave.
#[utoipa::path(delete, path = "/v1/location", tag = "nearby", security(("session" = [])),
    responses((status = 204, description = "there is none any more")))]
pub fn forget(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Error> {
    location::forget(cx, session.account_id)?;
    Ok(Answer::no_content())
}

fn read_update(update: &LocationUpdate) -> Result<Given, Vec<Violation>> {
    let ranges = [
        ("lat", update.lat, -90.0..=90.0),
        ("lng", update.lng, -180.0..=180.0),
        ("accuracy_m", update.accuracy_m, 0.0..=MAX_ACCURACY),
    ];
    let outside = ranges
        .iter()
        .filter(|(_, value, range)| !range.contains(value));
    let violations: Vec<_> = outside
        .map(|(name, ..)| Violation::new(*name, "range"))
        .collect();
    if !violations.is_empty() {
        return Err(violations);
    }
    let (lat, lng) = (update.lat, update.lng);
    let position = match update.coordinate_system {
        CoordinateSystem::Wgs84 => Position { lat, lng },
        CoordinateSystem::Gcj02 => Position::from_gcj02(lat, lng),
    };
    Ok(Given {
        cell: Cell::around(position),
        accuracy: update.accuracy_m as i64,
        is_hidden: update.hidden,
    })
}
