//! The header of a picture.

use drag_solver::{ImageFormat, Screenshot};

use super::promises::is_printable;

/// A picture that is taken has a size within the limits, and is what its first bytes say it is;
/// what follows its header changes nothing.
pub fn screenshot(data: &[u8]) {
    let shot = match Screenshot::from_bytes(data.to_vec()) {
        Ok(shot) => shot,
        Err(error) => return is_printable(&error.to_string()),
    };
    let sides = 1..=Screenshot::MAX_SIDE;
    assert!(
        sides.contains(&shot.width()) && sides.contains(&shot.height()),
        "{shot:?}"
    );
    assert_eq!(shot.bytes(), data);
    let starts: &[u8] = match shot.format() {
        ImageFormat::Png => b"\x89PNG",
        ImageFormat::Jpeg => b"\xff\xd8\xff",
        ImageFormat::WebP => b"RIFF",
        ImageFormat::Gif => b"GIF8",
        other => panic!("{other} is new: say here how it starts"),
    };
    assert!(
        data.starts_with(starts),
        "{shot:?} starts with {:?}",
        &data[..4]
    );
    is_printable(&format!("{shot:?}"));

    let longer = Screenshot::from_reader([data, b"\0\xff\xc0trailing"].concat().as_slice());
    let longer = longer.expect("bytes behind a whole picture are ignored");
    assert_eq!(
        (longer.width(), longer.height()),
        (shot.width(), shot.height())
    );
}
