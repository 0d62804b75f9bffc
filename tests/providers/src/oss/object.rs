//! Objects, and the answers that show them.

use md5::{Digest as _, Md5};

use crate::encoding::hex;
use crate::http::{Request, response};

/// What a bucket keeps under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// `Content-Type`.
    pub content_type: String,
    /// `x-oss-server-side-encryption`, such as `AES256`.
    pub encryption: Option<String>,
    /// `x-oss-object-acl`; none means the bucket's, which is private.
    pub acl: Option<String>,
}

impl Object {
    /// The upper-case MD5 in quotes. OSS promises the MD5 for PutObject alone; to a client it is a mark of
    /// the content and no more.
    pub fn etag(&self) -> String {
        format!("\"{}\"", hex(&Md5::digest(&self.bytes)).to_uppercase())
    }

    /// Whether anybody may read it.
    pub fn is_public(&self) -> bool {
        let acl = self.acl.as_deref();
        acl.is_some_and(|acl| acl.starts_with("public-read"))
    }

    /// Whether a range begins beyond the end, and the client does not want the whole object instead.
    pub fn is_out_of_range(&self, request: &Request) -> bool {
        let range = request
            .header("range")
            .and_then(|range| range.strip_prefix("bytes="));
        let first = range.and_then(|range| range.split('-').next()?.parse::<usize>().ok());
        has_standard_ranges(request) && first.is_some_and(|first| first >= self.bytes.len())
    }

    /// The answer to GET and HEAD.
    pub fn show(&self, request: &Request) -> Vec<u8> {
        let length = self.bytes.len();
        let range = request
            .header("range")
            .and_then(|range| Range::read(range, length, has_standard_ranges(request)));
        let etag = self.etag();
        let mut headers = vec![
            ("content-type", self.content_type.as_str()),
            ("etag", etag.as_str()),
            ("accept-ranges", "bytes"),
            ("last-modified", "Fri, 24 Feb 2012 06:07:48 GMT"),
            ("x-oss-object-type", "Normal"),
            ("x-oss-request-id", super::REQUEST_ID),
        ];
        if let Some(encryption) = &self.encryption {
            headers.push(("x-oss-server-side-encryption", encryption));
        }
        let Some(Range { first, last }) = range else {
            return response(&request.method, 200, &headers, &self.bytes);
        };
        let content_range = format!("bytes {first}-{last}/{length}");
        headers.push(("content-range", &content_range));
        response(&request.method, 206, &headers, &self.bytes[first..=last])
    }
}

fn has_standard_ranges(request: &Request) -> bool {
    request.header("x-oss-range-behavior") == Some("standard")
}

/// The first and the last byte of a part.
struct Range {
    first: usize,
    last: usize,
}

impl Range {
    /// `None` means that the header is ignored and the whole object is shown: so OSS does with a range that is
    /// malformed, and with one that goes beyond the end unless `x-oss-range-behavior` is `standard`
    /// (<https://help.aliyun.com/document_detail/39571.htm>).
    fn read(text: &str, length: usize, is_standard: bool) -> Option<Self> {
        let end = length.checked_sub(1)?;
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let range = match (first, last) {
            ("", count) => Self {
                first: length.checked_sub(count.parse().ok()?)?,
                last: end,
            },
            (first, "") => Self {
                first: first.parse().ok()?,
                last: end,
            },
            (first, last) => {
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                let last = if is_standard { end.min(last) } else { last };
                Self { first, last }
            }
        };
        (range.first <= range.last && range.last <= end).then_some(range)
    }
}
