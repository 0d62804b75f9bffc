//! This function's part of the OpenAPI document. The shapes are described here: profiles are read and
//! written field by field, after one table of rules, not through types of their own.

use shared::profile::{Gender, Region};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::routes;

#[derive(OpenApi)]
#[openapi(paths(routes::own::read, routes::own::update, routes::others::read))]
struct Document;

/// The routes' documentation, and the types that they name.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Of each optional field, whether others see it. Fields are shown unless hidden.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct Visibility {
    motto: Option<bool>,
    about: Option<bool>,
    offers: Option<bool>,
    needs: Option<bool>,
    birthday: Option<bool>,
    hometown: Option<bool>,
    city: Option<bool>,
    hobbies: Option<bool>,
    industries: Option<bool>,
    education: Option<bool>,
}

/// One's own profile.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct OwnProfile {
    #[schema(inline)]
    #[serde(flatten)]
    fields: PublicProfile,
    visibility: Visibility,
    /// 0 to 100: ten for each of the five required fields, five for each of the ten optional ones.
    #[schema(minimum = 0, maximum = 100)]
    completeness: u8,
    /// Which of the five required fields (avatar, gender, real_name, company, job_title) are not there.
    missing: Vec<String>,
}

/// What others see of a profile. A hidden field is null, like one that was never given.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct PublicProfile {
    /// The account.
    id: Uuid,
    /// An https URL under a prefix that the service allows, or `upload:<id>`: see `/v1/uploads/{id}/link`.
    #[schema(max_length = 512)]
    avatar: Option<String>,
    gender: Option<Gender>,
    /// The real name, 1 to 30 characters.
    #[schema(max_length = 30)]
    real_name: Option<String>,
    /// The company, 1 to 60 characters.
    #[schema(max_length = 60)]
    company: Option<String>,
    /// The job title, 1 to 30 characters.
    #[schema(max_length = 30)]
    job_title: Option<String>,
    /// 1 to 60 characters.
    #[schema(max_length = 60)]
    motto: Option<String>,
    /// 1 to 1,000 characters; may have line breaks.
    #[schema(max_length = 1000)]
    about: Option<String>,
    /// What the person can give: 1 to 500 characters; may have line breaks.
    #[schema(max_length = 500)]
    offers: Option<String>,
    /// What the person looks for: 1 to 500 characters; may have line breaks.
    #[schema(max_length = 500)]
    needs: Option<String>,
    /// `YYYY-MM-DD`; at least 18 years ago.
    #[schema(format = Date)]
    birthday: Option<String>,
    /// The home town.
    hometown: Option<Region>,
    /// The city of residence.
    city: Option<Region>,
    /// At most 20, each of 1 to 20 characters.
    #[schema(max_items = 20)]
    hobbies: Option<Vec<String>>,
    /// Industries followed: at most 10, each of 1 to 20 characters.
    #[schema(max_items = 10)]
    industries: Option<Vec<String>>,
    /// 1 to 60 characters.
    #[schema(max_length = 60)]
    education: Option<String>,
}

/// A change to a profile (RFC 7396): what is absent stays, null clears. Text is kept in Unicode NFC, without
/// white space around it and without control characters.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it describes a shape")]
pub struct ProfilePatch {
    /// An https URL under a prefix that the service allows, or `upload:<id>`: see `/v1/uploads/{id}/link`.
    #[schema(max_length = 512)]
    avatar: Option<String>,
    gender: Option<Gender>,
    /// The real name, 1 to 30 characters.
    #[schema(max_length = 30)]
    real_name: Option<String>,
    /// The company, 1 to 60 characters.
    #[schema(max_length = 60)]
    company: Option<String>,
    /// The job title, 1 to 30 characters.
    #[schema(max_length = 30)]
    job_title: Option<String>,
    /// 1 to 60 characters.
    #[schema(max_length = 60)]
    motto: Option<String>,
    /// 1 to 1,000 characters; may have line breaks.
    #[schema(max_length = 1000)]
    about: Option<String>,
    /// What the person can give: 1 to 500 characters; may have line breaks.
    #[schema(max_length = 500)]
    offers: Option<String>,
    /// What the person looks for: 1 to 500 characters; may have line breaks.
    #[schema(max_length = 500)]
    needs: Option<String>,
    /// `YYYY-MM-DD`; at least 18 years ago.
    #[schema(format = Date)]
    birthday: Option<String>,
    /// The home town.
    /// A code of GB/T 2260, abolished ones included.
    hometown: Option<String>,
    /// The city of residence.
    /// A code of GB/T 2260 that is in use.
    city: Option<String>,
    /// At most 20, each of 1 to 20 characters.
    #[schema(max_items = 20)]
    hobbies: Option<Vec<String>>,
    /// Industries followed: at most 10, each of 1 to 20 characters.
    #[schema(max_items = 10)]
    industries: Option<Vec<String>>,
    /// 1 to 60 characters.
    #[schema(max_length = 60)]
    education: Option<String>,
    visibility: Option<Visibility>,
}
