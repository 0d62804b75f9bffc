//! `/v1/coin-packages`: what can be bought (clause E15).

use serde::Serialize;
use shared::http::{Answer, Context, Problem};
use shared::session::Session;
use utoipa::ToSchema;

use crate::package::{self, Package};

/// The packages that there are.
#[derive(Serialize, ToSchema)]
pub struct Packages {
    items: Vec<Package>,
}

/// List the packages of coins
#[utoipa::path(get, path = "/v1/coin-packages", tag = "payment", security(("session" = [])),
    responses((status = 200, body = Packages)))]
pub fn list(_: &Context, _: Session) -> Result<Answer, Problem> {
    let items = package::packages()?;
    Ok(Answer::ok(&Packages { items }))
}
