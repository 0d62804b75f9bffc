//! The one thing in EXIF that is part of how a picture looks (CIPA DC-008, 4.6.5: tag 0x0112 of the first
//! directory).

/// Reads the orientation from EXIF's TIFF structure; `None` where it is absent, unreadable, or says that
/// the picture stands upright.
pub fn read(tiff: &[u8]) -> Option<u8> {
    let number = match tiff.get(..4)? {
        b"MM\0*" => Number { is_big: true },
        b"II*\0" => Number { is_big: false },
        _ => return None,
    };
    let directory = usize::try_from(number.long(tiff.get(4..8)?)).ok()?;
    let directory = tiff.get(directory..)?;
    let entries = usize::from(number.short(directory.get(..2)?));
    let entry = directory[2..]
        .chunks_exact(12)
        .take(entries)
        .find(|entry| number.short(&entry[..2]) == TAG)?;
    let is_one_short = number.short(&entry[2..4]) == SHORT && number.long(&entry[4..8]) == 1;
    let value = u8::try_from(number.short(&entry[8..10])).ok()?;
    (is_one_short && (2..=8).contains(&value)).then_some(value)
}

/// A TIFF structure that says the orientation and nothing else.
pub fn write(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01".to_vec();
    tiff.extend(TAG.to_be_bytes());
    tiff.extend(SHORT.to_be_bytes());
    tiff.extend([0, 0, 0, 1, 0, orientation, 0, 0]);
    // There is no second directory.
    tiff.extend([0; 4]);
    tiff
}

const TAG: u16 = 0x0112;
const SHORT: u16 = 3;

struct Number {
    is_big: bool,
}

impl Number {
    fn short(&self, bytes: &[u8]) -> u16 {
        let bytes = [bytes[0], bytes[1]];
        if self.is_big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    fn long(&self, bytes: &[u8]) -> u32 {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.is_big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for orientation in 2..=8 {
            assert_eq!(read(&write(orientation)), Some(orientation));
        }
        for orientation in [0, 1, 9] {
            assert_eq!(read(&write(orientation)), None);
        }
    }

    #[test]
    fn both_byte_orders_are_read() {
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        assert_eq!(read(little), Some(6));
    }

    #[test]
    fn another_type_or_count_says_nothing() {
        let mut long = write(6);
        long[13] = 4;
        assert_eq!(read(&long), None);
        let mut two = write(6);
        two[17] = 2;
        assert_eq!(read(&two), None);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes: Vec<u8>, at in 0usize..26, byte: u8) {
            read(&bytes);
            let mut tiff = write(6);
            tiff[at] = byte;
            read(&tiff);
        }
    }
}
