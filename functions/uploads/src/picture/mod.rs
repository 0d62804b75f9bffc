//! Removing everything from a picture that is not the picture: where it was taken, by which device, whose
//! words and thumbnails it carries. A picture's orientation stays where a JPEG says it, or it would lie on
//! its side.
//!
//! The containers are walked here and not by a crate, because what is kept is a list and not what is left
//! out: a segment or chunk that nobody thought of goes. The coded pixels are copied as they are.

mod jpeg;
mod orientation;
mod png;
mod webp;

/// Not a whole picture of its declared type.
#[derive(Debug, PartialEq)]
pub struct Unreadable;

/// The picture without metadata, and without whatever follows its end.
///
/// # Errors
/// `bytes` are no whole picture of the media type `content_type`.
pub fn strip(content_type: &str, bytes: &[u8]) -> Result<Vec<u8>, Unreadable> {
    match content_type {
        "image/jpeg" => jpeg::strip(bytes),
        "image/png" => png::strip(bytes),
        "image/webp" => webp::strip(bytes),
        _ => Err(Unreadable),
    }
}

/// Takes `length` bytes from the front of `rest`.
fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Unreadable> {
    let (taken, later) = rest.split_at_checked(length).ok_or(Unreadable)?;
    *rest = later;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

    /// What a stripped JPEG may have more than its original: the minimal form of its orientation.
    const MOST_GROWTH: usize = 4;

    fn holds(content_type: &str, bytes: &[u8]) {
        let Ok(once) = strip(content_type, bytes) else {
            return;
        };
        assert!(once.len() <= bytes.len() + MOST_GROWTH, "{content_type}");
        assert_eq!(
            strip(content_type, &once).as_ref(),
            Ok(&once),
            "{content_type}"
        );
    }

    fn originals() -> [Vec<u8>; 3] {
        [
            jpeg::tests::original(),
            png::tests::original(),
            webp::tests::original(),
        ]
    }

    #[test]
    fn stripping_twice_changes_nothing_more() {
        for (content_type, original) in TYPES.into_iter().zip(originals()) {
            assert!(strip(content_type, &original).is_ok(), "{content_type}");
            holds(content_type, &original);
        }
    }

    #[test]
    fn a_picture_of_another_type_is_refused() {
        for (at, declared) in TYPES.into_iter().enumerate() {
            for (other, original) in originals().into_iter().enumerate() {
                assert_eq!(
                    strip(declared, &original).is_ok(),
                    at == other,
                    "{declared}"
                );
            }
        }
        assert_eq!(strip("image/gif", b"GIF89a"), Err(Unreadable));
    }

    #[test]
    fn a_picture_that_is_cut_off_is_refused() {
        for (content_type, original) in TYPES.into_iter().zip(originals()) {
            let end = original.len() - tests_trailer().len();
            for length in 0..end {
                assert_eq!(strip(content_type, &original[..length]), Err(Unreadable));
            }
        }
    }

    /// What each original carries behind its end.
    pub(super) fn tests_trailer() -> &'static [u8] {
        b"GPS behind the end"
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            for content_type in TYPES {
                holds(content_type, &bytes);
            }
        }

        #[test]
        fn changed_pictures_never_panic(at in 0usize..4096, byte: u8, cut in 0usize..4096) {
            for (content_type, mut original) in TYPES.into_iter().zip(originals()) {
                let length = original.len();
                original[at % length] = byte;
                original.truncate(length - cut % length);
                holds(content_type, &original);
            }
        }
    }
}
