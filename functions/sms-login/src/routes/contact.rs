//! `/v1/contact`: who answers for the service (clause K1).

use serde::Serialize;
use shared::http::{Answer, Context, Problem};
use utoipa::ToSchema;

/// The policy's sections 「如何联系我们」 and introduction, word for word.
const CONTACT: Contact = Contact {
    company: "厦门聚仁脉网络科技有限公司",
    address: "厦门市思明区宜兰路99号2504室之九",
    email: "jsdclub@163.com",
    telephone: "15392297910",
    answered_within_working_days: 15,
};

/// The company that answers.
#[derive(Serialize, ToSchema)]
pub struct Contact {
    company: &'static str,
    address: &'static str,
    email: &'static str,
    telephone: &'static str,
    answered_within_working_days: u8,
}

/// Read the contact
#[utoipa::path(get, path = "/v1/contact", tag = "policy",
    responses((status = 200, body = Contact)))]
pub fn read(_: &Context) -> Result<Answer, Problem> {
    Ok(Answer::ok(&CONTACT))
}
