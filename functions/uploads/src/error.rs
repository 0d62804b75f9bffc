//! What can go wrong here, and the one place where it becomes an answer.

use http::StatusCode;
use shared::http::{Context, Problem, Violation};
use shared::log::Level;

/// This function's errors.
#[derive(Debug)]
pub enum Error {
    /// The fields have these violations.
    Invalid(Vec<Violation>),
    /// The person has as many uploads as may be open that nothing refers to.
    TooMany,
    /// The body is no `multipart/form-data`.
    NotAForm,
    /// The body is not a well-formed form.
    MalformedForm,
    /// The form is not the one that was given out, or its upload is over.
    FormInvalid,
    /// The form can no longer be sent.
    FormExpired,
    /// The form was sent before, with another file.
    AlreadyStored,
    /// No file has come yet.
    Missing,
    /// The file is not what was declared.
    Mismatch(Mismatch),
    /// Something refers to the upload.
    InUse,
    /// The link is not one that was given out, or it has expired.
    LinkInvalid,
    /// Every slot of the embedded store is taken.
    StorageFull,
    /// The store cannot be used now. Nothing was lost: the same may be tried again.
    StorageUnavailable {
        /// What the log says.
        cause: String,
        /// Whether people must act.
        alarm: bool,
    },
    /// There is no such upload, or none that the asker may know of.
    NotFound,
    /// Anything that is a problem already.
    Problem(Problem),
}

impl Error {
    /// Logs, as `event`, an error that does not stop the request: what it kept from happening is done by
    /// another one.
    pub fn survived(&self, cx: &Context, event: &str) {
        // No variant holds a value of a person's.
        cx.log(
            Level::Warning,
            event,
            &[("cause", format!("{self:?}").into())],
        );
    }
}

/// In what a file differs from what was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Its size.
    Size,
    /// Its media type.
    Type,
    /// Its bytes are not of the media type.
    Content,
}

impl Mismatch {
    fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Type => "type",
            Self::Content => "content",
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => Self::invalid_fields(&violations),
            Error::TooMany => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-uploads",
                "未使用的上传过多,请稍后再试",
            )
            .retry_after(60),
            Error::NotAForm => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "不支持的内容类型",
            )
            .with("accepted", vec!["multipart/form-data"]),
            Error::MalformedForm => Self::new(
                StatusCode::BAD_REQUEST,
                "malformed-form",
                "请求内容不是有效的表单",
            ),
            Error::FormInvalid => Self::new(
                StatusCode::FORBIDDEN,
                "upload-form-invalid",
                "上传表单无效,请重新获取",
            ),
            Error::FormExpired => Self::new(
                StatusCode::FORBIDDEN,
                "upload-form-expired",
                "上传表单已过期,请重新获取",
            ),
            Error::AlreadyStored => Self::new(
                StatusCode::CONFLICT,
                "upload-already-stored",
                "该上传已有文件,请重新获取上传表单",
            ),
            Error::Missing => {
                Self::new(StatusCode::CONFLICT, "upload-missing", "尚未收到上传的文件")
            }
            Error::Mismatch(which) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "upload-mismatch",
                "上传的文件与声明不符",
            )
            .with("which", which.name()),
            Error::InUse => Self::new(
                StatusCode::CONFLICT,
                "upload-in-use",
                "该文件正在使用,不能删除",
            ),
            Error::LinkInvalid => {
                Self::new(StatusCode::FORBIDDEN, "link-invalid", "链接无效或已过期")
            }
            Error::StorageFull => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "upload-storage-full",
                "存储空间已满,请稍后再试",
            )
            .retry_after(60)
            .because(Level::Alarm, "every slot for uploads is taken"),
            Error::StorageUnavailable { cause, alarm } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "upload-storage-unavailable",
                "存储服务暂时不可用,请稍后再试",
            )
            .retry_after(5)
            .because(if alarm { Level::Alarm } else { Level::Error }, cause),
            Error::NotFound => Self::not_found(),
            Error::Problem(problem) => problem,
        }
    }
}

shared::http::lift_problems!(Error);
