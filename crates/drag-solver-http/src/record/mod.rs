//! Recording what goes over the wire, and playing it back.

mod body;
mod call;
mod compare;
mod format;
mod mask;
mod recorder;
mod recording;
mod replay;
mod transport;

pub(crate) use self::call::CallRecorder;
pub use self::recorder::{Recorder, RecordingSummary};
pub use self::recording::{
    RecordedAnswer, RecordedCall, RecordedQuestion, Recording, RecordingError,
};
pub use self::replay::ReplayTransport;
pub use self::transport::RecordingTransport;
