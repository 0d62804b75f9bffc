//! A trade notification's parameters, read as what they are.

use shared::alipay::{Notification, china_time};
use shared::time::Timestamp;

use super::NoticeError;

/// The parameters of a notification.
pub struct Parameters<'a>(&'a Notification);

impl<'a> Parameters<'a> {
    /// Those of this one.
    pub fn new(notification: &'a Notification) -> Self {
        Self(notification)
    }

    /// Alipay may send a parameter that it has nothing to say by: an empty one is not there.
    pub fn optional(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).filter(|value| !value.is_empty())
    }

    /// One that is always there.
    pub fn required(&self, name: &'static str) -> Result<&'a str, NoticeError> {
        self.optional(name).ok_or(NoticeError::Missing(name))
    }

    /// Visible ASCII characters, `max` at most: such texts go into columns and logs.
    pub fn visible(&self, name: &'static str, max: usize) -> Result<&'a str, NoticeError> {
        self.optional_visible(name, max)?
            .ok_or(NoticeError::Missing(name))
    }

    /// Visible ASCII characters, `max` at most, if it is there.
    pub fn optional_visible(
        &self,
        name: &'static str,
        max: usize,
    ) -> Result<Option<&'a str>, NoticeError> {
        let is_visible =
            |text: &str| text.len() <= max && text.bytes().all(|byte| byte.is_ascii_graphic());
        match self.optional(name) {
            Some(text) if !is_visible(text) => Err(NoticeError::Invalid(name)),
            text => Ok(text),
        }
    }

    /// A time, if it is there.
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, NoticeError> {
        let read = |text| china_time::from_text(text).ok_or(NoticeError::Invalid(name));
        self.optional(name).map(read).transpose()
    }
}
