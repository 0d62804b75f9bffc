//! The form of PostObject: `multipart/form-data` in which the file is the last field that counts.

use crate::http::Request;

/// What a form brought.
pub struct Form {
    /// The fields before the file, their names in lower case.
    pub fields: Vec<(String, String)>,
    /// The file.
    pub file: Vec<u8>,
}

impl Form {
    /// Reads a form; `None` where it is not well formed.
    pub fn read(request: &Request) -> Option<Self> {
        let kind = request.header("content-type")?;
        let boundary = kind.strip_prefix("multipart/form-data;")?.trim();
        let boundary = boundary.strip_prefix("boundary=")?.trim_matches('"');
        let delimiter = format!("\r\n--{boundary}");
        // The first delimiter has no line break of its own in front of it.
        let body = [b"\r\n", &request.body[..]].concat();
        let mut rest = after(&body, delimiter.as_bytes())?.1;
        let mut fields = Vec::new();
        while let Some(part) = rest.strip_prefix(b"\r\n") {
            let (content, next) = after(part, delimiter.as_bytes())?;
            let (name, value) = field(content)?;
            if name == "file" {
                let file = value.to_vec();
                return Some(Self { fields, file });
            }
            fields.push((name, String::from_utf8(value.to_vec()).ok()?));
            rest = next;
        }
        None
    }

    /// A field's value.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn field(part: &[u8]) -> Option<(String, &[u8])> {
    let (headers, value) = after(part, b"\r\n\r\n")?;
    let headers = std::str::from_utf8(headers).ok()?;
    let disposition = headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))?
        .1;
    let mut parameters = disposition.split(';').map(str::trim);
    if parameters.next()? != "form-data" {
        return None;
    }
    let name = parameters.find_map(|parameter| parameter.strip_prefix("name="))?;
    Some((name.trim_matches('"').to_lowercase(), value))
}

/// What is before and after the first occurrence.
fn after<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut windows = bytes.windows(separator.len());
    let at = windows.position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}
