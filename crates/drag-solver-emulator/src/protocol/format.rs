//! What a provider's protocol is made of.

use std::time::Duration;

use drag_solver_core::{JobId, ScreenshotLimits, Verdict};
use serde_json::Value;

use super::{Operation, Quirk, Refusal, Reply, job_id};

/// One provider's protocol: where things are in a request, what its tasks must be, and how it answers.
pub(crate) struct Format {
    /// What the last part of a path is for.
    pub(super) methods: &'static [(&'static str, Operation)],
    /// The methods that report an answer, and what they say of it.
    pub(super) reports: &'static [(&'static str, Verdict)],
    /// JSON pointer to the token.
    pub(crate) token: &'static str,
    /// JSON pointer to the id of the job that is asked about.
    pub(super) job: &'static str,
    /// JSON pointer to the kind of a new job, and the kinds that are done here.
    pub(super) kind: &'static str,
    pub(super) kinds: &'static [&'static str],
    /// JSON pointer to the picture of a new job.
    pub(crate) picture: &'static str,
    /// Whether a picture may come as a data URI. Base64 alone always may.
    pub(super) takes_data_uris: bool,
    /// JSON pointer to the instruction of a new job, if there may be one.
    pub(super) instruction: Option<&'static str>,
    /// Refuses what else a new job may not say.
    pub(super) check: fn(&Value) -> Result<(), Refusal>,
    /// Pictures that are taken; others are refused.
    pub(crate) limits: ScreenshotLimits,
    /// Pictures with a longer side are scaled down for the workers, and the answer is in that scale.
    pub(crate) scaled_to: Option<u32>,
    /// How long a result can be fetched, and reported on, after it was found.
    pub(crate) result_ttl: Option<Duration>,
    /// Whether a job that was given up is refunded.
    pub(crate) refunds: bool,
    /// The first job's id, if ids are numbers; otherwise they are UUIDs.
    pub(super) first_id: Option<u64>,
    /// The body of an answer.
    pub(super) write: Write,
}

pub(super) type Write = fn(&Result<Reply, Refusal>, &[Quirk]) -> Value;

impl Format {
    /// What most protocols have in common, with the kinds of tasks that are done: the names of the
    /// `createTask` family. Every picture is taken as it is, every result kept, and what is given up
    /// refunded.
    pub(super) const fn new(kinds: &'static [&'static str], write: Write) -> Self {
        Self {
            methods: &[
                ("createTask", Operation::Create),
                ("getTaskResult", Operation::Poll),
                ("getBalance", Operation::Balance),
            ],
            reports: &[],
            token: "/clientKey",
            job: "/taskId",
            kind: "/task/type",
            kinds,
            picture: "/task/body",
            takes_data_uris: false,
            instruction: Some("/task/comment"),
            check: |_| Ok(()),
            limits: ScreenshotLimits::none(),
            scaled_to: None,
            result_ttl: None,
            refunds: true,
            first_id: None,
            write,
        }
    }

    /// What `method`, the last part of a path, is for, and what it reports if it reports.
    pub(super) fn find(&self, method: &str) -> (Operation, Option<Verdict>) {
        let mut reports = self.reports.iter();
        if let Some((_, verdict)) = reports.find(|(name, _)| *name == method) {
            return (Operation::Report, Some(*verdict));
        }
        let known = self.methods.iter().find(|(name, _)| *name == method);
        (known.map_or(Operation::Unknown, |known| known.1), None)
    }

    /// The id of the `number`th job, counted from 0.
    pub(crate) fn job_id(&self, number: u64, seed: u64, quirks: &[Quirk]) -> JobId {
        match self.first_id {
            Some(first) => job_id::numeric(first, number, seed, quirks),
            None => job_id::uuid(number, seed),
        }
    }
}
