//! `/v1/policy/recipients`: the third parties that get data (clauses T5, T6, D1).

use serde::Serialize;
use shared::http::{Answer, Context, Problem};
use shared::recipient::{Agreement, Agreements, Named, RECIPIENTS, Recipient, Region, Role};
use utoipa::ToSchema;

/// A third party.
#[derive(Serialize, ToSchema)]
pub struct RecipientItem {
    #[schema(example = "alipay")]
    name: &'static str,
    company: &'static str,
    purpose: &'static str,
    data: &'static str,
    contact: &'static str,
    /// Its own privacy policy.
    policy_url: &'static str,
    role: Role,
    region: Region,
    /// Why it may be outside the mainland.
    exception: Option<&'static str>,
    /// Whether the first version of the policy names it.
    in_policy: bool,
    /// The version of the policy that must name it, if the first does not.
    named_from: Option<&'static str>,
    /// What binds it; null where there is no agreement, and then it is not called.
    agreement: Option<Agreement>,
}

/// Every third party.
#[derive(Serialize, ToSchema)]
pub struct Recipients {
    recipients: Vec<RecipientItem>,
}

/// List the third parties that get data
///
/// Those of the policy in its order, then those that were added. Who has no agreement is not called.
#[utoipa::path(get, path = "/v1/policy/recipients", tag = "policy",
    responses((status = 200, body = Recipients)))]
pub fn list(_cx: &Context) -> Result<Answer, Problem> {
    let agreements = Agreements::configured()?;
    let item = |recipient: &&'static Recipient| RecipientItem::new(recipient, &agreements);
    Ok(Answer::ok(&Recipients {
        recipients: RECIPIENTS.iter().map(item).collect(),
    }))
}

impl RecipientItem {
    fn new(recipient: &'static Recipient, agreements: &Agreements) -> Self {
        let named_from = match recipient.named {
            Named::InPolicy => None,
            Named::From(version) => Some(version),
        };
        Self {
            name: recipient.name,
            company: recipient.company,
            purpose: recipient.purpose,
            data: recipient.data,
            contact: recipient.contact,
            policy_url: recipient.policy_url,
            role: recipient.role,
            region: recipient.region,
            exception: recipient.exception,
            in_policy: named_from.is_none(),
            named_from,
            agreement: agreements.with(recipient).cloned(),
        }
    }
}
