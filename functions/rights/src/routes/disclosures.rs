//! `/v1/account/disclosures`: which third party got what of the person's data (clause T3).

use serde::Serialize;
use shared::http::{Answer, Context, Page, PageRequest, Problem};
use shared::recipient;
use shared::session::AnySession;
use shared::sql::{Parameter, Row, SqlError, statements};
use shared::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

statements! {
    /// One page of what was sent of a person's data.
    LIST = "SELECT d.id, d.recipient, d.purpose, d.data, d.basis, d.sent_at, d.reference \
            FROM accounts a JOIN disclosures d ON d.phone_hash = a.phone_hash \
            WHERE a.id = $1 AND d.id < $2 ORDER BY d.id DESC LIMIT $3";
}

/// One sending.
#[derive(Serialize, ToSchema)]
pub struct DisclosureItem {
    id: Uuid,
    /// Who got it: a `name` of `GET /v1/policy/recipients`.
    #[schema(example = "alipay")]
    recipient: String,
    /// The company; null where it is no recipient any more.
    company: Option<&'static str>,
    #[schema(example = "payment")]
    purpose: String,
    data: Vec<String>,
    /// Why it might be sent: consent, or an exception of the policy.
    #[schema(example = "consent")]
    basis: String,
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// What the recipient knows it by.
    reference: Option<String>,
}

/// List who got data about me
///
/// Every sending of the last three years to a third party, the newest first.
#[utoipa::path(get, path = "/v1/account/disclosures", tag = "rights", security(("session" = [])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "20 if absent"),
        ("cursor" = Option<String>, Query, description = "the `next_cursor` of the page before"),
    ),
    responses((status = 200, body = Page<DisclosureItem>)))]
pub fn list(
    cx: &Context,
    AnySession(session): AnySession,
    request: PageRequest,
) -> Result<Answer, Problem> {
    let rows = cx.sql()?.query(
        &LIST,
        &[
            Parameter::id(session.account_id),
            Parameter::text(request.before()),
            Parameter::Integer(request.rows()),
        ],
    )?;
    let items: Result<Vec<_>, _> = rows.iter().map(DisclosureItem::from_row).collect();
    Ok(Answer::ok(&request.page(items?, |item| item.id)))
}

impl DisclosureItem {
    fn from_row(row: &Row) -> Result<Self, SqlError> {
        let recipient: String = row.get("recipient")?;
        let data: String = row.get("data")?;
        Ok(Self {
            id: row.get("id")?,
            company: recipient::named(&recipient).map(|recipient| recipient.company),
            recipient,
            purpose: row.get("purpose")?,
            data: data.split(',').map(str::to_owned).collect(),
            basis: row.get("basis")?,
            sent_at: row.get("sent_at")?,
            reference: row.get("reference")?,
        })
    }
}
