//! Without the feature `record` no recorder can be made, so nothing below ever runs: it is there so that the
//! rest of the crate reads the same with and without.

use drag_solver_core::{DragChallenge, JobId, SolveError, Verdict};
use secrecy::SecretString;

use crate::Transport;
use crate::times::Times;

/// Records what goes over the wire, with the feature `record`.
#[derive(Clone, Debug)]
pub struct Recorder(Never);

#[derive(Clone, Copy, Debug)]
enum Never {}

pub(crate) type CallRecorder = Recorder;

impl Recorder {
    pub(crate) fn new<'a>(
        recorder: &Self,
        _: &str,
        _: impl IntoIterator<Item = &'a SecretString>,
        _: Option<&str>,
        _: &str,
        _: Times,
    ) -> Self {
        match recorder.0 {}
    }

    pub(crate) fn transport(&self, _: Box<dyn Transport>) -> Box<dyn Transport> {
        match self.0 {}
    }

    pub(crate) fn solve(&self, _: &DragChallenge) -> Self {
        match self.0 {}
    }

    pub(crate) fn balance(&self) -> Self {
        match self.0 {}
    }

    pub(crate) fn report(&self, _: &JobId, _: Verdict) -> Self {
        match self.0 {}
    }

    pub(crate) fn ended<T>(self, _: Result<T, &SolveError>) {
        match self.0 {}
    }
}
