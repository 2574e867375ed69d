//! What a client wants.

use std::fmt;

use bytes::Bytes;
use drag_solver_core::Verdict;
use serde::{Deserialize, Serialize};

/// What a client wants.
#[derive(Clone, Debug)]
pub enum Call {
    /// A job to be done.
    Create(Box<NewJob>),
    /// The results of these jobs: several only if the client asked for several at once.
    Poll {
        /// The ids, at least one and at most 100.
        ids: Vec<String>,
    },
    /// To say that a job's answer was right or wrong.
    Report {
        /// The job's id.
        id: String,
        /// What is said of its answer.
        verdict: Verdict,
    },
    /// What the account has left.
    Balance,
    /// What is done here, and at which price.
    Services,
}

/// A job to be done. `Debug` shows neither the picture nor the callback's address.
#[derive(Clone)]
#[non_exhaustive]
pub struct NewJob {
    /// The encoded picture, decoded from base64. Whether it is a picture was not looked at.
    pub picture: Bytes,
    /// What is to be done with it, in the client's words; never empty.
    pub instruction: Option<String>,
    /// In which form the answer is asked for.
    pub shape: Shape,
    /// The address that the answer is to be sent to (`pingback`, `callbackUrl`); never empty. A client that
    /// gave one may never ask for the answer.
    pub callback: Option<String>,
}

impl fmt::Debug for NewJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewJob")
            .field("picture", &format_args!("{} bytes", self.picture.len()))
            .field("instruction", &self.instruction)
            .field("shape", &self.shape)
            .field("callback", &self.callback.is_some())
            .finish()
    }
}

/// In which form an answer is asked for. A server keeps it with the job until that is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shape {
    /// Where the drag starts and where it ends.
    #[default]
    Drag,
    /// Where it ends: the piece is a picture of its own and starts nowhere.
    End,
    /// How far to the right it goes, when the picture is shown this wide, in pixels.
    Distance {
        /// The width at which the picture is shown; never 0.
        view_width: u32,
    },
}
