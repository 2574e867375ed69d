//! The word for a job that is not done.

use crate::{Manner, Quirk};

/// How "not yet" is said: the usual word, or the one of a quirk.
pub(super) fn running(
    manner: Manner,
    usual: &'static str,
    (quirk, other): (Quirk, &'static str),
) -> &'static str {
    if manner.has(Quirk::UnknownStatus) {
        "queued"
    } else if manner.has(quirk) {
        other
    } else {
        usual
    }
}
