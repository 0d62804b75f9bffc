//! This function's part of the OpenAPI document.

use shared::profile::{Gender, Region};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(
    routes::location::read,
    routes::location::set,
    routes::location::forget,
    routes::people::list,
    routes::city::list
))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Someone nearby. A hidden field is null, like one that was never given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct PersonNearby {
    #[schema(inline)]
    #[serde(flatten)]
    person: PersonInCity,
    /// The distance in metres, between cells of about 500 m: at most this, and more than the step before.
    #[schema(example = 2000)]
    within: u32,
}

/// Someone in a city. A hidden field is null, like one that was never given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct PersonInCity {
    /// The account.
    id: Uuid,
    avatar: String,
    gender: Gender,
    real_name: String,
    company: String,
    job_title: String,
    motto: Option<String>,
    /// The city of residence.
    city: Option<Region>,
    /// Industries followed.
    industries: Option<Vec<String>>,
}
