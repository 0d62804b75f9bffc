//! `/v1/account/data`: everything that is held about the person (clause R1).

use serde::Serialize;
use serde_json::{Map, Value};
use shared::data_map::{Basis, Category, Holding, OnDeletion, Retention};
use shared::http::{Answer, Context, Problem};
use shared::session::AnySession;
use utoipa::ToSchema;

use crate::deletable::{Decision, decision};
use crate::holdings::{self, Unreadable};
use crate::person::Person;

/// How many rows are shown of each table.
pub const SHOWN: usize = 100;

/// Everything, by category.
#[derive(Serialize, ToSchema)]
pub struct HeldData {
    categories: Vec<HeldCategory>,
}

/// What a person asks for by one name.
#[derive(Serialize, ToSchema)]
pub struct HeldCategory {
    category: Category,
    /// Whether it can be deleted while the account stays, or all of it that is not needed:
    /// `DELETE /v1/account/data/{category}`.
    deletable: bool,
    /// On which basis it is needed, if it cannot.
    needed_on: Option<Basis>,
    holdings: Vec<Held>,
}

/// One table, or the files of uploads.
#[derive(Serialize, ToSchema)]
pub struct Held {
    #[schema(example = "profiles")]
    name: &'static str,
    /// Why it is held.
    purpose: &'static str,
    basis: Basis,
    retention: Retention,
    on_deletion: OnDeletion,
    /// The person's rows. Files are read by their links, and are in an export.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<Map<String, Value>>,
    /// Not null where there are other rows: what `GET /v1/account/data/{category}` takes as `after`.
    more: Option<String>,
    /// Values in these rows that cannot be read: they are null. Nearly always there is none.
    unreadable: Vec<Unreadable>,
}

/// See everything that is held about me
///
/// By category, with why, on which basis, for how long, and what deleting the account does with it. Of each table
/// the first 100 rows.
#[utoipa::path(get, path = "/v1/account/data", tag = "rights", security(("session" = [])),
    responses((status = 200, body = HeldData)))]
pub fn read(cx: &Context, AnySession(session): AnySession) -> Result<Answer, Problem> {
    let person = Person::load(cx, session.account_id)?;
    let categories = Category::ALL
        .iter()
        .map(|category| HeldCategory::new(cx, &person, *category, category.holdings(), ""));
    Ok(Answer::ok(&HeldData {
        categories: categories.collect::<Result<_, _>>()?,
    }))
}

impl HeldCategory {
    /// These holdings of a category, each from the row after the key `after` on.
    ///
    /// # Errors
    /// The database failed.
    pub fn new(
        cx: &Context,
        person: &Person,
        category: Category,
        holdings: impl Iterator<Item = &'static Holding>,
        after: &str,
    ) -> Result<Self, Problem> {
        let needed_on = match decision(category) {
            Decision::Deletable => None,
            Decision::Needed(basis) => Some(basis),
        };
        let held = holdings.map(|holding| {
            let page = holdings::page(cx, person, holding, after, SHOWN)?;
            Ok::<_, Problem>(Held {
                name: holding.name,
                purpose: holding.purpose,
                basis: holding.basis,
                retention: holding.retention,
                on_deletion: holding.on_deletion,
                rows: page.rows,
                more: page.more,
                unreadable: page.unreadable,
            })
        });
        Ok(Self {
            category,
            deletable: needed_on.is_none(),
            needed_on,
            holdings: held.collect::<Result<_, _>>()?,
        })
    }
}
