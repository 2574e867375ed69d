//! The answer.

#[cfg(feature = "serde")]
mod serde;

use std::time::Duration;

use crate::{Attempt, Drag, JobId, Usd};

/// Where to drag, who says so, and what it took.
///
/// It serialises with the feature `serde`, for logs and so that a later run of the program can still
/// [report](crate::DragSolver::report) it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize, ::serde::Deserialize))]
pub struct Solution {
    drag: Drag,
    solver: Box<str>,
    job: Option<JobId>,
    #[cfg_attr(feature = "serde", serde(rename = "cost_usd"))]
    cost: Option<Usd>,
    #[cfg_attr(feature = "serde", serde(flatten))]
    history: History,
}

/// What no layer looks at on the way, in a box: each of a chain hands answers on, and moves them. Up to 128 bytes, that
/// takes no call.
#[derive(Clone, Debug, Default)]
struct History(Option<Box<Past>>);

#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize, ::serde::Deserialize))]
struct Past {
    #[cfg_attr(
        feature = "serde",
        serde(rename = "elapsed_ms", with = "crate::millis")
    )]
    elapsed: Duration,
    #[cfg_attr(feature = "serde", serde(default))]
    failed_attempts: Vec<Attempt>,
    #[cfg_attr(feature = "serde", serde(default))]
    route: Vec<usize>,
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    contributors: Vec<Solution>,
}

impl History {
    const NONE: &Past = &Past {
        elapsed: Duration::ZERO,
        failed_attempts: Vec::new(),
        route: Vec::new(),
        contributors: Vec::new(),
    };

    fn past(&self) -> &Past {
        self.0.as_deref().unwrap_or(Self::NONE)
    }

    fn past_mut(&mut self) -> &mut Past {
        self.0.get_or_insert_default()
    }
}

impl PartialEq for History {
    fn eq(&self, other: &Self) -> bool {
        self.past() == other.past()
    }
}

impl Solution {
    /// The answer `drag`, found by the solver called `solver`.
    pub fn new(drag: Drag, solver: impl Into<String>) -> Self {
        Self {
            drag,
            solver: solver.into().into(),
            job: None,
            cost: None,
            history: History::default(),
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

    /// Says what the answer cost, in US dollars; `None` if that is not known.
    #[must_use]
    pub fn with_cost(mut self, cost: impl Into<Option<Usd>>) -> Self {
        self.cost = cost.into();
        self
    }

    /// Names the price of an answer, in US dollars, wherever one was or may have been billed and no provider
    /// says what it cost.
    #[doc(hidden)]
    #[must_use]
    pub fn with_price(mut self, price: Usd) -> Self {
        if let Some(past) = &mut self.history.0 {
            let contributors = std::mem::take(&mut past.contributors).into_iter();
            past.contributors = contributors.map(|part| part.with_price(price)).collect();
            for attempt in &mut past.failed_attempts {
                attempt.price_at(price);
            }
        }
        self.cost = self.cost.or_else(|| match self.contributors() {
            [] => Some(price),
            parts => parts.iter().map(Self::cost).sum(),
        });
        self
    }

    /// Says how long it took. A combinator that made several attempts replaces it by the total.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.history.past_mut().elapsed = elapsed;
        self
    }

    /// Puts failed attempts in front of those already known.
    #[must_use]
    pub fn with_failed_attempts(mut self, earlier: Vec<Attempt>) -> Self {
        if !earlier.is_empty() {
            self.history
                .past_mut()
                .failed_attempts
                .splice(0..0, earlier);
        }
        self
    }

    /// Notes the answers that it was made of, so that a [report](crate::DragSolver::report) reaches
    /// every solver that gave one.
    #[must_use]
    pub fn with_contributors(mut self, contributors: Vec<Self>) -> Self {
        self.history.past_mut().contributors = contributors;
        self
    }

    /// Notes that a combinator got the answer from its `child`th solver (counted from 0), so that a
    /// [report](crate::DragSolver::report) finds the way back.
    #[must_use]
    pub fn push_route(mut self, child: usize) -> Self {
        self.history.past_mut().route.push(child);
        self
    }

    /// Undoes the outermost [`push_route`](Self::push_route): the child to forward a report to, and
    /// the solution as that child made it. `None` if no combinator noted one.
    #[must_use]
    pub fn pop_route(&self) -> Option<(usize, Self)> {
        let mut inner = self.clone();
        let child = inner.history.0.as_mut()?.route.pop()?;
        Some((child, inner))
    }

    /// Where to drag, in pixels of the original screenshot.
    #[must_use]
    pub fn drag(&self) -> &Drag {
        &self.drag
    }

    /// Name of the solver that found it. If several agreed on it, their names for people, as in
    /// `"a|b"`; [`contributors`](Self::contributors) has them one by one.
    #[must_use]
    pub fn solver(&self) -> &str {
        &self.solver
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

    /// What this answer and all failed attempts before it cost, or cost if they are billed, in US
    /// dollars. `None` if neither cost nor price of one of them is known.
    #[must_use]
    pub fn spent(&self) -> Option<Usd> {
        Some(self.cost? + crate::error::spent(self.failed_attempts())?)
    }

    /// The answers of several solvers that it was made of. Empty if it is one solver's own.
    #[must_use]
    pub fn contributors(&self) -> &[Self] {
        &self.history.past().contributors
    }

    /// How long it took, failed attempts included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.history.past().elapsed
    }

    /// The attempts that failed before this answer came, in order.
    #[must_use]
    pub fn failed_attempts(&self) -> &[Attempt] {
        &self.history.past().failed_attempts
    }
}

/// Whether a drag was accepted by the application that posed the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(::serde::Serialize, ::serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[allow(clippy::exhaustive_enums)] // a drag was right or it was not
pub enum Verdict {
    /// The drag was accepted.
    Correct,
    /// The drag was refused.
    Incorrect,
}

crate::text::names!(Verdict { Correct => "correct", Incorrect => "incorrect" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Billed, ErrorKind, Point, SolveError};

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
            .with_failed_attempts(failed.with_elapsed(Duration::from_millis(3)).attempts())
            .with_contributors(vec![solution().push_route(2)])
            .push_route(1);
        let json = serde_json::to_string(&whole).unwrap();
        assert!(json.contains(r#""elapsed_ms":2140"#), "{json}");
        assert_eq!(serde_json::from_str::<Solution>(&json).unwrap(), whole);
    }

    #[test]
    fn only_its_history_may_be_absent_from_json() {
        let json = r#"{"drag": {"start": {"x": 1, "y": 2}, "end": {"x": 3, "y": 4}}, "solver": "a", "elapsed_ms": 5}"#;
        let read = serde_json::from_str::<Solution>(json).unwrap();
        assert_eq!(read.elapsed(), Duration::from_millis(5));
        let read = serde_json::from_str::<Solution>(&json.replace("elapsed_ms", "elapsed"));
        assert!(read.unwrap_err().to_string().contains("`elapsed_ms`"));
    }

    #[test]
    fn it_is_small_enough_to_be_moved_without_a_call() {
        assert!(size_of::<Result<Solution, SolveError>>() <= 128);
    }

    #[test]
    fn a_route_unwinds_outermost_first() {
        let routed = solution().push_route(2).push_route(0);
        let (outer, inside) = routed.pop_route().unwrap();
        let (inner, leaf) = inside.pop_route().unwrap();
        assert_eq!((outer, inner), (0, 2));
        assert_eq!(leaf, solution());
        assert!(leaf.pop_route().is_none());
    }

    #[test]
    fn earlier_attempts_come_first() {
        let attempt = |kind| SolveError::new(kind, "x").attempts();
        let solved = solution()
            .with_failed_attempts(attempt(ErrorKind::Timeout))
            .with_failed_attempts(attempt(ErrorKind::Protocol));
        let kinds: Vec<_> = solved.failed_attempts().iter().map(|a| a.kind).collect();
        assert_eq!(kinds, [ErrorKind::Protocol, ErrorKind::Timeout]);
    }

    #[test]
    fn what_was_spent_includes_failed_attempts_and_takes_the_price_where_no_cost_is_named() {
        let usd = Usd::from_micros;
        let failed = SolveError::new(ErrorKind::InvalidAnswer, "x").with_billed(Billed::Yes);
        let solved = solution().with_failed_attempts(failed.attempts());
        assert_eq!(solved.spent(), None);
        assert_eq!(solved.with_price(usd(1_000)).spent(), Some(usd(1_900)));
        let drag = *solution().drag();
        let two = vec![solution(), Solution::new(drag, "b")];
        let agreed = Solution::new(drag, "a|b").with_contributors(two);
        assert_eq!(agreed.with_price(usd(1_000)).spent(), Some(usd(1_900)));
    }
}
