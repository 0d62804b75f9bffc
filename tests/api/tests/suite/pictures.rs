//! Small pictures that tell more than they show.

/// What a picture's metadata says, and must not say to anybody else.
pub const SECRET: &str = "GPS 24.4798N 118.0894E";

/// Behind the end of a picture.
const TRAILER: &[u8] = b"<script>alert(1)</script>";

/// A PNG whose pixels hold `marker`, with metadata and something behind its end.
pub fn png(marker: &str) -> Vec<u8> {
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]),
        chunk(b"eXIf", SECRET.as_bytes()),
        chunk(b"tEXt", format!("Comment\0{SECRET}").as_bytes()),
        chunk(b"IDAT", marker.as_bytes()),
        chunk(b"IEND", b""),
        TRAILER.to_vec(),
    ]
    .concat()
}

/// PNG's checksum is CRC-32 (ISO 3309) of name and data.
fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("short").to_be_bytes();
    let named = [name, data].concat();
    let crc = !named.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| {
            let shifted = crc >> 1;
            if crc & 1 == 1 {
                shifted ^ 0xEDB8_8320
            } else {
                shifted
            }
        })
    });
    [&length[..], &named, &crc.to_be_bytes()].concat()
}

/// A JPEG that was taken with the camera turned (orientation 6), with metadata and something behind its end.
pub fn jpeg() -> Vec<u8> {
    let tiff = [
        &b"MM\0\x2a\0\0\0\x08\0\x01"[..],
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
        b"\0\0\0\0",
        SECRET.as_bytes(),
    ]
    .concat();
    [
        b"\xff\xd8".to_vec(),
        segment(0xE1, &[b"Exif\0\0", &tiff[..]].concat()),
        segment(
            0xE1,
            format!("http://ns.adobe.com/xap/1.0/\0{SECRET}").as_bytes(),
        ),
        segment(0xED, SECRET.as_bytes()),
        segment(0xFE, SECRET.as_bytes()),
        segment(0xDB, &[0; 65]),
        segment(0xC0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
        segment(0xDA, &[1, 1, 0, 0, 63, 0]),
        b"pixels\xff\xd9".to_vec(),
        TRAILER.to_vec(),
    ]
    .concat()
}

fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2)
        .expect("short")
        .to_be_bytes();
    [&[0xFF, marker], &length[..], payload].concat()
}

/// A WebP with metadata and something behind its end.
pub fn webp() -> Vec<u8> {
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let length = u32::try_from(data.len()).expect("short").to_le_bytes();
        let padding = vec![0; data.len() % 2];
        [&name[..], &length, data, &padding].concat()
    };
    let chunks = [
        b"WEBP".to_vec(),
        chunk(b"VP8X", &[0b0000_1100, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        chunk(b"VP8L", b"\x2f\0\0\0\0pixels"),
        chunk(b"EXIF", SECRET.as_bytes()),
        chunk(b"XMP ", SECRET.as_bytes()),
    ]
    .concat();
    let length = u32::try_from(chunks.len()).expect("short").to_le_bytes();
    [&b"RIFF"[..], &length, &chunks, TRAILER].concat()
}

/// Whether a picture still tells what it must not, or carries something behind its end.
pub fn tells(picture: &[u8]) -> bool {
    let holds = |text: &[u8]| picture.windows(text.len()).any(|window| window == text);
    holds(SECRET.as_bytes()) || holds(TRAILER)
}
