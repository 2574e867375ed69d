//! The answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Attempt, Drag, JobId, Usd};

/// Where to drag, who says so, and what it took.
///
/// It serialises, for logs and so that a later run of the program can still
/// [report](crate::DragSolver::report) it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Solution {
    drag: Drag,
    provider: String,
    job: Option<JobId>,
    #[serde(rename = "cost_usd")]
    cost: Option<Usd>,
    #[serde(rename = "elapsed_ms", with = "millis")]
    elapsed: Duration,
    #[serde(default)]
    failed_attempts: Vec<Attempt>,
    #[serde(default)]
    route: Vec<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Solution>,
}

impl Solution {
    /// The answer `drag`, found by the solver called `provider`.
    pub fn new(drag: Drag, provider: impl Into<String>) -> Self {
        Self {
            drag,
            provider: provider.into(),
            job: None,
            cost: None,
            elapsed: Duration::ZERO,
            failed_attempts: Vec::new(),
            route: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Replaces the drag: for wrappers that map an answer back to the original screenshot.
    #[must_use]
    pub fn with_drag(mut self, drag: Drag) -> Self {
        self.drag = drag;
        self
    }

    /// Adds the provider's id for the job behind the answer.
    #[must_use]
    pub fn with_job(mut self, job: JobId) -> Self {
        self.job = Some(job);
        self
    }

    /// Adds what the answer cost.
    #[must_use]
    pub fn with_cost(mut self, cost: Usd) -> Self {
        self.cost = Some(cost);
        self
    }

    /// Says how long it took. A combinator that made several attempts replaces it by the total.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = elapsed;
        self
    }

    /// Puts failed attempts in front of those already known.
    #[must_use]
    pub fn after_attempts(mut self, earlier: Vec<Attempt>) -> Self {
        self.failed_attempts.splice(0..0, earlier);
        self
    }

    /// Notes the answers that it was made of, so that a [report](crate::DragSolver::report) reaches
    /// everybody who gave one.
    #[must_use]
    pub fn with_parts(mut self, parts: Vec<Self>) -> Self {
        self.parts = parts;
        self
    }

    /// Notes that a combinator got the answer from its `child`th solver (counted from 0), so that a
    /// [report](crate::DragSolver::report) finds the way back.
    #[must_use]
    pub fn routed_via(mut self, child: usize) -> Self {
        self.route.push(child);
        self
    }

    /// Undoes the outermost [`routed_via`](Self::routed_via): the child to forward a report to, and
    /// the solution as that child made it. `None` if no combinator noted one.
    #[must_use]
    pub fn unrouted(&self) -> Option<(usize, Self)> {
        let mut inner = self.clone();
        inner.route.pop().map(|child| (child, inner))
    }

    /// Where to drag, in pixels of the original screenshot.
    #[must_use]
    pub fn drag(&self) -> &Drag {
        &self.drag
    }

    /// Name of the solver that found it. If several agreed on it, their names, as in `"a|b"`.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The provider's id for the job behind it.
    #[must_use]
    pub fn job(&self) -> Option<&JobId> {
        self.job.as_ref()
    }

    /// What this answer cost, if the provider said. Failed attempts before it are not included.
    #[must_use]
    pub fn cost(&self) -> Option<Usd> {
        self.cost
    }

    /// The answers of several solvers that it was made of. Empty if it is one solver's own.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        &self.parts
    }

    /// How long it took, failed attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The attempts that failed before this answer came, in order.
    #[must_use]
    pub fn failed_attempts(&self) -> &[Attempt] {
        &self.failed_attempts
    }
}

/// Whether a drag was accepted by whoever posed the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::exhaustive_enums)] // a drag was right or it was not
pub enum Verdict {
    /// The drag was accepted.
    Correct,
    /// The drag was refused.
    Incorrect,
}

/// Durations as whole milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn of(duration: Duration) -> u64 {
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(of(*duration))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Point, SolveError};

    fn solution() -> Solution {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        Solution::new(drag, "a")
            .with_job(JobId::from(7))
            .with_cost(Usd::from_micros(900))
            .with_elapsed(Duration::from_millis(2140))
    }

    #[test]
    fn it_survives_a_restart_as_json() {
        let failed = SolveError::new(ErrorKind::Unavailable, "refused");
        let whole = solution()
            .after_attempts(failed.history(Duration::from_millis(3)))
            .with_parts(vec![solution().routed_via(2)])
            .routed_via(1);
        let json = serde_json::to_string(&whole).unwrap();
        assert!(json.contains(r#""elapsed_ms":2140"#), "{json}");
        assert_eq!(serde_json::from_str::<Solution>(&json).unwrap(), whole);
    }

    #[test]
    fn a_route_unwinds_outermost_first() {
        let routed = solution().routed_via(2).routed_via(0);
        let (outer, inside) = routed.unrouted().unwrap();
        let (inner, leaf) = inside.unrouted().unwrap();
        assert_eq!((outer, inner), (0, 2));
        assert_eq!(leaf, solution());
        assert!(leaf.unrouted().is_none());
    }

    #[test]
    fn earlier_attempts_come_first() {
        let attempt = |kind| SolveError::new(kind, "x").history(Duration::ZERO);
        let solved = solution()
            .after_attempts(attempt(ErrorKind::Timeout))
            .after_attempts(attempt(ErrorKind::Protocol));
        let kinds: Vec<_> = solved.failed_attempts().iter().map(|a| a.kind).collect();
        assert_eq!(kinds, [ErrorKind::Protocol, ErrorKind::Timeout]);
    }
}
