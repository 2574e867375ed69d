//! What is counted of the calls of one place in a chain.

use drag_solver_core::{Billed, Brought, SolveError, Usd, Verdict};

use super::bill::{Line, bill};
use crate::inspect::{CallInfo, CallOutcome};
use crate::measure::{
    ANSWER_COST, CALL_DURATION, CALLS, CALLS_IN_FLIGHT, Held, LABEL, PURCHASES, REPORTS, SPENT,
    change, count, observe,
};

/// What tells the metrics of one place from those of others.
///
/// Holds what a call is about, too, where the [policy](super::InstrumentPolicy) asks for it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) scope: &'a str,
    /// The label of the challenge, or what stands for it.
    pub(super) label: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn labels<const N: usize>(
        self,
        others: [(&'static str, &'a str); N],
    ) -> Vec<(&'static str, &'a str)> {
        let own = [("scope", self.scope)];
        let label = self.label.map(|label| (LABEL, label));
        own.into_iter().chain(others).chain(label).collect()
    }

    pub(super) fn begun(self, chain: &'a str) -> Held {
        Held::of(CALLS_IN_FLIGHT, &self.labels([("solver", chain)]))
    }

    pub(super) fn ended(self, call: &CallInfo<'_>, (outcome, solver): (&'a str, &'a str)) {
        let labels = self.labels([("solver", solver), ("outcome", outcome)]);
        count(CALLS, &labels, 1);
        observe(CALL_DURATION, &labels, call.elapsed.as_secs_f64());
        if let CallOutcome::Solved(solution) = call.outcome
            && let Some(cost) = solution.cost()
        {
            let labels = self.labels([("solver", solver)]);
            observe(ANSWER_COST, &labels, cost.to_f64_lossy());
        }
    }

    /// What the call bought. An answer costs `price` if no solver says what it cost.
    pub(super) fn billed(self, call: &CallInfo<'_>, brought: &Brought, price: Option<Usd>) {
        for line in bill(call, brought, price) {
            self.line(&line);
        }
    }

    fn line(self, line: &'a Line) {
        let solver = ("solver", &*line.solver);
        let step = |step| count(PURCHASES, &self.labels([solver, ("step", step)]), 1);
        if line.bought {
            step("bought");
            if let Some(cost) = line.cost {
                change(SPENT, &self.labels([solver]), cost.to_f64_lossy());
            }
        }
        match line.billed {
            Some(Billed::No) => step("not_billed"),
            Some(Billed::Maybe) => step("maybe_billed"),
            Some(Billed::Yes) => step("billed"),
            None if line.bought => step("unfinished"),
            None => {}
        }
    }

    pub(super) fn reported(
        self,
        solver: &'a str,
        verdict: Verdict,
        outcome: &'a Result<(), SolveError>,
    ) {
        let outcome = match outcome {
            Ok(()) => "accepted",
            Err(error) => error.kind().as_str(),
        };
        let verdict = ("verdict", verdict.as_str());
        let labels = self.labels([("solver", solver), verdict, ("outcome", outcome)]);
        count(REPORTS, &labels, 1);
    }
}
