//! PNG (W3C, Portable Network Graphics, third edition): a signature and chunks, each with a checksum that is
//! copied with it.

use super::{Unreadable, take};

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The chunks that say how the picture, or each of its frames, looks.
const KEPT: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// The picture without metadata.
///
/// # Errors
/// It is no whole PNG.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut rest = bytes.strip_prefix(SIGNATURE).ok_or(Unreadable)?;
    let mut stripped = SIGNATURE.to_vec();
    stripped.reserve(bytes.len());
    let (mut is_first, mut has_data) = (true, false);
    loop {
        let chunk = Chunk::read(&mut rest)?;
        // The header comes first, and once.
        if is_first != (chunk.name == b"IHDR" && chunk.data_length == 13) {
            return Err(Unreadable);
        }
        is_first = false;
        has_data |= chunk.name == b"IDAT";
        if KEPT.contains(&chunk.name) {
            stripped.extend_from_slice(chunk.whole);
        }
        if chunk.name == b"IEND" {
            return (has_data && chunk.data_length == 0)
                .then_some(stripped)
                .ok_or(Unreadable);
        }
    }
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    data_length: usize,
    /// With its length and its checksum.
    whole: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn read(rest: &mut &'a [u8]) -> Result<Self, Unreadable> {
        let (length, later) = rest.split_first_chunk().ok_or(Unreadable)?;
        let data_length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Unreadable)?;
        let name = later.first_chunk().ok_or(Unreadable)?;
        // Its length, its name and its checksum are not counted in its length.
        let whole = take(rest, data_length.checked_add(12).ok_or(Unreadable)?)?;
        Ok(Self {
            name,
            data_length,
            whole,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::picture::tests::tests_trailer;

    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], name, data, b"CRC!"].concat()
    }

    /// A PNG with everything that must go, and something behind its end.
    pub fn original() -> Vec<u8> {
        [
            SIGNATURE.to_vec(),
            chunk(b"IHDR", &[0; 13]),
            chunk(b"eXIf", b"MM\0*GPS"),
            chunk(b"iCCP", b"name\0\0profile"),
            chunk(b"tEXt", b"Author\0GPS"),
            chunk(b"zTXt", b"GPS"),
            chunk(b"iTXt", b"XML:com.adobe.xmp\0GPS"),
            chunk(b"tIME", &[7, 0xE7, 1, 1, 0, 0, 0]),
            chunk(b"prVt", b"GPS"),
            chunk(b"PLTE", &[1, 2, 3]),
            chunk(b"IDAT", b"pixels"),
            chunk(b"IDAT", b"more"),
            chunk(b"IEND", b""),
            tests_trailer().to_vec(),
        ]
        .concat()
    }

    #[test]
    fn metadata_goes_and_the_picture_stays() {
        let expected = [
            SIGNATURE.to_vec(),
            chunk(b"IHDR", &[0; 13]),
            chunk(b"iCCP", b"name\0\0profile"),
            chunk(b"PLTE", &[1, 2, 3]),
            chunk(b"IDAT", b"pixels"),
            chunk(b"IDAT", b"more"),
            chunk(b"IEND", b""),
        ]
        .concat();
        assert_eq!(strip(&original()), Ok(expected));
    }

    #[test]
    fn header_data_and_end_stand_where_they_must() {
        let header = chunk(b"IHDR", &[0; 13]);
        let data = chunk(b"IDAT", b"pixels");
        let end = chunk(b"IEND", b"");
        let whole = |chunks: &[&[u8]]| [SIGNATURE, &chunks.concat()].concat();
        assert!(strip(&whole(&[&header, &data, &end])).is_ok());
        for broken in [
            whole(&[&data, &header, &end]),
            whole(&[&header, &header, &data, &end]),
            whole(&[&header, &end]),
            whole(&[&header, &data]),
            whole(&[&header, &data, &chunk(b"IEND", b"GPS")]),
            whole(&[&chunk(b"IHDR", &[0; 12]), &data, &end]),
        ] {
            assert_eq!(strip(&broken), Err(Unreadable));
        }
    }
}
