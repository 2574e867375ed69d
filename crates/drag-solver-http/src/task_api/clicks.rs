//! Services whose workers click on a picture.

/// What workers are asked to do, unless the challenge has an instruction of its own.
pub const TWO_CLICKS: &str = "Click exactly two points, in this order: 1) the center of the piece or \
     handle that must be dragged; 2) the center of the place where it must be dropped.";
