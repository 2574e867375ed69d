//! Why a client gets nothing.

use drag_solver_core::{LimitExceeded, ScreenshotError};

/// Why a client gets nothing. `Display` is the text that goes to it where its protocol has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No key, or one that is not known.
    #[error("Invalid api token.")]
    BadToken,
    /// The key may not be used from this address.
    #[error("Your IP address is not allowed to use this key.")]
    IpNotAllowed,
    /// The address is blocked for a while.
    #[error("Your IP address is blocked.")]
    IpBlocked,
    /// The key is known and has been switched off.
    #[error("Your account is suspended.")]
    AccountSuspended,
    /// The account, or its budget, is empty.
    #[error("Your balance is not enough.")]
    NoMoney,
    /// Too much to do, or too many requests. The client may try again.
    #[error("Server is busy.")]
    NoWorker,
    /// The server is about to end and takes no jobs: the client may try again, elsewhere.
    #[error("Server is restarting, try again.")]
    Draining,
    /// The server cannot work at the moment.
    #[error("Maintenance, try again later.")]
    OutOfOrder,
    /// A path or method that no protocol has.
    #[error("No such method.")]
    NoSuchMethod,
    /// `res.php` without an action, or with one that is not done here.
    #[error("No such action.")]
    BadAction,
    /// A method that is only there for POST.
    #[error("Send a POST request.")]
    NotPost,
    /// A body that cannot be read, so that nothing is known of what it says.
    #[error("Bad request: {0}.")]
    Unreadable(String),
    /// A parameter that is missing or makes no sense.
    #[error("Bad request: {0}.")]
    BadParameters(String),
    /// An address for the answer that is not one, or is not allowed.
    #[error("Bad callback: {0}.")]
    BadCallback(String),
    /// No task, or one without a type.
    #[error("The task is missing.")]
    TaskAbsent,
    /// A type of task that is not done here.
    #[error("Task not supported: {0}.")]
    TaskType(String),
    /// A picture of no bytes.
    #[error("The image is empty.")]
    PictureEmpty,
    /// A picture beyond a limit.
    #[error("Bad image: {0}.")]
    PictureTooLarge(String),
    /// Something that is no picture, or one of a format that is not taken.
    #[error("Bad image: {0}.")]
    PictureType(String),
    /// A picture with instructions that is too large.
    #[error("Bad instruction: at most 100 kB are taken.")]
    InstructionPictureTooLarge,
    /// An id that is missing, or that no id looks like.
    #[error("Bad job id.")]
    BadId,
    /// No job of this client with this id, or no longer.
    #[error("Job not found.")]
    NoSuchJob,
    /// An answer that was reported on before. Where a protocol has no word for it, the client is told that
    /// its report was taken.
    #[error("Reported already.")]
    AlreadyReported,
    /// It was tried, and no answer was found.
    #[error("Workers could not solve the captcha.")]
    Unsolvable,
}

impl From<ScreenshotError> for Refusal {
    fn from(error: ScreenshotError) -> Self {
        match error {
            ScreenshotError::Empty => Self::PictureEmpty,
            ScreenshotError::FileTooLarge | ScreenshotError::TooManyPixels { .. } => {
                Self::PictureTooLarge(error.to_string())
            }
            _ => Self::PictureType(error.to_string()),
        }
    }
}

impl From<LimitExceeded> for Refusal {
    fn from(error: LimitExceeded) -> Self {
        match error {
            LimitExceeded::Format { .. } => Self::PictureType(error.to_string()),
            _ => Self::PictureTooLarge(error.to_string()),
        }
    }
}
