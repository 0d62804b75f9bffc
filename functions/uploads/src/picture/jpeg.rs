//! JPEG (ITU-T T.81, annex B): segments and coded data. Of the application's own segments three change how
//! the picture looks and stay: JFIF (without its thumbnail), the colour profile, and Adobe's colour
//! transform.

use super::{Unreadable, orientation, take};

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;

const EXIF: &[u8] = b"Exif\0\0";
const JFIF: &[u8] = b"JFIF\0";
const COLOUR_PROFILE: &[u8] = b"ICC_PROFILE\0";
const ADOBE: &[u8] = b"Adobe";
/// `JFIF\0`, the version, the density, and a thumbnail's width and height.
const JFIF_LENGTH: usize = 14;
const ADOBE_LENGTH: usize = 12;

enum Piece<'a> {
    Segment(u8, &'a [u8]),
    /// Coded data up to the next marker.
    Coded(&'a [u8]),
}

/// The picture without metadata.
///
/// # Errors
/// It is no whole JPEG.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let pieces = pieces(bytes)?;
    let mut stripped = vec![0xFF, SOI];
    stripped.reserve(bytes.len());
    if let Some(jfif) = pieces.iter().find_map(jfif) {
        write_segment(&mut stripped, APP0, &jfif);
    }
    if let Some(orientation) = pieces.iter().find_map(orientation) {
        let exif = [EXIF, &orientation::write(orientation)].concat();
        write_segment(&mut stripped, APP1, &exif);
    }
    for piece in &pieces {
        match piece {
            Piece::Coded(data) => stripped.extend_from_slice(data),
            Piece::Segment(marker, payload) => {
                if let Some(payload) = kept(*marker, payload) {
                    write_segment(&mut stripped, *marker, payload);
                }
            }
        }
    }
    stripped.extend([0xFF, EOI]);
    Ok(stripped)
}

/// What stays of a segment where it stands.
fn kept(marker: u8, payload: &[u8]) -> Option<&[u8]> {
    match marker {
        APP2 if payload.starts_with(COLOUR_PROFILE) => Some(payload),
        APP14 if payload.starts_with(ADOBE) => payload.get(..ADOBE_LENGTH),
        APP0..=APP15 | COM => None,
        _ => Some(payload),
    }
}

/// JFIF's segment without its thumbnail. It belongs right behind the start.
fn jfif(piece: &Piece) -> Option<Vec<u8>> {
    let Piece::Segment(APP0, payload) = piece else {
        return None;
    };
    let payload = payload
        .get(..JFIF_LENGTH)
        .filter(|payload| payload.starts_with(JFIF))?;
    Some([&payload[..JFIF_LENGTH - 2], &[0, 0]].concat())
}

fn orientation(piece: &Piece) -> Option<u8> {
    let Piece::Segment(APP1, payload) = piece else {
        return None;
    };
    orientation::read(payload.strip_prefix(EXIF)?)
}

fn write_segment(stripped: &mut Vec<u8>, marker: u8, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 2).expect("no segment has grown beyond its field");
    stripped.extend([0xFF, marker]);
    stripped.extend(length.to_be_bytes());
    stripped.extend_from_slice(payload);
}

/// Everything between the start and the end of the picture.
fn pieces(bytes: &[u8]) -> Result<Vec<Piece<'_>>, Unreadable> {
    let mut rest = bytes.strip_prefix(&[0xFF, SOI]).ok_or(Unreadable)?;
    let mut pieces = Vec::new();
    let (mut has_frame, mut has_scan) = (false, false);
    loop {
        match read_marker(&mut rest)? {
            EOI if has_scan => return Ok(pieces),
            SOS if has_frame => {
                pieces.push(Piece::Segment(SOS, read_payload(&mut rest)?));
                pieces.push(Piece::Coded(read_coded(&mut rest)?));
                has_scan = true;
            }
            // Those from 0xD0 to 0xDA stand without a payload, or were dealt with above.
            marker @ (0xC0..=0xCF | 0xDB..=0xFE) => {
                has_frame |= is_frame(marker);
                pieces.push(Piece::Segment(marker, read_payload(&mut rest)?));
            }
            _ => return Err(Unreadable),
        }
    }
}

/// SOF0 to SOF15, among which DHT, JPG and DAC have their numbers.
fn is_frame(marker: u8) -> bool {
    (0xC0..=0xCF).contains(&marker) && ![0xC4, 0xC8, 0xCC].contains(&marker)
}

/// A marker, before which any number of 0xFF may stand.
fn read_marker(rest: &mut &[u8]) -> Result<u8, Unreadable> {
    if take(rest, 1)? != [0xFF] {
        return Err(Unreadable);
    }
    loop {
        match take(rest, 1)?[0] {
            0xFF => {}
            marker => return Ok(marker),
        }
    }
}

fn read_payload<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Unreadable> {
    let length = take(rest, 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    take(rest, length.checked_sub(2).ok_or(Unreadable)?)
}

/// Coded data: in it 0xFF comes with a zero, or as a restart marker.
fn read_coded<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Unreadable> {
    let mut at = 0;
    loop {
        let found = rest[at..].iter().position(|byte| *byte == 0xFF);
        at += found.ok_or(Unreadable)?;
        match rest.get(at + 1).ok_or(Unreadable)? {
            0x00 | 0xD0..=0xD7 => at += 2,
            _ => return take(rest, at),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::picture::tests::tests_trailer;

    const CODED: &[u8] = &[0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56];

    fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
        let mut segment = Vec::new();
        write_segment(&mut segment, marker, payload);
        segment
    }

    /// EXIF with an orientation, a device, and a pointer to GPS data.
    fn exif() -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0\x03\0".to_vec();
        tiff.extend(b"\x0F\x01\x02\0\x08\0\0\0\x32\0\0\0");
        tiff.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0");
        tiff.extend(b"\x25\x88\x04\0\x01\0\0\0\x3A\0\0\0");
        tiff.extend([0; 4]);
        tiff.extend(b"CameraX\0GPS 24.4798N 118.0894E");
        [EXIF, &tiff].concat()
    }

    /// A JPEG with everything that must go, something behind its end, and an orientation.
    pub fn original() -> Vec<u8> {
        [
            vec![0xFF, SOI],
            segment(APP0, b"JFIF\0\x01\x02\x01\0\x48\0\x48\x01\x01RGB"),
            segment(APP1, &exif()),
            segment(APP1, b"http://ns.adobe.com/xap/1.0/\0<xmp>GPS</xmp>"),
            segment(APP2, b"ICC_PROFILE\0\x01\x01profile"),
            segment(APP2, b"MPF\0GPS"),
            segment(0xED, b"Photoshop 3.0\0GPS"),
            segment(APP14, b"Adobe\0\x64\0\0\0\0\x01GPS"),
            segment(COM, b"GPS"),
            segment(0xDB, &[7; 65]),
            vec![0xFF, 0xFF],
            segment(0xC0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0])[1..].to_vec(),
            segment(SOS, &[1, 1, 0, 0, 63, 0]),
            CODED.to_vec(),
            segment(COM, b"GPS between the scans"),
            segment(SOS, &[1, 1, 0, 0, 63, 0]),
            CODED.to_vec(),
            vec![0xFF, EOI],
            tests_trailer().to_vec(),
        ]
        .concat()
    }

    fn contains(bytes: &[u8], text: &[u8]) -> bool {
        bytes.windows(text.len()).any(|window| window == text)
    }

    #[test]
    fn metadata_goes_and_the_picture_stays() {
        let stripped = strip(&original()).unwrap();
        for gone in [&b"GPS"[..], b"Camera", b"xap", b"Photoshop", b"MPF", b"RGB"] {
            assert!(!contains(&stripped, gone), "{gone:?}");
        }
        let expected = [
            vec![0xFF, SOI],
            segment(APP0, b"JFIF\0\x01\x02\x01\0\x48\0\x48\0\0"),
            segment(APP1, &[EXIF, &orientation::write(6)].concat()),
            segment(APP2, b"ICC_PROFILE\0\x01\x01profile"),
            segment(APP14, b"Adobe\0\x64\0\0\0\0\x01"),
            segment(0xDB, &[7; 65]),
            segment(0xC0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
            segment(SOS, &[1, 1, 0, 0, 63, 0]),
            CODED.to_vec(),
            segment(SOS, &[1, 1, 0, 0, 63, 0]),
            CODED.to_vec(),
            vec![0xFF, EOI],
        ]
        .concat();
        assert_eq!(stripped, expected);
    }

    #[test]
    fn without_a_frame_a_scan_or_an_end_it_is_no_picture() {
        let frame = segment(0xC0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]);
        let scan = [segment(SOS, &[1, 1, 0, 0, 63, 0]), CODED.to_vec()].concat();
        let (start, end) = (vec![0xFF, SOI], vec![0xFF, EOI]);
        assert!(strip(&[&start[..], &frame, &scan, &end].concat()).is_ok());
        for broken in [
            [&start[..], &end].concat(),
            [&start[..], &frame, &end].concat(),
            [&start[..], &scan, &end].concat(),
            [&start[..], &frame, &scan].concat(),
            [&start[..], &start, &frame, &scan, &end].concat(),
        ] {
            assert_eq!(strip(&broken), Err(Unreadable));
        }
    }
}
