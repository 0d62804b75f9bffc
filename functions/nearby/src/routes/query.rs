//! The parts of a question that come in the address.

use shared::http::{Context, DEFAULT_LIMIT, Violation, page_limit};
use shared::region;

use crate::error::Error;

/// What can be asked; each path takes some of it.
#[derive(Clone, Debug)]
pub struct Query {
    /// In metres.
    pub radius: Option<i64>,
    /// How many at once.
    pub limit: u32,
    /// Where to go on.
    pub cursor: Option<String>,
    /// A division's code.
    pub city: Option<String>,
    /// An industry.
    pub industry: Option<String>,
}

impl Query {
    /// Reads the request's query, of which this path takes `known` besides `limit`, `cursor` and `city`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation.
    pub fn read(cx: &Context, known: &[&str]) -> Result<Self, Error> {
        let mut query = Self {
            radius: None,
            limit: DEFAULT_LIMIT,
            cursor: None,
            city: None,
            industry: None,
        };
        let mut violations = Vec::new();
        let text = cx.request().uri().query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let is_known = ["limit", "cursor", "city"].contains(&&*name) || known.contains(&&*name);
            let read = if is_known {
                query.set(&name, value.into_owned())
            } else {
                Err(Violation::new(&*name, "unknown"))
            };
            violations.extend(read.err());
        }
        if violations.is_empty() {
            Ok(query)
        } else {
            Err(Error::Invalid(violations))
        }
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), Violation> {
        match name {
            "radius_m" => {
                let radius = value.parse().ok();
                let radius = radius.filter(|radius| crate::cover::STEPS.contains(radius));
                self.radius = Some(radius.ok_or_else(|| Violation::new("radius_m", "value"))?);
            }
            "limit" => self.limit = page_limit(&value)?,
            "cursor" => self.cursor = Some(value),
            "city" if region::is_known(&value) => self.city = Some(value),
            "city" => return Err(Violation::new("city", "region")),
            _ => self.industry = Some(value),
        }
        Ok(())
    }
}
