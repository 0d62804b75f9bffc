//! `/v1/exports/{id}`: the page that the mailed link opens (clause R6). Opening it uses nothing up: programs that look
//! after mail open every link.

use http::{StatusCode, header};
use shared::http::{Answer, Context, Id, Problem, ProblemBody};
use shared::session::Token;

use crate::error::Error;
use crate::export;

/// It loads nothing, runs nothing, is shown in nobody's frame, and sends its form to us alone.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The token of a link.
pub struct LinkToken(pub Token);

impl LinkToken {
    /// The token among a query's, or a form's, pairs.
    ///
    /// # Errors
    /// 404: there is none.
    pub fn among(pairs: &[u8]) -> Result<Self, Problem> {
        let mut pairs = form_urlencoded::parse(pairs);
        let token = pairs.find_map(|(key, value)| (key == "token").then_some(value));
        let token = token.and_then(|token| Token::parse(&token));
        token.map(Self).ok_or_else(Problem::not_found)
    }
}

/// Open the link to a copy of one's data
///
/// The link that was mailed: a page with a button that downloads the copy. Opening it does not use the link up.
#[utoipa::path(get, path = "/v1/exports/{id}", tag = "rights",
    params(
        ("id" = String, Path, format = Uuid, description = "the export"),
        ("token" = String, Query, description = "of the link"),
    ),
    responses(
        (status = 200, description = "the page", content_type = "text/html", body = String),
        (status = 404, description = "`not-found`: there is no such link",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "`export-downloaded`, `export-expired`",
            body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub fn read(cx: &Context, Id(id): Id) -> Result<Answer, Error> {
    let query = cx.request().uri().query().unwrap_or_default();
    let LinkToken(token) = LinkToken::among(query.as_bytes())?;
    export::look(cx, id, &token)?;
    let page = page(&format!("{id}/archive"), &token.to_text());
    Ok(Answer::bytes(
        StatusCode::OK,
        "text/html; charset=utf-8",
        page.into_bytes(),
    )
    .header(header::CONTENT_SECURITY_POLICY, POLICY)
    // The address has the token in it.
    .header(header::REFERRER_POLICY, "no-referrer"))
}

/// `action` is relative to the page's address. Neither it nor the token has a character that HTML knows.
fn page(action: &str, token: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>下载我的个人信息副本</title>\n\
         <h1>创人脉:下载我的个人信息副本</h1>\n\
         <p>副本只能下载一次,包含您的个人信息,请保存在您自己的设备上,不要转发给他人。</p>\n\
         <form method=\"post\" action=\"{action}\">\n\
         <input type=\"hidden\" name=\"token\" value=\"{token}\">\n\
         <button>下载副本</button>\n</form>\n\
         <p>如果下载中断,可在十分钟内再次点击。</p>\n</html>\n"
    )
}
