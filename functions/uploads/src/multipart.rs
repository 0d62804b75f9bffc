//! Reading a form's body: `multipart/form-data` (RFC 7578), strictly and whole. The crate made for it,
//! multer, brings tables of every legacy character set with it, several times the size of this component.

/// The most parts a form of ours could be sent in.
const MAX_PARTS: usize = 32;
const MAX_PART_HEADERS: usize = 4096;

/// One field of the form.
#[derive(Debug, PartialEq)]
pub struct Part<'a> {
    /// The field's name.
    pub name: String,
    /// Its content, as it was sent.
    pub content: &'a [u8],
}

/// A body that is no form, or not one in this strict reading: nothing before the first part, nothing behind
/// the last.
#[derive(Debug, PartialEq)]
pub struct Malformed;

/// The boundary that `content_type` names, if it is a form's.
pub fn boundary(content_type: &str) -> Option<String> {
    let (media_type, _) = content_type.split_once(';')?;
    if !media_type
        .trim()
        .eq_ignore_ascii_case("multipart/form-data")
    {
        return None;
    }
    // RFC 2046, 5.1.1.
    parameter(content_type, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// The parts of `body`, in their order.
///
/// # Errors
/// See [`Malformed`].
pub fn read<'a>(boundary: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, Malformed> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body
        .strip_prefix(&delimiter.as_bytes()[2..])
        .ok_or(Malformed)?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return match end {
                b"" | b"\r\n" => Ok(parts),
                _ => Err(Malformed),
            };
        }
        if parts.len() == MAX_PARTS {
            return Err(Malformed);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or(Malformed)?;
        let (headers, behind) = split_at_text(rest, b"\r\n\r\n").ok_or(Malformed)?;
        let (content, behind) = split_at_text(behind, delimiter.as_bytes()).ok_or(Malformed)?;
        parts.push(Part {
            name: field_name(headers).ok_or(Malformed)?,
            content,
        });
        rest = behind;
    }
}

/// The name in the part's `Content-Disposition`. Its other headers mean nothing here: the signed fields say
/// what the file is.
fn field_name(headers: &[u8]) -> Option<String> {
    if headers.len() > MAX_PART_HEADERS {
        return None;
    }
    let disposition = std::str::from_utf8(headers)
        .ok()?
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))
        .map(|(_, value)| value.trim())?;
    let (kind, _) = disposition.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    parameter(disposition, "name")
}

/// The parameter `wanted` of a header's value (RFC 9110, 5.6.6).
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let (_, mut rest) = value.split_once(';')?;
    loop {
        let (name, behind) = rest.split_once('=')?;
        let (text, behind) = parameter_text(behind)?;
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(text);
        }
        rest = behind.trim_start().strip_prefix(';')?;
    }
}

/// A parameter's text, bare or in quotation marks, and what follows it.
fn parameter_text(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (bare, behind) = text.split_at(text.find(';').unwrap_or(text.len()));
        return Some((bare.trim().to_owned(), behind));
    };
    let mut read = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((read, &quoted[at + 1..])),
            '\\' => read.push(characters.next()?.1),
            _ => read.push(character),
        }
    }
    None
}

/// What stands before the first `text`, and what behind it.
fn split_at_text<'a>(bytes: &'a [u8], text: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes
        .windows(text.len())
        .position(|window| window == text)?;
    Some((&bytes[..at], &bytes[at + text.len()..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nuploads/1\r\n\
        --x\r\ncontent-type: image/png\r\ncontent-disposition: form-data; filename=\"a;\\\"b=c.png\"; name=file\r\n\r\n\
        \x89PNG\r\n--y\r\n\r\n--x--\r\n";

    #[test]
    fn parts_come_in_order_and_byte_for_byte() {
        let parts = read("x", BODY).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].name, "key");
        assert_eq!(parts[0].content, b"uploads/1");
        assert_eq!(parts[1].name, "file");
        assert_eq!(parts[1].content, b"\x89PNG\r\n--y\r\n");
    }

    #[test]
    fn the_boundary_is_the_forms() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data;charset=utf-8;Boundary=\"a b\"",
                Some("a b"),
            ),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/mixed; boundary=abc", None),
            ("multipart/form-data; boundary=\"abc", None),
        ] {
            assert_eq!(
                boundary(content_type).as_deref(),
                expected,
                "{content_type}"
            );
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        assert_eq!(boundary(&long), None);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for cut in 0..BODY.len() - 2 {
            assert_eq!(read("x", &BODY[..cut]), Err(Malformed), "{cut}");
        }
        for body in [
            &b"preamble\r\n--x--"[..],
            b"--x--epilogue",
            b"--x\r\n\r\n\r\ncontent\r\n--x--",
            b"--x\r\ncontent-disposition: form-data\r\n\r\ncontent\r\n--x--",
            b"--x\r\ncontent-disposition: inline; name=a\r\n\r\ncontent\r\n--x--",
        ] {
            assert_eq!(read("x", body), Err(Malformed));
        }
        assert_eq!(read("x", b"--x--"), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn any_content_comes_back(content: Vec<u8>, name in "[a-z-]{1,20}") {
            let boundary = "0b1c2d3e4f";
            let head = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
            let tail = format!("\r\n--{boundary}--\r\n");
            let body = [head.as_bytes(), &content, tail.as_bytes()].concat();
            prop_assert_eq!(read(boundary, &body), Ok(vec![Part { name, content: &content }]));
        }

        #[test]
        fn garbage_never_panics(content_type: String, body: Vec<u8>, at in 0usize..BODY.len(), byte: u8) {
            boundary(&content_type);
            let _ = read("x", &body);
            let mut changed = BODY.to_vec();
            changed[at] = byte;
            let _ = read("x", &changed);
        }
    }
}
