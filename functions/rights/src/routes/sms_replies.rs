//! `/v1/callbacks/aliyun/sms-replies/{secret}`: what people answer to messages (clause R4). Alibaba Cloud signs nothing
//! (`SmsUp`, <https://help.aliyun.com/zh/sms/developer-reference/smsup-http>), so the path proves who calls. Whatever is
//! not answered with 200 comes again, so what is repeated must do no harm.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared::http::{Answer, Context, Json, Problem, ProblemBody, Secret};
use shared::phone::Phone;
use shared::variables;
use utoipa::ToSchema;

use crate::opt_out;

/// One answer of a person. Its other members say nothing to us.
#[derive(Deserialize, ToSchema)]
pub struct SmsReply {
    #[schema(example = "13800138000")]
    phone_number: String,
    #[schema(example = "TD")]
    content: String,
}

/// What the sender waits for.
#[derive(Serialize, ToSchema)]
pub struct SmsReplyReceipt {
    code: u8,
    msg: &'static str,
}

/// Take answers to messages in
///
/// Words such as `T`, `TD` or `退订` withdraw the consent `marketing-sms` of the account with that number. Anything
/// else does nothing.
#[utoipa::path(post, path = "/v1/callbacks/aliyun/sms-replies/{secret}", tag = "callbacks",
    params(("secret" = String, Path, description = "the variable `aliyun_sms_reply_secret`")),
    request_body = Vec<SmsReply>,
    responses(
        (status = 200, body = SmsReplyReceipt),
        (status = 404, description = "`not-found`: another secret, or none is set",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn receive(
    cx: &Context,
    caller: ReplySender,
    Json(replies): Json<Vec<SmsReply>>,
) -> Result<Answer, Problem> {
    let ReplySender(()) = caller;
    let leaving = replies
        .iter()
        .filter(|reply| opt_out::is_opt_out(&reply.content));
    let mut hashes = BTreeSet::new();
    // A number abroad has no account.
    for phone in leaving.filter_map(|reply| Phone::parse(&reply.phone_number).ok()) {
        hashes.insert(phone.hash()?);
    }
    for phone_hash in &hashes {
        opt_out::withdraw(cx, phone_hash)?;
    }
    Ok(Answer::ok(&SmsReplyReceipt {
        code: 0,
        msg: "成功",
    }))
}

/// Whoever knows the secret.
pub struct ReplySender(());

impl shared::http::FromContext for ReplySender {
    fn from_context(cx: &Context) -> Result<Self, Problem> {
        let expected = variables::text("aliyun_sms_reply_secret")?;
        if Secret::from_context(cx)?.is(&expected) {
            Ok(Self(()))
        } else {
            Err(Problem::not_found())
        }
    }
}
