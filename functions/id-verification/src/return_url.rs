//! Where Alipay may send the person back to: nowhere but to our own app and pages.

const MAX_LENGTH: usize = 512;

/// Whether `url` is one of the `allowed` ones, which are separated by commas. Scheme, host and path must be
/// the same to the letter; only a query may follow, so that the app can recognise its own request.
pub fn is_allowed(url: &str, allowed: &str) -> bool {
    let is_plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'@'));
    let target = url.split_once('?').map_or(url, |(target, _)| target);
    is_plain
        && url.len() <= MAX_LENGTH
        && allowed
            .split(',')
            .map(str::trim)
            .any(|allowed| !allowed.is_empty() && allowed == target)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &str = "chuangrenmai://verification, https://www.chuangrenmai.com/verified";

    #[test]
    fn only_what_is_listed_and_a_query() {
        for url in [
            "chuangrenmai://verification",
            "chuangrenmai://verification?id=7",
            "https://www.chuangrenmai.com/verified?a=b&c=d",
        ] {
            assert!(is_allowed(url, ALLOWED), "{url}");
        }
        for url in [
            "",
            "https://evil.example/verified",
            "https://www.chuangrenmai.com",
            "https://www.chuangrenmai.com/verified/../x",
            "https://www.chuangrenmai.com/verified/",
            "https://www.chuangrenmai.com@evil.example/verified",
            "https://www.chuangrenmai.com/verified#https://evil.example",
            "https://www.chuangrenmai.com/verified?next=a@b",
            "HTTPS://www.chuangrenmai.com/verified",
            "https:\\\\www.chuangrenmai.com/verified",
            "chuangrenmai://verification\n",
            "javascript:alert(1)",
        ] {
            assert!(!is_allowed(url, ALLOWED), "{url}");
        }
        assert!(!is_allowed("", ""));
        assert!(!is_allowed("chuangrenmai://verification", ""));
    }

    #[test]
    fn a_long_one_is_refused() {
        let url = format!("chuangrenmai://verification?{}", "a".repeat(MAX_LENGTH));
        assert!(!is_allowed(&url, ALLOWED));
    }
}
