//! E-mail addresses.

/// The longest address (RFC 5321, 4.5.3.1.3, less the brackets).
const MAX_LENGTH: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;

/// Whether `text` is one address as people have them: letters, digits and a few signs, at a domain with a dot. No
/// quoted forms, no list of addresses, nothing that could end a mail's header.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let is_atom = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty()
            && bytes
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        let is_inside = bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=MAX_LABEL).contains(&label.len())
            && is_inside
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= MAX_LENGTH
        && local.len() <= MAX_LOCAL
        && local.split('.').all(is_atom)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_and_nothing_else() {
        for address in [
            "a@b.cn",
            "Li.Ming+copy@mail.example.com",
            "1@2.cn",
            "x_y@xn--fiq228c.cn",
        ] {
            assert!(is_address(address), "{address}");
        }
        let long = format!("{}@b.cn", "a".repeat(65));
        for text in [
            "",
            "a",
            "a@b",
            "@b.cn",
            "a@",
            "a@.cn",
            "a@b..cn",
            "a.@b.cn",
            ".a@b.cn",
            "a@b.cn,c@d.cn",
            "a b@c.cn",
            "a@b.cn\r\nBcc: c@d.cn",
            "<a@b.cn>",
            "a@-b.cn",
            "a@b@c.cn",
            "李@b.cn",
            &long,
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
