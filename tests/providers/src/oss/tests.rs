use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::signature::Credentials;
use super::{Object, Oss};
use crate::encoding::percent_encoded;
use crate::http::{Request, exchange};

const DATE: &str = "20231217T025437Z";
const NOW_MS: i64 = 1_702_781_677_000;
const CREDENTIAL: &str = "ak/20231217/cn-hangzhou/oss/aliyun_v4_request";

fn start() -> Oss {
    let oss = Oss::start("ak", "sk", "cn-hangzhou");
    oss.set_clock(NOW_MS);
    oss
}

fn credentials() -> Credentials {
    Credentials {
        access_key_id: "ak".into(),
        access_key_secret: "sk".into(),
        region: "cn-hangzhou".into(),
    }
}

fn conditions() -> Vec<Value> {
    vec![
        json!({ "bucket": "127" }),
        json!({ "x-oss-signature-version": "OSS4-HMAC-SHA256" }),
        json!({ "x-oss-credential": CREDENTIAL }),
        json!({ "x-oss-date": DATE }),
        json!(["eq", "$key", "uploads/1"]),
        json!(["content-length-range", 2, 5]),
        json!(["in", "$Content-Type", ["image/png"]]),
    ]
}

/// A POST of a form with the fields that belong to it and these.
fn post(oss: &Oss, conditions: &[Value], fields: &[(&str, &str)], file: &str) -> u16 {
    let policy = json!({ "expiration": "2023-12-17T03:00:00.000Z", "conditions": conditions });
    let policy = STANDARD.encode(policy.to_string());
    let signature = credentials().sign("20231217", &policy);
    let own = [
        ("key", "uploads/1"),
        ("Content-Type", "image/png"),
        ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
        ("x-oss-credential", CREDENTIAL),
        ("x-oss-date", DATE),
        ("policy", &policy),
        ("x-oss-signature", &signature),
    ];
    let mut body = String::new();
    for (name, value) in own.iter().chain(fields).chain(&[("file", file)]) {
        body +=
            &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--b--\r\n";
    let request = format!(
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: multipart/form-data; boundary=b\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(oss.url(), request.as_bytes()).0
}

/// A request that is signed in its header.
fn send(oss: &Oss, method: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let signed = [
        ("host", "127.0.0.1"),
        ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-oss-date", DATE),
    ];
    let headers = signed.iter().chain(headers);
    let headers = headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let request = Request {
        method: method.to_owned(),
        path: "/uploads/1".into(),
        query: String::new(),
        headers: headers.collect(),
        body: body.into(),
    };
    let signature = credentials().signature(&request, "127", DATE, "");
    let signature = signature.expect("all headers are there");
    let mut text = format!("{method} /uploads/1 HTTP/1.1\r\n");
    for (name, value) in &request.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!(
        "authorization: OSS4-HMAC-SHA256 Credential={CREDENTIAL},Signature={signature}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(oss.url(), text.as_bytes())
}

fn link(expires: u32) -> String {
    let query = format!(
        "x-oss-credential={}&x-oss-date={DATE}&x-oss-expires={expires}&x-oss-signature-version=OSS4-HMAC-SHA256",
        percent_encoded(CREDENTIAL)
    );
    let request = Request {
        method: "GET".into(),
        path: "/uploads/1".into(),
        query,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let signature = credentials().signature(&request, "127", DATE, "");
    format!(
        "/uploads/1?{}&x-oss-signature={}",
        request.query,
        signature.expect("no headers")
    )
}

fn get(oss: &Oss, target: &str) -> u16 {
    let request = format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    exchange(oss.url(), request.as_bytes()).0
}

#[test]
fn a_form_stores_what_its_policy_allows() {
    let oss = start();
    assert_eq!(post(&oss, &conditions(), &[], "bytes"), 204);
    let object = &oss.objects()["uploads/1"];
    assert_eq!(
        (&object.bytes[..], object.content_type.as_str()),
        (&b"bytes"[..], "image/png")
    );
    assert_eq!(object.etag(), "\"4B3A6218BB3E3A7303E8A171A60FCF92\"");
    assert!(oss.refusals().is_empty());
}

#[test]
fn a_form_stores_nothing_else() {
    let oss = start();
    let refused = |extra: Option<Value>, file: &str| {
        let mut conditions = conditions();
        conditions.extend(extra);
        post(&oss, &conditions, &[], file);
        oss.refusals().pop()
    };
    assert_eq!(refused(None, "bytes!"), Some("EntityTooLarge"));
    assert_eq!(refused(None, "b"), Some("EntityTooSmall"));
    assert_eq!(
        refused(Some(json!(["eq", "$key", "other"])), "bytes"),
        Some("AccessDenied")
    );
    let absent = json!({ "x-oss-object-acl": "private" });
    assert_eq!(refused(Some(absent), "bytes"), Some("AccessDenied"));
    assert_eq!(
        refused(Some(json!(["eq", "$key"])), "bytes"),
        Some("InvalidPolicyDocument")
    );
    post(&oss, &conditions()[..3], &[], "bytes");
    assert_eq!(
        oss.refusals().pop(),
        Some("InvalidPolicyDocument"),
        "no date in the policy"
    );
    // The policy has expired.
    oss.set_clock(NOW_MS + 6 * 60 * 1000);
    assert_eq!(refused(None, "bytes"), Some("AccessDenied"));
    assert!(oss.objects().is_empty());
}

#[test]
fn a_form_can_be_used_twice_unless_it_forbids_that() {
    let oss = start();
    assert_eq!(post(&oss, &conditions(), &[], "first"), 204);
    assert_eq!(
        post(
            &oss,
            &conditions(),
            &[("success_action_status", "200")],
            "again"
        ),
        200
    );
    let forbid = [("x-oss-forbid-overwrite", "true")];
    assert_eq!(post(&oss, &conditions(), &forbid, "third"), 409);
    assert_eq!(oss.objects()["uploads/1"].bytes, b"again");
}

#[test]
fn a_field_that_no_condition_names_can_make_an_object_public() {
    let oss = start();
    assert_eq!(post(&oss, &conditions(), &[], "bytes"), 204);
    assert_eq!(get(&oss, "/uploads/1"), 403);
    post(
        &oss,
        &conditions(),
        &[("x-oss-object-acl", "public-read")],
        "bytes",
    );
    assert_eq!(get(&oss, "/uploads/1"), 200);
}

#[test]
fn signed_requests_write_read_and_delete() {
    let oss = start();
    let headers = [
        ("content-type", "image/png"),
        ("x-oss-server-side-encryption", "AES256"),
    ];
    assert_eq!(send(&oss, "PUT", &headers, "0123456789").0, 200);
    let object = Object {
        bytes: b"0123456789".to_vec(),
        content_type: "image/png".to_owned(),
        encryption: Some("AES256".to_owned()),
        acl: None,
    };
    assert_eq!(oss.objects()["uploads/1"], object);
    let (status, head) = send(&oss, "HEAD", &[], "");
    assert!(status == 200 && head.contains("content-length: 10\r\n") && head.ends_with("\r\n\r\n"));
    let (status, part) = send(&oss, "GET", &[("range", "bytes=2-4")], "");
    assert!(
        status == 206
            && part.contains("content-range: bytes 2-4/10\r\n")
            && part.ends_with("\n234")
    );
    assert_eq!(
        send(&oss, "GET", &[("range", "bytes=0-31")], "").0,
        200,
        "beyond the end"
    );
    let standard = [
        ("range", "bytes=8-31"),
        ("x-oss-range-behavior", "standard"),
    ];
    assert!(send(&oss, "GET", &standard, "").1.ends_with("\n89"));
    let beyond = [
        ("range", "bytes=10-31"),
        ("x-oss-range-behavior", "standard"),
    ];
    assert_eq!(send(&oss, "GET", &beyond, "").0, 416);
    assert_eq!(
        send(&oss, "GET", &[("if-match", &object.etag())], "").0,
        200
    );
    oss.overwrite("uploads/1", b"other");
    assert_eq!(
        send(&oss, "GET", &[("if-match", &object.etag())], "").0,
        412
    );
    assert_eq!(send(&oss, "DELETE", &[], "").0, 204);
    assert_eq!(send(&oss, "DELETE", &[], "").0, 204);
    assert_eq!(send(&oss, "HEAD", &[], "").0, 404);
}

#[test]
fn a_link_reads_until_it_expires() {
    let oss = start();
    send(&oss, "PUT", &[], "bytes");
    assert_eq!(get(&oss, &link(60)), 200);
    assert_eq!(get(&oss, &link(60).replace("=60", "=61")), 403);
    assert_eq!(get(&oss, &link(604_801)), 400, "longer than seven days");
    oss.set_clock(NOW_MS + 60_001);
    assert_eq!(get(&oss, &link(60)), 403);
}
