//! The route table.

use http::{Method, StatusCode, header};

use super::{Answer, Context, Problem};

/// One route. Paths are exact but for segments in braces, which match one non-empty segment.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, such as `/v1/profiles/{id}`.
    pub path: &'static str,
    /// The largest body that is read, in bytes.
    pub max_body: usize,
    /// What a problem of this route's gets beside our own members.
    pub dress: fn(Problem) -> Problem,
    /// Finds the handler's arguments and calls it.
    pub run: fn(&Context) -> Result<Answer, Problem>,
}

/// What a body may have where the route says nothing else: a profile of some thousand characters is our
/// largest JSON.
pub const MAX_BODY: usize = 64 * 1024;

/// A route table: `METHOD "path" => handler,` a line. `METHOD "path" (limit BYTES) => handler,` takes bodies
/// of another size; `METHOD "path" (problems DRESS) => handler,` adds to the problems that it answers.
#[macro_export]
#[doc(hidden)]
macro_rules! __routes {
    ($($method:ident $path:literal $((limit $limit:expr))? $((problems $dress:path))?
        => $handler:path,)*) => {
        &[$($crate::http::Route {
            method: ::http::Method::$method,
            path: $path,
            max_body: [$($limit,)? $crate::http::MAX_BODY][0],
            dress: [$($dress as fn($crate::http::Problem) -> $crate::http::Problem,)? |it| it][0],
            run: |cx| $crate::http::Handler::call($handler, cx),
        }),*]
    };
}

pub use crate::__routes as routes;

pub(super) type Parameters = Vec<(&'static str, String)>;

/// The route of a request and its path's parameters.
///
/// # Errors
/// 404 for an unknown path; 405 with `Allow` for a known path and another method.
pub(super) fn find<'r>(
    tables: &[&'r [Route]],
    method: &Method,
    path: &str,
) -> Result<(&'r Route, Parameters), Problem> {
    let all = || tables.iter().copied().flatten();
    // What is named to the letter is not also an identifier.
    let is_named = all().any(|route| route.path == path);
    let mut allowed = Vec::new();
    for route in all().filter(|route| !is_named || route.path == path) {
        if let Some(parameters) = matched(route.path, path) {
            if route.method == *method {
                return Ok((route, parameters));
            }
            allowed.push(route.method.as_str());
        }
    }
    if allowed.is_empty() {
        return Err(Problem::not_found());
    }
    Err(Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "不支持的请求方法",
    )
    .header(header::ALLOW, allowed.join(", ")))
}

fn matched(pattern: &'static str, path: &str) -> Option<Parameters> {
    let mut parameters = Vec::new();
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let segment = segments.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(name) if !segment.is_empty() => parameters.push((name, segment.to_owned())),
            None if expected == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handler(_: &Context) -> Result<Answer, Problem> {
        Ok(Answer::no_content())
    }

    const ROUTES: &[Route] = routes! {
        GET "/v1/a" => handler,
        DELETE "/v1/a" => handler,
        GET "/v1/a/{id}" => handler,
        PUT "/v1/b" (limit 5) => handler,
        POST "/v1/a/b" => handler,
    };

    #[test]
    fn paths_match_whole() {
        let (route, parameters) =
            find(&[ROUTES], &Method::GET, "/v1/a/7").unwrap_or_else(|_| panic!());
        assert_eq!(route.path, "/v1/a/{id}");
        assert_eq!(parameters, [("id", "7".to_owned())]);
        for path in ["/v1", "/v1/a/", "/v1/a/7/", "/v1/a/7/b", "//v1/a", "/v1/A"] {
            let Err(problem) = find(&[ROUTES], &Method::GET, path) else {
                panic!("{path} matched");
            };
            assert_eq!(problem.status(), StatusCode::NOT_FOUND);
        }
    }

    #[test]
    fn a_route_can_have_a_body_limit_of_its_own() {
        let limit = |method, path| match find(&[ROUTES], &method, path) {
            Ok((route, _)) => route.max_body,
            Err(problem) => panic!("{problem:?}"),
        };
        assert_eq!(limit(Method::GET, "/v1/a"), MAX_BODY);
        assert_eq!(limit(Method::PUT, "/v1/b"), 5);
    }

    #[test]
    fn another_method_is_told_which_are_allowed() {
        let Err(problem) = find(&[ROUTES], &Method::POST, "/v1/a") else {
            panic!("POST matched");
        };
        assert_eq!(problem.status(), StatusCode::METHOD_NOT_ALLOWED);
        let answer = problem.into_answer(uuid::Uuid::nil());
        assert_eq!(answer.0.headers()[header::ALLOW], "GET, DELETE");
        let Err(problem) = find(&[ROUTES], &Method::GET, "/v1/a/b") else {
            panic!("b is no identifier");
        };
        let answer = problem.into_answer(uuid::Uuid::nil());
        assert_eq!(answer.0.headers()[header::ALLOW], "POST");
    }
}
