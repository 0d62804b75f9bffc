//! Telling the operators that a review waits for them (clause E23).

use shared::alert::{self, Alert};
use shared::http::{Context, Problem};
use shared::sql::{Parameter, statements};
use uuid::Uuid;

use crate::claim::Kind;

statements! {
    /// The account's review that nobody was told about yet.
    FIND_SILENT = "SELECT id FROM verification_claims WHERE account_id = $1 AND kind = $2 \
                   AND status = 'in_review' AND alerted_at IS NULL";
    /// The operators know.
    NOTE = "UPDATE verification_claims SET alerted_at = $1 WHERE id = $2";
}

/// Alerts the operators to the account's open review, if they were not yet: they may hear of one twice, where
/// a request was stopped in between, but of each once at least.
///
/// # Errors
/// The database failed, or the variables are unusable.
pub fn alert(cx: &Context, account_id: Uuid, kind: Kind) -> Result<(), Problem> {
    let of_account = [Parameter::id(account_id), Parameter::text(kind.name())];
    let Some(row) = cx.sql()?.first(&FIND_SILENT, &of_account)? else {
        return Ok(());
    };
    let id: Uuid = row.get("id")?;
    let waiting = Alert {
        event: "review-requested",
        text: &format!("创人脉:有新的认证待审核({})", kind.name()),
        fields: &[
            ("review", id.to_string().into()),
            ("kind", kind.name().into()),
        ],
    };
    alert::raise(cx, &waiting)?;
    cx.sql()?
        .execute(&NOTE, &[Parameter::time(cx.now()), Parameter::id(id)])?;
    Ok(())
}
