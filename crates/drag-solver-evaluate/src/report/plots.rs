//! The plots, as SVG: no script draws them.

mod cloud;
mod frame;
mod latency;
mod value;

pub(super) use self::cloud::{cloud, on_picture};
pub(super) use self::frame::COLOURS;
pub(super) use self::latency::latency;
pub(super) use self::value::value;
