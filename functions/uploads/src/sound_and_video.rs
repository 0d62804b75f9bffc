//! Sound and video by their first bytes. The usual crates for this tell an MP4's sound from its video by
//! brands that phones do not set, so what is declared could not be held against what they say.

/// How many bytes are looked at.
pub const HEAD: usize = 32;

/// MP4's brands, by how they begin (ISO/IEC 14496-12; <https://mp4ra.org/registered-types/brands>). Those
/// of pictures (`heic`, `mif1`, `avif`) are not among them: a picture is declared as one, and stripped.
const MP4_BRANDS: [&[u8]; 9] = [
    b"iso", b"mp4", b"M4A", b"M4B", b"M4V", b"avc1", b"3gp", b"dash", b"MSNV",
];

/// Whether an object of the media type `content_type` can begin with `head`.
pub fn begins(content_type: &str, head: &[u8]) -> bool {
    match content_type {
        "audio/aac" => is_adts(head),
        "audio/amr" => head.starts_with(b"#!AMR\n") || head.starts_with(b"#!AMR-WB\n"),
        "audio/mpeg" => head.starts_with(b"ID3") || is_mpeg_audio(head),
        "audio/mp4" | "video/mp4" => is_mp4(head),
        _ => false,
    }
}

/// An ADTS header (ISO/IEC 13818-7, 6.2): twelve bits of synchronisation, one of the version, layer 0.
fn is_adts(head: &[u8]) -> bool {
    matches!(head, [0xFF, second, ..] if second & 0xF6 == 0xF0)
}

/// An MPEG audio header (ISO/IEC 11172-3, 2.4.1.3) without the reserved values.
fn is_mpeg_audio(head: &[u8]) -> bool {
    let [0xFF, second, third, ..] = *head else {
        return false;
    };
    let (version, layer) = (second >> 3 & 0b11, second >> 1 & 0b11);
    let (bit_rate, sample_rate) = (third >> 4, third >> 2 & 0b11);
    second >= 0xE0 && version != 0b01 && layer != 0b00 && bit_rate != 0b1111 && sample_rate != 0b11
}

/// A box `ftyp` first, of a brand of ours.
fn is_mp4(head: &[u8]) -> bool {
    let Some((size, rest)) = head.split_first_chunk::<4>() else {
        return false;
    };
    let brand = rest.strip_prefix(b"ftyp");
    u32::from_be_bytes(*size) >= 16
        && brand.is_some_and(|brand| MP4_BRANDS.iter().any(|known| brand.starts_with(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_begins_in_its_own_way() {
        let mp4 = b"\0\0\0\x18ftypisom\0\0\x02\0";
        let heads: [(&[u8], &[&str]); 8] = [
            (b"\xFF\xF1\x50\x80", &["audio/aac"]),
            (b"#!AMR\n\x04", &["audio/amr"]),
            (b"#!AMR-WB\n\x04", &["audio/amr"]),
            (b"ID3\x04\0", &["audio/mpeg"]),
            (b"\xFF\xFB\x90\x44", &["audio/mpeg"]),
            (mp4, &["audio/mp4", "video/mp4"]),
            (b"\0\0\0\x18ftypheic\0\0\0\0", &[]),
            (b"<html>", &[]),
        ];
        for (head, types) in heads {
            for declared in [
                "audio/aac",
                "audio/amr",
                "audio/mpeg",
                "audio/mp4",
                "video/mp4",
            ] {
                let expected = types.contains(&declared);
                assert_eq!(begins(declared, head), expected, "{declared} {head:?}");
            }
        }
        assert!(!begins("image/png", b"\x89PNG\r\n\x1a\n"));
    }

    #[test]
    fn a_short_head_is_none_of_them() {
        for declared in ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4"] {
            for head in [&b""[..], b"\xFF", b"\0\0\0\x18ftyp", b"#!AMR"] {
                assert!(!begins(declared, head), "{declared} {head:?}");
            }
        }
    }
}
