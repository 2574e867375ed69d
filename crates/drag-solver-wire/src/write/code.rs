//! What each refusal is called.

use crate::Refusal;

/// The `createTask` family's number and name for a refusal, and the name at `in.php` and `res.php`; names of
/// the latter are written as they are, those of the former behind `ERROR_`.
pub(super) fn code(refusal: &Refusal) -> (u32, &'static str, &'static str) {
    match refusal {
        Refusal::BadToken => (1, "KEY_DOES_NOT_EXIST", "ERROR_KEY_DOES_NOT_EXIST"),
        Refusal::IpNotAllowed => (11, "IP_NOT_ALLOWED", "ERROR_IP_NOT_ALLOWED"),
        Refusal::IpBlocked => (21, "IP_BLOCKED", "IP_BANNED"),
        Refusal::AccountSuspended => (55, "ACCOUNT_SUSPENDED", "ERROR_ACCOUNT_SUSPENDED"),
        Refusal::NoMoney => (10, "ZERO_BALANCE", "ERROR_ZERO_BALANCE"),
        Refusal::NoWorker | Refusal::Draining => {
            (2, "NO_SLOT_AVAILABLE", "ERROR_NO_SLOT_AVAILABLE")
        }
        // No code is documented for it; this number makes clients try again.
        Refusal::OutOfOrder => (2, "SERVICE_UNAVAILABLE", "ERROR_NO_SLOT_AVAILABLE"),
        Refusal::NoSuchMethod | Refusal::NotPost => (14, "NO_SUCH_METHOD", "ERROR_NO_SUCH_METHOD"),
        Refusal::BadAction => (14, "NO_SUCH_METHOD", "ERROR_EMPTY_ACTION"),
        Refusal::Unreadable(_) | Refusal::BadParameters(_) | Refusal::BadCallback(_) => {
            (110, "BAD_PARAMETERS", "ERROR_BAD_PARAMETERS")
        }
        Refusal::TaskAbsent => (22, "TASK_ABSENT", "ERROR_BAD_PARAMETERS"),
        Refusal::TaskType(_) => (23, "TASK_NOT_SUPPORTED", "ERROR_BAD_PARAMETERS"),
        Refusal::PictureEmpty => (3, "ZERO_CAPTCHA_FILESIZE", "ERROR_ZERO_CAPTCHA_FILESIZE"),
        Refusal::PictureTooLarge(_) => (
            4,
            "TOO_BIG_CAPTCHA_FILESIZE",
            "ERROR_TOO_BIG_CAPTCHA_FILESIZE",
        ),
        Refusal::PictureType(_) => (
            15,
            "IMAGE_TYPE_NOT_SUPPORTED",
            "ERROR_IMAGE_TYPE_NOT_SUPPORTED",
        ),
        Refusal::InstructionPictureTooLarge => (115, "BAD_IMGINSTRUCTIONS", "ERROR_BAD_PARAMETERS"),
        Refusal::BadId => (16, "NO_SUCH_CAPCHA_ID", "ERROR_WRONG_ID_FORMAT"),
        Refusal::NoSuchJob => (16, "NO_SUCH_CAPCHA_ID", "ERROR_WRONG_CAPTCHA_ID"),
        Refusal::AlreadyReported => (0, "", "ERROR_DUPLICATE_REPORT"),
        Refusal::Unsolvable => (12, "CAPTCHA_UNSOLVABLE", "ERROR_CAPTCHA_UNSOLVABLE"),
    }
}
