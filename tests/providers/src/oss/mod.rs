//! Alibaba Cloud Object Storage Service: a private bucket. Objects come by form (PostObject) or by PutObject,
//! are read by signed requests and by signed links, and go by DeleteObject; signature version 4 only.
//!
//! The bucket is the first label of the host, as in `https://bucket.oss-cn-hangzhou.aliyuncs.com`; of the
//! stand-in's own address that is `127`. Errors:
//! <https://www.alibabacloud.com/help/en/oss/how-to-handle-common-errors-when-the-postobject-operation-is-called>.

mod form;
mod object;
mod policy;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Mutex;

use self::form::Form;
pub use self::object::Object;
use self::signature::Credentials;
use crate::encoding::percent_decoded;
use crate::http::{Request, response};
use crate::stand_in::{Provider, Refusal, StandIn, locked};

const REQUEST_ID: &str = "5C3D9175B6FC201293AD4890";

/// A running stand-in of the service.
pub type Oss = StandIn<Bucket>;

/// A private bucket.
pub struct Bucket {
    credentials: Credentials,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    requests: Vec<Request>,
}

/// A request that is in order, and what it does.
pub struct Accepted {
    request: Request,
    effect: Effect,
}

enum Effect {
    Post {
        key: String,
        object: Object,
        status: u16,
    },
    Put {
        key: String,
        object: Object,
    },
    Show(Object),
    Delete {
        key: String,
    },
}

impl StandIn<Bucket> {
    /// Starts one that knows this key, in a region such as `cn-hangzhou`.
    pub fn start(access_key_id: &str, access_key_secret: &str, region: &str) -> Self {
        Self::serve(Bucket {
            credentials: Credentials {
                access_key_id: access_key_id.to_owned(),
                access_key_secret: access_key_secret.to_owned(),
                region: region.to_owned(),
            },
            state: Mutex::default(),
        })
    }

    /// The objects by their keys.
    pub fn objects(&self) -> BTreeMap<String, Object> {
        locked(&self.provider().state).objects.clone()
    }

    /// The requests that were accepted, in order.
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.provider().state).requests.clone()
    }

    /// Writes other bytes over an object, as a second use of its form would.
    ///
    /// # Panics
    /// If there is no object.
    pub fn overwrite(&self, key: &str, bytes: &[u8]) {
        let mut state = locked(&self.provider().state);
        let object = state.objects.get_mut(key).expect("an object");
        object.bytes = bytes.to_vec();
    }
}

impl Provider for Bucket {
    type Accepted = Accepted;

    fn check(&self, request: &Request, now_ms: i64) -> Result<Accepted, Refusal> {
        let host = request.header("host").ok_or((400, "InvalidRequest"))?;
        let bucket = host.split('.').next().unwrap_or_default();
        let path = percent_decoded(&request.path).ok_or((400, "InvalidObjectName"))?;
        let key = path.trim_start_matches('/');
        let effect = match (request.method.as_str(), key) {
            ("POST", "") => self.post(request, bucket, now_ms)?,
            ("PUT" | "GET" | "HEAD" | "DELETE", key) if !key.is_empty() => {
                self.access(request, bucket, key, now_ms)?
            }
            _ => return Err((405, "MethodNotAllowed")),
        };
        let request = request.clone();
        Ok(Accepted { request, effect })
    }

    fn accept(&self, Accepted { request, effect }: Accepted) -> Vec<u8> {
        let mut state = locked(&self.state);
        let answer = match effect {
            Effect::Post {
                key,
                object,
                status,
            } => {
                let answer = posted(&key, &object, status);
                state.objects.insert(key, object);
                answer
            }
            Effect::Put { key, object } => {
                let answer = stored("PUT", 200, &object, "");
                state.objects.insert(key, object);
                answer
            }
            Effect::Show(object) => object.show(&request),
            Effect::Delete { key } => {
                state.objects.remove(&key);
                let headers = [("x-oss-request-id", REQUEST_ID)];
                response("DELETE", 204, &headers, b"")
            }
        };
        state.requests.push(request);
        answer
    }

    fn refuse(&self, request: &Request, (status, code): Refusal) -> Vec<u8> {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>{code}</Code>\n  \
             <Message>refused</Message>\n  <RequestId>{REQUEST_ID}</RequestId>\n</Error>\n"
        );
        let headers = [
            ("content-type", "application/xml"),
            ("x-oss-request-id", REQUEST_ID),
        ];
        response(&request.method, status, &headers, body.as_bytes())
    }
}

impl Bucket {
    fn post(&self, request: &Request, bucket: &str, now_ms: i64) -> Result<Effect, Refusal> {
        let form = Form::read(request).ok_or((400, "MalformedPOSTRequest"))?;
        policy::check(&form, &self.credentials, bucket, now_ms)?;
        let key = form.field("key").filter(|key| !key.is_empty());
        let key = key.ok_or((400, "InvalidArgument"))?;
        let named = |name: &str| form.field(name).map(str::to_owned);
        let object = Object {
            bytes: form.file.clone(),
            content_type: named("content-type").unwrap_or_else(default_type),
            encryption: named("x-oss-server-side-encryption"),
            acl: named("x-oss-object-acl"),
        };
        self.check_write(key, &object, form.field("x-oss-forbid-overwrite"))?;
        // Any other status is taken for the default one.
        let status = match form.field("success_action_status") {
            Some("200") => 200,
            Some("201") => 201,
            _ => 204,
        };
        Ok(Effect::Post {
            key: key.to_owned(),
            object,
            status,
        })
    }

    fn access(
        &self,
        request: &Request,
        bucket: &str,
        key: &str,
        now_ms: i64,
    ) -> Result<Effect, Refusal> {
        let object = locked(&self.state).objects.get(key).cloned();
        let is_reading = matches!(request.method.as_str(), "GET" | "HEAD");
        if !(is_reading && object.as_ref().is_some_and(Object::is_public)) {
            self.credentials.check(request, bucket, now_ms)?;
        }
        match request.method.as_str() {
            "PUT" => self.put(request, bucket, key),
            "DELETE" => Ok(Effect::Delete {
                key: key.to_owned(),
            }),
            _ => {
                let object = object.ok_or((404, "NoSuchKey"))?;
                let wanted = request.header("if-match");
                if wanted.is_some_and(|wanted| wanted != object.etag()) {
                    return Err((412, "PreconditionFailed"));
                }
                if object.is_out_of_range(request) {
                    return Err((416, "InvalidRange"));
                }
                Ok(Effect::Show(object))
            }
        }
    }

    fn put(&self, request: &Request, bucket: &str, key: &str) -> Result<Effect, Refusal> {
        let named = |name: &str| request.header(name).map(str::to_owned);
        let source = named("x-oss-copy-source")
            .map(|source| self.source(request, bucket, &source))
            .transpose()?;
        let (bytes, content_type) = match source {
            // A copy keeps its source's media type unless the request says otherwise.
            Some(source) => (source.bytes, source.content_type),
            None => (
                request.body.clone(),
                named("content-type").unwrap_or_else(default_type),
            ),
        };
        let object = Object {
            bytes,
            content_type,
            encryption: named("x-oss-server-side-encryption"),
            acl: named("x-oss-object-acl"),
        };
        self.check_write(key, &object, request.header("x-oss-forbid-overwrite"))?;
        Ok(Effect::Put {
            key: key.to_owned(),
            object,
        })
    }

    /// The object that is copied (<https://help.aliyun.com/zh/oss/developer-reference/copyobject>).
    fn source(&self, request: &Request, bucket: &str, source: &str) -> Result<Object, Refusal> {
        let path = percent_decoded(source).ok_or((400, "InvalidArgument"))?;
        let key = path
            .strip_prefix(&format!("/{bucket}/"))
            .ok_or((400, "InvalidArgument"))?;
        let object = locked(&self.state).objects.get(key).cloned();
        let object = object.ok_or((404, "NoSuchKey"))?;
        match request.header("x-oss-copy-source-if-match") {
            Some(wanted) if wanted != object.etag() => Err((412, "PreconditionFailed")),
            _ => Ok(object),
        }
    }

    /// Checks what the form and the header say in the same words.
    fn check_write(&self, key: &str, object: &Object, forbid: Option<&str>) -> Result<(), Refusal> {
        let encryption = object.encryption.as_deref();
        if !matches!(encryption, None | Some("AES256" | "SM4" | "KMS")) {
            return Err((400, "InvalidEncryptionAlgorithmError"));
        }
        let acl = object.acl.as_deref().unwrap_or("default");
        if !["default", "private", "public-read", "public-read-write"].contains(&acl) {
            return Err((400, "InvalidArgument"));
        }
        match forbid {
            None | Some("false") => Ok(()),
            Some("true") if !locked(&self.state).objects.contains_key(key) => Ok(()),
            Some("true") => Err((409, "FileAlreadyExists")),
            Some(_) => Err((400, "InvalidArgument")),
        }
    }
}

fn default_type() -> String {
    "application/octet-stream".to_owned()
}

fn posted(key: &str, object: &Object, status: u16) -> Vec<u8> {
    let etag = object.etag();
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Key>{key}</Key>\
         <ETag>{etag}</ETag></PostResponse>"
    );
    stored(
        "POST",
        status,
        object,
        if status == 201 { &document } else { "" },
    )
}

fn stored(method: &str, status: u16, object: &Object, body: &str) -> Vec<u8> {
    let etag = object.etag();
    let mut headers = vec![("etag", etag.as_str()), ("x-oss-request-id", REQUEST_ID)];
    if let Some(encryption) = &object.encryption {
        headers.push(("x-oss-server-side-encryption", encryption));
    }
    response(method, status, &headers, body.as_bytes())
}
