//! Signature version 4, in the header and in a link, as the official SDKs make it: `ali-oss`
//! (`lib/common/signUtils.js`) and `alibabacloud-oss-go-sdk-v2` (`oss/signer/v4.go`).

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::encoding::{form_pairs, hex, hmac_sha256, percent_decoded, percent_encoded, sha256_hex};
use crate::http::Request;
use crate::stand_in::Refusal;

pub const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// How far the date of a signed request may be off, and how early a link or a form may come.
pub const TOLERANCE_MS: i64 = 15 * 60 * 1000;
/// The longest life of a link and of a form.
pub const LONGEST_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

const MISMATCH: Refusal = (403, "SignatureDoesNotMatch");
const UNSIGNED: Refusal = (403, "AccessDenied");
const INVALID: Refusal = (400, "InvalidArgument");

/// The key that signs, and for where.
pub struct Credentials {
    pub access_key_id: String,
    pub access_key_secret: String,
    pub region: String,
}

impl Credentials {
    /// The signature of a text on a day (`20231216`).
    pub fn sign(&self, day: &str, text: &str) -> String {
        let key = format!("aliyun_v4{}", self.access_key_secret);
        let steps = [day, &self.region, "oss", "aliyun_v4_request"];
        let key = steps.iter().fold(key.into_bytes(), |key, step| {
            hmac_sha256(&key, step).to_vec()
        });
        hex(&hmac_sha256(&key, text))
    }

    /// Checks `id/day/region/oss/aliyun_v4_request` and that the day is the date's.
    pub fn check_scope(&self, credential: &str, date: &str) -> Result<(), Refusal> {
        let (id, scope) = credential.split_once('/').ok_or(INVALID)?;
        if id != self.access_key_id {
            return Err((403, "InvalidAccessKeyId"));
        }
        if scope != self.scope(date) {
            return Err(INVALID);
        }
        Ok(())
    }

    fn scope(&self, date: &str) -> String {
        format!("{}/{}/oss/aliyun_v4_request", day(date), self.region)
    }

    /// Checks a request that is signed in its header or, for links, in its query.
    pub fn check(&self, request: &Request, bucket: &str, now_ms: i64) -> Result<(), Refusal> {
        match request.header("authorization") {
            Some(authorization) => self.check_header(request, authorization, bucket, now_ms),
            None => self.check_link(request, bucket, now_ms),
        }
    }

    fn check_header(
        &self,
        request: &Request,
        authorization: &str,
        bucket: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        let authorization = Authorization::parse(authorization).ok_or(INVALID)?;
        let date = request.header("x-oss-date").ok_or(UNSIGNED)?;
        if (now_ms - milliseconds(date).ok_or(UNSIGNED)?).abs() > TOLERANCE_MS {
            return Err((403, "RequestTimeTooSkewed"));
        }
        if request.header("x-oss-content-sha256") != Some("UNSIGNED-PAYLOAD") {
            return Err(INVALID);
        }
        self.check_scope(authorization.credential, date)?;
        let signature = self.signature(request, bucket, date, authorization.additional_headers);
        if signature.ok_or(MISMATCH)? != authorization.signature {
            return Err(MISMATCH);
        }
        Ok(())
    }

    fn check_link(&self, request: &Request, bucket: &str, now_ms: i64) -> Result<(), Refusal> {
        let pairs = form_pairs(&request.query).ok_or(INVALID)?;
        let parameter = |wanted: &str| {
            let found = pairs.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        if parameter("x-oss-signature-version").ok_or(UNSIGNED)? != ALGORITHM {
            return Err(INVALID);
        }
        let date = parameter("x-oss-date").ok_or(INVALID)?;
        let from_ms = milliseconds(date).ok_or(INVALID)?;
        let life = parameter("x-oss-expires").and_then(|life| life.parse::<i64>().ok());
        let life_ms = life.ok_or(INVALID)?.saturating_mul(1000);
        if !(1000..=LONGEST_LIFE_MS).contains(&life_ms) || from_ms - now_ms > TOLERANCE_MS {
            return Err(INVALID);
        }
        if now_ms > from_ms + life_ms {
            return Err(UNSIGNED);
        }
        self.check_scope(parameter("x-oss-credential").ok_or(INVALID)?, date)?;
        let additional = parameter("x-oss-additional-headers").unwrap_or_default();
        let signature = self.signature(request, bucket, date, additional);
        if signature.as_deref().ok_or(MISMATCH)? != parameter("x-oss-signature").ok_or(INVALID)? {
            return Err(MISMATCH);
        }
        Ok(())
    }

    /// The signature of what came; `None` if a header that is said to be signed did not.
    pub(super) fn signature(
        &self,
        request: &Request,
        bucket: &str,
        date: &str,
        additional_headers: &str,
    ) -> Option<String> {
        let canonical = canonical_request(request, bucket, additional_headers)?;
        let text = format!(
            "{ALGORITHM}\n{date}\n{}\n{}",
            self.scope(date),
            sha256_hex(canonical)
        );
        Some(self.sign(day(date), &text))
    }
}

/// The day of a date: `20231216` of `20231216T162057Z`.
pub fn day(date: &str) -> &str {
    date.split('T').next().unwrap_or_default()
}

/// A date such as `20231216T162057Z` in milliseconds since 1970.
pub fn milliseconds(date: &str) -> Option<i64> {
    let format = "%Y%m%dT%H%M%SZ";
    let time = DateTime::strptime(format, date).ok()?;
    if time.strftime(format).to_string() != date {
        return None;
    }
    Some(Offset::UTC.to_timestamp(time).ok()?.as_millisecond())
}

struct Authorization<'a> {
    credential: &'a str,
    additional_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let parts: Vec<_> = text.split(',').map(str::trim).collect();
        let (credential, additional_headers, signature) = match parts[..] {
            [credential, signature] => (credential, "", signature),
            [credential, additional, signature] => (
                credential,
                additional.strip_prefix("AdditionalHeaders=")?,
                signature,
            ),
            _ => return None,
        };
        Some(Self {
            credential: credential.strip_prefix("Credential=")?,
            additional_headers,
            signature: signature.strip_prefix("Signature=")?,
        })
    }
}

fn canonical_request(request: &Request, bucket: &str, additional_headers: &str) -> Option<String> {
    let path = percent_decoded(&request.path)?;
    let uri = percent_encoded(&format!("/{bucket}{path}")).replace("%2F", "/");
    let additional: Vec<_> = additional_headers
        .split(';')
        .filter(|name| !name.is_empty())
        .collect();
    let all_came = additional
        .iter()
        .all(|name| request.header(name).is_some() && !is_always_signed(name));
    if !all_came || !additional.is_sorted() {
        return None;
    }
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| is_always_signed(name) || additional.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    headers.sort();
    Some(format!(
        "{}\n{uri}\n{}\n{}\n{additional_headers}\nUNSIGNED-PAYLOAD",
        request.method,
        canonical_query(&request.query)?,
        headers.concat(),
    ))
}

fn is_always_signed(header: &str) -> bool {
    header.starts_with("x-oss-") || matches!(header, "content-type" | "content-md5")
}

fn canonical_query(query: &str) -> Option<String> {
    let pairs = form_pairs(query)?;
    let mut pairs: Vec<_> = pairs
        .iter()
        .filter(|(name, _)| name != "x-oss-signature")
        .map(|(name, value)| (percent_encoded(name), percent_encoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| {
            if value.is_empty() {
                name
            } else {
                format!("{name}={value}")
            }
        })
        .collect();
    Some(pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the official Go SDK's tests: `oss/signer/signer_test.go`.
    fn published(query: &str, headers: &[(&str, &str)], date: &str, additional: &str) -> String {
        let credentials = Credentials {
            access_key_id: "ak".into(),
            access_key_secret: "sk".into(),
            region: "cn-hangzhou".into(),
        };
        let own = [
            ("abc", "value"),
            ("xyz", "value"),
            ("zabc", "value"),
            ("x-oss-head1", "value"),
        ];
        let headers = own.iter().chain(headers);
        let request = Request {
            method: "PUT".into(),
            path: "/1234%2B-/123/1.txt".into(),
            query: format!(
                "%2Bparam1=value3&%2Bparam2=&%7Cparam1=value4&%7Cparam2=&param1=value1&param2={query}"
            ),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        };
        let signature = credentials.signature(&request, "bucket", date, additional);
        signature.expect("all headers are there")
    }

    #[test]
    fn the_published_headers_have_the_published_signature() {
        let headers = |date| {
            [
                ("content-type", "text/plain"),
                ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
                ("x-oss-date", date),
            ]
        };
        assert_eq!(
            published("", &headers("20231216T162057Z"), "20231216T162057Z", ""),
            "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"
        );
        assert_eq!(
            published(
                "",
                &headers("20231216T172512Z"),
                "20231216T172512Z",
                "abc;zabc"
            ),
            "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"
        );
    }

    #[test]
    fn the_published_link_has_the_published_signature() {
        let query = "&x-oss-credential=ak%2F20231217%2Fcn-hangzhou%2Foss%2Faliyun_v4_request\
            &x-oss-date=20231217T025437Z&x-oss-expires=599&x-oss-signature-version=OSS4-HMAC-SHA256\
            &x-oss-signature=itself";
        let headers = [("content-type", "application/octet-stream")];
        assert_eq!(
            published(query, &headers, "20231217T025437Z", ""),
            "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"
        );
    }
}
