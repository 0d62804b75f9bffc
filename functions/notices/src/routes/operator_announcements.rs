//! `/v1/operator/announcements`: new services and transfers, which become part of the policy (clauses G3, T4).

use http::StatusCode;
use serde::Deserialize;
use shared::announcement::{Announcement, Audience};
use shared::consent::{Kind, Purpose};
use shared::http::{Answer, Context, Json, ProblemBody, Violation, request_key};
use shared::operator::Admin;
use shared::policy::Versions;
use utoipa::ToSchema;

use crate::change::Change;
use crate::content::{Announced, Content, Receiver, ServiceNotice, TransferNotice};
use crate::error::Error;
use crate::{policy_version, text};

/// What can be announced.
#[derive(Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnnouncementKind {
    /// A new product or service that collects more.
    Service,
    /// Data passes to another company.
    Transfer,
}

/// An announcement to everybody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnouncementRequest {
    kind: AnnouncementKind,
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    title: String,
    /// What is collected and what for, or what passes and when: 1 to 5,000 characters.
    #[schema(min_length = 1, max_length = 5000)]
    text: String,
    /// Of a service: the purpose that it asks consent for, which is none of the policy's own.
    #[schema(example = "location")]
    purpose: Option<String>,
    /// Of a transfer: who gets the data.
    receiver: Option<Receiver>,
    /// Of a transfer: whether the receiver protects the data less than the policy does.
    lower_standard: Option<bool>,
    /// Of a transfer to a lower standard: the version of the policy that asks people for their consent to it. It is
    /// the last major one, and its change is `ownership`.
    #[schema(example = "2027-01-01")]
    policy_version: Option<String>,
}

/// Announce a service or a transfer
///
/// It becomes part of the policy at once, and everybody is told of it. An `Idempotency-Key` is required.
#[utoipa::path(post, path = "/v1/operator/announcements", tag = "operators",
    security(("operator" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255,
        description = "makes the announcement one")),
    request_body = AnnouncementRequest,
    responses(
        (status = 201, body = Announced),
        (status = 400, description = "`idempotency-key-required`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`operator-role`",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`transfer-needs-consent`: no such version asks for it; names the \
            `major_version`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-fields`: texts violate `length`, `purpose` is `unknown-purpose` or \
            `basic`, members are `missing` or `unknown` for the kind",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn create(
    cx: &Context,
    admin: Admin,
    Json(request): Json<AnnouncementRequest>,
) -> Result<Answer, Error> {
    let id = request_key(cx, b"operators")?;
    let content = request.content().map_err(Error::Invalid)?;
    if let Content::Transfer(transfer) = &content {
        require_consent(cx, transfer)?;
    }
    let cause = format!("request:{id}");
    admin.audit(cx, "announcement.make", &cause)?;
    let purpose = match &content {
        Content::Service(service) => Some(service.purpose.as_str()),
        _ => None,
    };
    let announcement = Announcement {
        cause: &cause,
        kind: content.kind(),
        content: &content,
        purpose,
        is_public: true,
        audience: &Audience::Everybody,
    };
    let made = announcement.make(cx)?;
    Ok(Answer::json(
        StatusCode::CREATED,
        &Announced {
            id: made.id,
            created_at: made.created_at,
        },
    ))
}

/// A lower standard asks again (clause T4): a major version of the policy about the owners must be published first,
/// so that nobody's data is used under it who has not agreed.
fn require_consent(cx: &Context, transfer: &TransferNotice) -> Result<(), Error> {
    if !transfer.lower_standard {
        return Ok(());
    }
    let major = Versions::in_force(cx)?.major;
    let asks = transfer.policy_version.as_deref() == Some(&major)
        && policy_version::change_of_major(cx, &major)?.as_deref()
            == Some(Change::Ownership.name());
    if asks {
        Ok(())
    } else {
        Err(Error::TransferNeedsConsent(major))
    }
}

impl AnnouncementRequest {
    /// What is announced.
    ///
    /// # Errors
    /// What is wrong with it.
    fn content(self) -> Result<Content, Vec<Violation>> {
        let mut violations: Vec<_> = [
            text::check("title", &self.title, text::TITLE),
            text::check("text", &self.text, text::PASSAGE),
        ]
        .into_iter()
        .flatten()
        .collect();
        let of_other_kinds = match self.kind {
            AnnouncementKind::Service => vec![
                ("receiver", self.receiver.is_some()),
                ("lower_standard", self.lower_standard.is_some()),
                ("policy_version", self.policy_version.is_some()),
            ],
            AnnouncementKind::Transfer => vec![
                ("purpose", self.purpose.is_some()),
                (
                    "policy_version",
                    self.policy_version.is_some() && self.lower_standard != Some(true),
                ),
            ],
        };
        let unknown = of_other_kinds.into_iter().filter(|(_, is_there)| *is_there);
        violations.extend(unknown.map(|(field, _)| Violation::new(field, "unknown")));
        let content = match self.kind {
            AnnouncementKind::Service => {
                violations.extend(purpose_violation(self.purpose.as_deref()));
                Content::Service(ServiceNotice {
                    title: self.title,
                    text: self.text,
                    purpose: self.purpose.unwrap_or_default(),
                })
            }
            AnnouncementKind::Transfer => {
                let missing = [
                    ("receiver", self.receiver.is_none()),
                    ("lower_standard", self.lower_standard.is_none()),
                ];
                let missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
                violations.extend(missing.map(|(field, _)| Violation::new(field, "missing")));
                let receiver = self.receiver.unwrap_or_else(|| Receiver {
                    name: "-".to_owned(),
                    contact: "-".to_owned(),
                });
                violations.extend(text::check("receiver.name", &receiver.name, text::TITLE));
                violations.extend(text::check(
                    "receiver.contact",
                    &receiver.contact,
                    text::TITLE,
                ));
                Content::Transfer(TransferNotice {
                    title: self.title,
                    text: self.text,
                    receiver,
                    lower_standard: self.lower_standard.unwrap_or_default(),
                    policy_version: self.policy_version,
                })
            }
        };
        if violations.is_empty() {
            Ok(content)
        } else {
            Err(violations)
        }
    }
}

/// A service that collects more asks for a consent of its own: the policy's does not cover it.
fn purpose_violation(purpose: Option<&str>) -> Option<Violation> {
    let code = match purpose.map(Purpose::named) {
        None => "missing",
        Some(None) => "unknown-purpose",
        Some(Some(purpose)) if purpose.terms().kind == Kind::Basic => "basic",
        Some(Some(_)) => return None,
    };
    Some(Violation::new("purpose", code))
}
