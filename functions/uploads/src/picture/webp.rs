//! WebP (RFC 9649): chunks in a RIFF container, of which an animation's frames hold chunks of their own.

use super::{Unreadable, take};

/// The chunks that say how the picture looks.
const IN_PICTURE: &[&[u8; 4]] = &[b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ICCP", FRAME];
/// The chunks that say how a frame looks.
const IN_FRAME: &[&[u8; 4]] = &[b"VP8 ", b"VP8L", b"ALPH"];

/// The chunks that hold pixels.
const PIXELS: &[&[u8; 4]] = &[b"VP8 ", b"VP8L"];

const FRAME: &[u8; 4] = b"ANMF";
/// A frame's place, size, duration and flags, before its chunks.
const FRAME_HEADER: usize = 16;
const EXTENDED: &[u8; 4] = b"VP8X";
/// Of the extended header's flags: there is EXIF, there is XMP.
const METADATA_FLAGS: u8 = 0x08 | 0x04;

/// The picture without metadata.
///
/// # Errors
/// It is no whole WebP.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut rest = bytes.strip_prefix(b"RIFF").ok_or(Unreadable)?;
    let length = read_length(&mut rest)?;
    let body = take(&mut rest, length)?;
    let chunks = body.strip_prefix(b"WEBP").ok_or(Unreadable)?;
    let (kept, has_pixels) = strip_chunks(chunks, IN_PICTURE)?;
    if !has_pixels {
        return Err(Unreadable);
    }
    let mut stripped = Vec::with_capacity(bytes.len());
    write_chunk(&mut stripped, b"RIFF", &[b"WEBP", &kept[..]].concat());
    Ok(stripped)
}

/// Those of `chunks` that are `allowed`, and whether there are pixels among them.
fn strip_chunks(mut chunks: &[u8], allowed: &[&[u8; 4]]) -> Result<(Vec<u8>, bool), Unreadable> {
    let mut kept = Vec::with_capacity(chunks.len());
    let mut has_pixels = false;
    while !chunks.is_empty() {
        let name = take(&mut chunks, 4)?;
        let name: &[u8; 4] = name.try_into().map_err(|_| Unreadable)?;
        let length = read_length(&mut chunks)?;
        let data = take(&mut chunks, length)?;
        take(&mut chunks, length % 2)?;
        if !allowed.contains(&name) {
            continue;
        }
        match name {
            FRAME => {
                let (header, frame) = data.split_at_checked(FRAME_HEADER).ok_or(Unreadable)?;
                let (frame, in_frame) = strip_chunks(frame, IN_FRAME)?;
                has_pixels |= in_frame;
                write_chunk(&mut kept, name, &[header, &frame].concat());
            }
            EXTENDED => {
                let (flags, rest) = data.split_first().ok_or(Unreadable)?;
                write_chunk(
                    &mut kept,
                    name,
                    &[&[flags & !METADATA_FLAGS], rest].concat(),
                );
            }
            _ => {
                has_pixels |= PIXELS.contains(&name);
                write_chunk(&mut kept, name, data);
            }
        }
    }
    Ok((kept, has_pixels))
}

fn read_length(rest: &mut &[u8]) -> Result<usize, Unreadable> {
    let (length, later) = rest.split_first_chunk().ok_or(Unreadable)?;
    *rest = later;
    usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Unreadable)
}

fn write_chunk(kept: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("no chunk has grown beyond its field");
    kept.extend(name);
    kept.extend(length.to_le_bytes());
    kept.extend_from_slice(data);
    if data.len() % 2 == 1 {
        kept.push(0);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::picture::tests::tests_trailer;

    fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut chunk = Vec::new();
        write_chunk(&mut chunk, name, data);
        chunk
    }

    fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
        chunk(b"RIFF", &[b"WEBP", &chunks.concat()[..]].concat())
    }

    fn extended(flags: u8) -> Vec<u8> {
        chunk(EXTENDED, &[flags, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    fn frame(chunks: &[Vec<u8>]) -> Vec<u8> {
        chunk(FRAME, &[&[9; FRAME_HEADER], &chunks.concat()[..]].concat())
    }

    /// A WebP with everything that must go, and something behind its end.
    pub fn original() -> Vec<u8> {
        let whole = webp(&[
            extended(0x20 | 0x10 | 0x08 | 0x04 | 0x02),
            chunk(b"ICCP", b"profile"),
            chunk(b"ANIM", &[0; 6]),
            frame(&[
                chunk(b"ALPH", b"a"),
                chunk(b"VP8 ", b"pixels"),
                chunk(b"EXIF", b"GPS"),
            ]),
            chunk(b"VP8L", b"pixel"),
            chunk(b"EXIF", b"MM\0*GPS"),
            chunk(b"XMP ", b"<xmp>GPS</xmp>"),
            chunk(b"prVt", b"GPS"),
        ]);
        [&whole[..], tests_trailer()].concat()
    }

    #[test]
    fn metadata_goes_and_the_picture_stays() {
        let expected = webp(&[
            extended(0x20 | 0x10 | 0x02),
            chunk(b"ICCP", b"profile"),
            chunk(b"ANIM", &[0; 6]),
            frame(&[chunk(b"ALPH", b"a"), chunk(b"VP8 ", b"pixels")]),
            chunk(b"VP8L", b"pixel"),
        ]);
        assert_eq!(strip(&original()), Ok(expected));
    }

    #[test]
    fn without_pixels_it_is_no_picture() {
        assert!(strip(&webp(&[chunk(b"VP8 ", b"pixels")])).is_ok());
        for broken in [
            webp(&[]),
            webp(&[extended(0)]),
            webp(&[chunk(b"EXIF", b"GPS")]),
            webp(&[frame(&[frame(&[chunk(b"VP8 ", b"pixels")])])]),
        ] {
            assert_eq!(strip(&broken), Err(Unreadable));
        }
    }
}
