//! What is promised of every error and every answer, no matter what came in.

use std::error::Error;

use drag_solver::{Billed, Drag, ErrorKind, SolveError};

/// The account's token. It has a `/`, which JSON may write in two ways.
pub(super) const TOKEN: &str = "hunter2/0123456789abcdef";

/// Longest message of an error: 500 characters and the mark of the cut.
const MAX_MESSAGE: usize = 501;

/// Longest line that a log is given for one error, everything around and underneath it included.
const MAX_LINE: usize = 3_000;

/// Text for a log or a terminal is one line of bounded length.
pub(super) fn is_printable(text: &str) {
    assert!(
        text.chars().count() <= MAX_LINE,
        "a flood: {} bytes",
        text.len()
    );
    assert!(
        !text.contains(char::is_control),
        "control characters: {text:?}"
    );
}

pub(super) fn hides_the_token(text: &str) {
    assert!(!text.contains(TOKEN), "the token: {text}");
    assert!(
        !text.contains(&TOKEN.replace('/', "\\/")),
        "the token, as JSON: {text}"
    );
}

/// An error says something, in bounds, and agrees with itself about money.
pub(super) fn error_is_sound(error: &SolveError) {
    assert!(!error.message().is_empty(), "{error:?}");
    assert!(error.message().chars().count() <= MAX_MESSAGE, "{error:?}");
    for text in std::iter::successors(Some(error as &dyn Error), |&error| error.source()) {
        is_printable(&text.to_string());
    }
    let line = serde_json::to_string(error).expect("an error serialises");
    is_printable(&line);
    let has_unfinished = !error.unfinished_jobs().is_empty();
    assert!(!has_unfinished || error.billed() != Billed::No, "{error}");
    let is_refusal = error.kind().is_local_refusal();
    assert!(!is_refusal || error.billed() == Billed::No, "{error}");
    assert_ne!(
        error.kind(),
        ErrorKind::AllFailed,
        "one provider is no chain: {error}"
    );
}

/// Nothing that shows an error shows the token.
pub(super) fn error_hides_the_token(error: &SolveError) {
    for text in std::iter::successors(Some(error as &dyn Error), |&error| error.source()) {
        hides_the_token(&text.to_string());
    }
    hides_the_token(&format!("{error:?} {error:#?}"));
    hides_the_token(&serde_json::to_string(error).expect("an error serialises"));
}

/// A drag that was read is made of numbers, and is read back from its own JSON.
pub(super) fn drag_is_sound(drag: &Drag) {
    let points = [Some(drag.start), Some(drag.end), drag.alternative_end];
    for point in points.into_iter().flatten() {
        assert!(point.x.is_finite() && point.y.is_finite(), "{drag}");
    }
    let json = serde_json::to_string(drag).expect("a drag serialises");
    let back: Drag = serde_json::from_str(&json).expect("a drag is read back");
    // JSON readers round, far below a pixel.
    let near = |a: f64, b: f64| (a - b).abs() <= f64::max(1e-9, a.abs() * 1e-15);
    let same = near(drag.start.x, back.start.x)
        && near(drag.start.y, back.start.y)
        && near(drag.end.x, back.end.x)
        && near(drag.end.y, back.end.y)
        && drag.alternative_end.is_some() == back.alternative_end.is_some();
    assert!(same, "{drag} came back as {back}");
}
