//! The purchases of one call that have not ended, and under which key each is on record.

use drag_solver_core::JobId;

#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<Line>);

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) key: i64,
    pub(crate) solver: String,
    /// Once the provider has named it.
    pub(crate) job: Option<JobId>,
}

impl Lines {
    pub(crate) fn add(&mut self, key: i64, solver: &str, job: Option<JobId>) {
        self.0.push(Line {
            key,
            solver: solver.to_owned(),
            job,
        });
    }

    pub(crate) fn knows(&self, solver: &str, job: &JobId) -> bool {
        self.position(solver, Some(job)).is_some()
    }

    /// The provider named the job of a purchase: its key, if it was announced.
    pub(crate) fn name(&mut self, solver: &str, job: &JobId) -> Option<i64> {
        let index = self.position(solver, None)?;
        self.0[index].job = Some(job.clone());
        Some(self.0[index].key)
    }

    /// A purchase came to nothing.
    pub(crate) fn undo(&mut self, solver: &str) -> Option<i64> {
        let index = self.position(solver, None)?;
        Some(self.0.remove(index).key)
    }

    /// A purchase ended: the one of this job, or else one whose job was never named.
    pub(crate) fn end(&mut self, solver: &str, job: Option<&JobId>) -> Option<Line> {
        let known = job.and_then(|job| self.position(solver, Some(job)));
        let index = known.or_else(|| self.position(solver, None))?;
        Some(self.0.remove(index))
    }

    /// The latest with this job, or without any. Several of those would differ in nothing.
    fn position(&self, solver: &str, job: Option<&JobId>) -> Option<usize> {
        let is_it = |line: &Line| line.solver == solver && line.job.as_ref() == job;
        self.0.iter().rposition(is_it)
    }
}
