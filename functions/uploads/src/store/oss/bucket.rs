//! One bucket and the signatures for it, version 4: of requests
//! (<https://help.aliyun.com/zh/oss/developer-reference/recommend-to-use-signature-version-4>), of links
//! (<https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls>) and of forms
//! (<https://help.aliyun.com/zh/oss/developer-reference/signature-version-4-recommend>).

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, Request};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use shared::crypto::hex;
use shared::time::Timestamp;
use shared::variables::{self, Misconfigured};

use crate::form::{Form, Sending};

const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// The connection protects the body; hashing ten megabytes in the guest would only make it slow.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The header, and the form's field, that has an object encrypted where it lies, and its value
/// (<https://help.aliyun.com/zh/oss/user-guide/server-side-encryption-5>).
pub const ENCRYPTION: (&str, &str) = ("x-oss-server-side-encryption", "AES256");

/// A bucket and who signs for it.
#[derive(Debug)]
pub struct Bucket {
    /// `https://bucket.endpoint`
    host: String,
    name: String,
    region: String,
    access_key_id: String,
    access_key_secret: String,
}

impl Bucket {
    /// The bucket that `oss_host` names; `None` if it is empty.
    ///
    /// # Errors
    /// It is not `scheme://bucket.endpoint`, or another variable is missing.
    pub fn configured() -> Result<Option<Self>, Misconfigured> {
        const VARIABLE: &str = "oss_host";
        let host = variables::text(VARIABLE)?.trim_end_matches('/').to_owned();
        if host.is_empty() {
            return Ok(None);
        }
        let name = host
            .split_once("://")
            .and_then(|(_, authority)| authority.split_once('.'))
            .map(|(name, _)| name.to_owned())
            .ok_or(Misconfigured { variable: VARIABLE })?;
        Ok(Some(Self {
            host,
            name,
            region: variables::required("oss_region")?,
            access_key_id: variables::required("oss_access_key_id")?,
            access_key_secret: variables::required("oss_access_key_secret")?,
        }))
    }

    /// The form that puts one object into the bucket: once, for nobody else to read, encrypted where it lies.
    /// OSS takes fields that no condition names, so whoever has a form could open the object to all by one:
    /// the policy names the right one.
    pub fn form(&self, sending: &Sending) -> Form {
        let date = Date::of(sending.made_at);
        let (encryption, algorithm) = ENCRYPTION;
        let named = vec![
            (encryption, algorithm.to_owned()),
            ("x-oss-forbid-overwrite", "true".to_owned()),
            ("x-oss-object-acl", "private".to_owned()),
            ("x-oss-signature-version", ALGORITHM.to_owned()),
            ("x-oss-credential", self.credential(&date)),
            ("x-oss-date", date.time.clone()),
        ];
        let bound = vec![json!({ "bucket": self.name })];
        let sign = |policy: &str| ("x-oss-signature", self.signature(&date, policy));
        Form::new(self.host.clone(), sending, named, bound, sign)
    }

    /// A signed request for the object `key`.
    pub fn request(
        &self,
        method: Method,
        key: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        now: Timestamp,
    ) -> Option<Request<Vec<u8>>> {
        let date = Date::of(now);
        let mut headers = headers.to_vec();
        headers.push(("x-oss-content-sha256", UNSIGNED));
        headers.push(("x-oss-date", &date.time));
        let authorization = self.authorization(&date, &method, key, "", &headers);
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("{}/{}", self.host, encode(key, b"/")))
            .header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(body).ok()
    }

    /// A link by which the object `key` can be read until `expires_at`, by whoever has it.
    pub fn link(&self, key: &str, now: Timestamp, expires_at: Timestamp) -> String {
        let seconds = now.seconds_until(expires_at).to_string();
        let query = self.signed_query(&Method::GET, key, &[], &[], now, &seconds);
        format!("{}/{}?{query}", self.host, encode(key, b"/"))
    }

    /// How a copy names the object `key` as its source, and how a signature names it.
    pub fn source(&self, key: &str) -> String {
        encode(&format!("/{}/{key}", self.name), b"/")
    }

    fn signed_query(
        &self,
        method: &Method,
        key: &str,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
        now: Timestamp,
        seconds: &str,
    ) -> String {
        let date = Date::of(now);
        let credential = self.credential(&date);
        let mut parameters = parameters.to_vec();
        parameters.extend([
            ("x-oss-credential", credential.as_str()),
            ("x-oss-date", &date.time),
            ("x-oss-expires", seconds),
            ("x-oss-signature-version", ALGORITHM),
        ]);
        let query = canonical_query(&parameters);
        let signature = self.request_signature(&date, method, key, &query, headers);
        format!("{query}&x-oss-signature={signature}")
    }

    fn authorization(
        &self,
        date: &Date,
        method: &Method,
        key: &str,
        query: &str,
        headers: &[(&str, &str)],
    ) -> String {
        let signature = self.request_signature(date, method, key, query, headers);
        let credential = self.credential(date);
        format!("{ALGORITHM} Credential={credential},Signature={signature}")
    }

    /// Of the headers those are signed that OSS always signs; there is no list of additional ones.
    fn request_signature(
        &self,
        date: &Date,
        method: &Method,
        key: &str,
        query: &str,
        headers: &[(&str, &str)],
    ) -> String {
        let mut lines: Vec<_> = headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-oss-") || *name == "content-type")
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        lines.sort();
        let path = self.source(key);
        let lines = lines.concat();
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n\n{UNSIGNED}");
        let hash = hex(&Sha256::digest(canonical));
        let scope = self.scope(date);
        self.signature(
            date,
            &format!("{ALGORITHM}\n{}\n{scope}\n{hash}", date.time),
        )
    }

    fn credential(&self, date: &Date) -> String {
        format!("{}/{}", self.access_key_id, self.scope(date))
    }

    fn scope(&self, date: &Date) -> String {
        format!("{}/{}/oss/aliyun_v4_request", date.day(), self.region)
    }

    fn signature(&self, date: &Date, text: &str) -> String {
        let secret = format!("aliyun_v4{}", self.access_key_secret);
        let steps = [date.day(), &self.region, "oss", "aliyun_v4_request", text];
        let signature = steps
            .iter()
            .fold(secret.into_bytes(), |key, step| hmac(&key, step));
        hex(&signature)
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A moment as signatures have it: `20231203T121212Z`.
struct Date {
    time: String,
}

impl Date {
    fn of(now: Timestamp) -> Self {
        let now =
            jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or(jiff::Timestamp::MAX);
        Self {
            time: now.strftime("%Y%m%dT%H%M%SZ").to_string(),
        }
    }

    fn day(&self) -> &str {
        &self.time[..8]
    }
}

/// The parameters sorted by their encoded names; one without a value has no equals sign.
fn canonical_query(parameters: &[(&str, &str)]) -> String {
    let mut encoded: Vec<_> = parameters
        .iter()
        .map(|(name, value)| (encode(name, b""), encode(value, b"")))
        .collect();
    encoded.sort();
    let joined: Vec<_> = encoded
        .into_iter()
        .map(|(name, value)| match value.as_str() {
            "" => name,
            value => format!("{name}={value}"),
        })
        .collect();
    joined.join("&")
}

/// Percent-encoding of everything but RFC 3986's unreserved characters and those of `kept`.
fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tests of Alibaba Cloud's own SDK for Go sign with
    /// (<https://github.com/aliyun/alibabacloud-oss-go-sdk-v2>, oss/signer/signer_test.go).
    fn bucket() -> Bucket {
        Bucket {
            host: "https://bucket.oss-cn-hangzhou.aliyuncs.com".into(),
            name: "bucket".into(),
            region: "cn-hangzhou".into(),
            access_key_id: "ak".into(),
            access_key_secret: "sk".into(),
        }
    }

    const KEY: &str = "1234+-/123/1.txt";
    const PARAMETERS: [(&str, &str); 6] = [
        ("param1", "value1"),
        ("+param1", "value3"),
        ("|param1", "value4"),
        ("+param2", ""),
        ("|param2", ""),
        ("param2", ""),
    ];

    #[test]
    fn a_request_is_signed_as_the_official_sdk_signs_it() {
        let date = Date::of(Timestamp(1_702_743_657_000));
        let headers = [
            ("x-oss-head1", "value"),
            ("abc", "value"),
            ("content-type", "text/plain"),
            ("x-oss-content-sha256", UNSIGNED),
            ("x-oss-date", "20231216T162057Z"),
        ];
        let query = canonical_query(&PARAMETERS);
        assert_eq!(
            bucket().authorization(&date, &Method::PUT, KEY, &query, &headers),
            "OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,\
             Signature=e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"
        );
    }

    #[test]
    fn a_link_is_signed_as_the_official_sdk_signs_it() {
        let headers = [
            ("x-oss-head1", "value"),
            ("content-type", "application/octet-stream"),
        ];
        let now = Timestamp(1_702_781_677_000);
        let query = bucket().signed_query(&Method::PUT, KEY, &PARAMETERS, &headers, now, "599");
        let signature = "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe";
        assert!(
            query.ends_with(&format!("&x-oss-signature={signature}")),
            "{query}"
        );
    }

    #[test]
    fn a_link_names_the_object_and_its_end() {
        let link = bucket().link("uploads/1", Timestamp(0), Timestamp(300_000));
        let (place, query) = link.split_once('?').unwrap();
        assert_eq!(
            place,
            "https://bucket.oss-cn-hangzhou.aliyuncs.com/uploads/1"
        );
        assert!(query.starts_with(
            "x-oss-credential=ak%2F19700101%2Fcn-hangzhou%2Foss%2Faliyun_v4_request\
             &x-oss-date=19700101T000000Z&x-oss-expires=300&x-oss-signature-version=OSS4-HMAC-SHA256"
        ));
    }

    #[test]
    fn a_forms_policy_is_signed_step_by_step() {
        let sending = Sending {
            key: "uploads/1".into(),
            content_type: "image/png",
            size: 7,
            made_at: Timestamp(1_702_743_657_000),
        };
        let form = serde_json::to_value(bucket().form(&sending).fields).unwrap();
        assert_eq!(form["x-oss-date"], "20231216T162057Z");
        assert_eq!(form["x-oss-server-side-encryption"], "AES256");
        let day = hmac(b"aliyun_v4sk", "20231216");
        let service = hmac(&hmac(&day, "cn-hangzhou"), "oss");
        let key = hmac(&service, "aliyun_v4_request");
        let policy = form["policy"].as_str().unwrap();
        assert_eq!(form["x-oss-signature"], hex(&hmac(&key, policy)));
    }
}
