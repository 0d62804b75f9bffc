//! What can be uploaded: of each kind the media types, the largest size, the consent that it needs, and
//! who may read it (clauses E18, G2).

use serde::{Deserialize, Serialize};
use shared::consent::Purpose;
use utoipa::ToSchema;

const PICTURES: &[&str] = &["image/jpeg", "image/png", "image/webp"];
const SOUNDS: &[&str] = &["audio/aac", "audio/amr", "audio/mp4", "audio/mpeg"];
const VIDEOS: &[&str] = &["video/mp4"];

const MB: i64 = 1_000_000;

/// The largest picture, in bytes: it is held in memory twice while its metadata is removed.
pub const MAX_PICTURE: i64 = 10 * MB;

/// What an upload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = UploadKind)]
pub enum Kind {
    /// The picture of a profile: any signed-in person may read it.
    Avatar,
    /// A business card, for verifying an enterprise.
    BusinessCard,
    /// A business licence, for verifying an enterprise.
    Licence,
    /// A photo of a document, for a review by a person.
    Appeal,
    /// A voice message.
    Voice,
    /// A video.
    Video,
    /// Any other picture.
    Image,
}

/// Who may have a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// The person whose upload it is.
    Owner,
    /// Everybody who is signed in.
    SignedIn,
}

/// What holds for a kind.
#[derive(Debug)]
pub struct Rule {
    name: &'static str,
    content_types: &'static [&'static str],
    /// The largest size in bytes.
    pub max_size: i64,
    /// The purpose that the person must have consented to.
    pub purpose: Option<Purpose>,
    /// Who may read it.
    pub readers: Readers,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Avatar,
        Self::BusinessCard,
        Self::Licence,
        Self::Appeal,
        Self::Voice,
        Self::Video,
        Self::Image,
    ];

    /// What holds for this kind.
    pub fn rule(self) -> Rule {
        let (name, content_types, max_size, purpose, readers) = match self {
            Self::Avatar => ("avatar", PICTURES, 5 * MB, None, Readers::SignedIn),
            Self::BusinessCard => (
                "business-card",
                PICTURES,
                MAX_PICTURE,
                Some(Purpose::EnterpriseVerification),
                Readers::Owner,
            ),
            Self::Licence => (
                "licence",
                PICTURES,
                MAX_PICTURE,
                Some(Purpose::EnterpriseVerification),
                Readers::Owner,
            ),
            Self::Appeal => (
                "appeal",
                PICTURES,
                MAX_PICTURE,
                Some(Purpose::DocumentReview),
                Readers::Owner,
            ),
            Self::Voice => ("voice", SOUNDS, 5 * MB, None, Readers::Owner),
            Self::Video => ("video", VIDEOS, 200 * MB, None, Readers::Owner),
            Self::Image => ("image", PICTURES, MAX_PICTURE, None, Readers::Owner),
        };
        Rule {
            name,
            content_types,
            max_size,
            purpose,
            readers,
        }
    }

    /// The kind's name, as rows and answers have it.
    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The media type, if uploads of this kind may be of it.
    pub fn content_type(self, text: &str) -> Option<&'static str> {
        let mut allowed = self.rule().content_types.iter().copied();
        allowed.find(|content_type| *content_type == text)
    }
}

/// Whether bytes of this media type are a picture, whose metadata is removed.
pub fn is_picture(content_type: &str) -> bool {
    PICTURES.contains(&content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_the_name_that_json_has() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("Avatar"), None);
    }

    #[test]
    fn media_types_are_exact() {
        assert_eq!(Kind::Voice.content_type("audio/amr"), Some("audio/amr"));
        for text in ["", "image/png", "audio/AMR", "audio/amr; codecs=x"] {
            assert_eq!(Kind::Voice.content_type(text), None, "{text}");
        }
    }

    #[test]
    fn what_identifies_a_person_needs_a_consent_and_stays_private() {
        for kind in [Kind::BusinessCard, Kind::Licence, Kind::Appeal] {
            assert!(kind.rule().purpose.is_some());
            assert_eq!(kind.rule().readers, Readers::Owner);
        }
    }
}
