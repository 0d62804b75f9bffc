//! Links to what this function serves itself: signed, for one upload, one reader, and a time.

use shared::crypto::{Key, hex};
use shared::time::Timestamp;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// What a link says and its signature covers.
#[derive(Debug, PartialEq)]
pub struct Link {
    /// What can be read.
    pub upload_id: Uuid,
    /// For whom it was made: a keyed hash, so that the link names nobody.
    reader: String,
    /// Until when.
    pub expires_at: Timestamp,
}

impl Link {
    /// A link for the reader whom the bytes `reader` name.
    pub fn new(key: &Key, upload_id: Uuid, reader: &[u8], expires_at: Timestamp) -> Self {
        Self {
            upload_id,
            reader: hex(&key.hash(&[b"reader", reader])[..16]),
            expires_at,
        }
    }

    /// Where it leads, on the service at `base_url`.
    pub fn url(&self, key: &Key, base_url: &str) -> String {
        format!(
            "{}/v1/uploads/{}/content?expires={}&reader={}&signature={}",
            base_url.trim_end_matches('/'),
            self.upload_id,
            self.expires_at.as_millis(),
            self.reader,
            self.signature(key)
        )
    }

    /// The link to `upload_id` that `query` belongs to, if it was signed here and has not expired.
    pub fn read(key: &Key, upload_id: Uuid, query: &str, now: Timestamp) -> Option<Self> {
        let value = |wanted| {
            form_urlencoded::parse(query.as_bytes())
                .find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
        };
        let link = Self {
            upload_id,
            reader: value("reader")?,
            expires_at: Timestamp(value("expires")?.parse().ok()?),
        };
        let signature = value("signature")?;
        let is_signed = signature.as_bytes().ct_eq(link.signature(key).as_bytes());
        (bool::from(is_signed) && now < link.expires_at).then_some(link)
    }

    fn signature(&self, key: &Key) -> String {
        hex(&key.hash(&[
            b"link",
            self.upload_id.as_bytes(),
            self.reader.as_bytes(),
            &self.expires_at.as_millis().to_be_bytes(),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    #[test]
    fn a_link_is_good_as_it_was_made_and_until_it_expires() {
        let key = Key::generate(&mut shared::random::host());
        let link = Link::new(&key, ID, b"reader", Timestamp(1000));
        let url = link.url(&key, "https://example.com/");
        let (place, query) = url.split_once('?').unwrap();
        assert_eq!(
            place,
            format!("https://example.com/v1/uploads/{ID}/content")
        );
        let read = |id, query: &str, now| Link::read(&key, id, query, Timestamp(now));
        assert_eq!(read(ID, query, 999), Some(link));
        assert_eq!(read(ID, query, 1000), None);
        assert_eq!(read(Uuid::nil(), query, 0), None);
        for (part, other) in [
            ("expires=1000", "expires=1001"),
            ("expires=1000", "expires=+1000x"),
            ("reader=", "reader=0"),
            ("signature=", "signature=0"),
            ("&signature=", "&"),
        ] {
            assert_eq!(read(ID, &query.replace(part, other), 0), None, "{other}");
        }
        let other_key = Key::generate(&mut shared::random::host());
        assert_eq!(Link::read(&other_key, ID, query, Timestamp(0)), None);
    }

    #[test]
    fn a_link_does_not_name_its_reader() {
        let key = Key::generate(&mut shared::random::host());
        let reader = Uuid::from_u128(42);
        let link = Link::new(&key, ID, reader.as_bytes(), Timestamp(1000));
        assert!(!link.url(&key, "").contains(&reader.simple().to_string()));
    }
}
