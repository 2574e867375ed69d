//! What calls say about the solvers: pure functions, and the figures of a report.

mod agreement;
mod interval;
mod pareto;

use std::collections::BTreeMap;

use drag_solver_core::Usd;
use serde::Serialize;

pub use self::agreement::{Agreement, agreement};
pub use self::interval::{Estimate, quantile, ratio, wilson};
pub(crate) use self::interval::{float, of_sorted};
pub use self::pareto::pareto_front;
use crate::call::{Call, CallOutcome};

/// What is known of one solver.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SolverFigures {
    /// What it is called.
    pub name: String,
    /// How many calls were measured.
    pub calls: u64,
    /// How many of them were answered within the tolerance.
    pub right: u64,
    /// How many were answered, and are further off.
    pub wrong: u64,
    /// How many failed, by the kind of their error.
    pub failed: BTreeMap<&'static str, u64>,
    /// How many calls say nothing about the solver, by the kind of their error. They are in no other figure.
    pub not_measured: BTreeMap<&'static str, u64>,
    /// How many of the measured calls were on record already.
    pub from_store: u64,
    /// The share of right answers, of all measured calls.
    pub share_right: Option<Estimate>,
    /// How far answers are off, in pixels: the median.
    pub error_px_p50: Option<Estimate>,
    /// How far answers are off, in pixels: the 95th percentile.
    pub error_px_p95: Option<Estimate>,
    /// How long calls take, failed ones too, in seconds: the median.
    pub seconds_p50: Option<Estimate>,
    /// The 95th percentile.
    pub seconds_p95: Option<Estimate>,
    /// The 99th percentile.
    pub seconds_p99: Option<Estimate>,
    /// Of how many measured calls it is not known how long they took.
    pub unknown_times: u64,
    /// What all measured calls cost, in US dollars, as far as that is known.
    pub spent_usd: Usd,
    /// Of how many measured calls it is not known what they cost.
    pub unknown_costs: u64,
    /// What a right answer costs, wrong answers and failures paid along, in US dollars. `None` if a cost is not known, or
    /// none was right.
    pub usd_per_right: Option<Estimate>,
    /// Whether no other solver is right at least as often for at most as much money, and better in one of them.
    pub on_front: bool,
}

/// The figures of each of the solvers with these names, in their order. Right is what is at most `tolerance` pixels off.
#[must_use]
pub fn figures(names: &[String], calls: &[Call], tolerance: f64) -> Vec<SolverFigures> {
    let of = |(solver, name): (usize, &String)| {
        let own: Vec<&Call> = calls.iter().filter(|call| call.solver == solver).collect();
        of_solver(name, &own, tolerance)
    };
    let mut all: Vec<SolverFigures> = names.iter().enumerate().map(of).collect();
    let point = |one: &SolverFigures| {
        let share = one.share_right.map_or(0.0, |share| share.value);
        (one.usd_per_right.map(|cost| cost.value), share)
    };
    let points: Vec<_> = all.iter().map(point).collect();
    for (one, on_front) in all.iter_mut().zip(pareto_front(&points)) {
        one.on_front = on_front;
    }
    all
}

fn of_solver(name: &str, calls: &[&Call], tolerance: f64) -> SolverFigures {
    let (mut right, mut wrong, mut from_store) = (0, 0, 0);
    let (mut failed, mut not_measured) = (BTreeMap::new(), BTreeMap::new());
    let (mut errors, mut seconds, mut money) = (Vec::new(), Vec::new(), Vec::new());
    let (mut spent_usd, mut unknown_times, mut unknown_costs) = (Usd::ZERO, 0, 0);
    for call in calls {
        let mut is_right = false;
        match &call.outcome {
            CallOutcome::NotMeasured { kind } => {
                *not_measured.entry(kind.as_str()).or_default() += 1;
                continue;
            }
            CallOutcome::Failed { kind, .. } => *failed.entry(kind.as_str()).or_default() += 1,
            CallOutcome::Answered { off_px, .. } => {
                errors.push(*off_px);
                is_right = *off_px <= tolerance;
                right += u64::from(is_right);
                wrong += u64::from(!is_right);
            }
        }
        from_store += u64::from(call.from_store);
        match call.took {
            Some(took) => seconds.push(took.as_secs_f64()),
            None => unknown_times += 1,
        }
        match call.spent {
            Some(spent) => {
                spent_usd = spent_usd + spent;
                money.push((spent.to_f64_lossy(), f64::from(u8::from(is_right))));
            }
            None => unknown_costs += 1,
        }
    }
    errors.sort_by(f64::total_cmp);
    seconds.sort_by(f64::total_cmp);
    let calls = right + wrong + failed.values().sum::<u64>();
    SolverFigures {
        name: name.to_owned(),
        calls,
        right,
        wrong,
        failed,
        not_measured,
        from_store,
        share_right: wilson(right, calls),
        error_px_p50: of_sorted(&errors, 0.5),
        error_px_p95: of_sorted(&errors, 0.95),
        seconds_p50: of_sorted(&seconds, 0.5),
        seconds_p95: of_sorted(&seconds, 0.95),
        seconds_p99: of_sorted(&seconds, 0.99),
        unknown_times,
        spent_usd,
        unknown_costs,
        usd_per_right: ratio(&money).filter(|_| unknown_costs == 0),
        on_front: false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use drag_solver_core::ErrorKind;
    use drag_solver_mock::fixtures;

    use super::*;
    use crate::call::Next;

    fn call(picture: usize, outcome: CallOutcome, micros: Option<i64>) -> Call {
        Call {
            picture,
            solver: 0,
            outcome,
            took: (picture != 3).then(|| Duration::from_secs(picture as u64 + 1)),
            spent: micros.map(Usd::from_micros),
            from_store: picture == 0,
        }
    }

    fn answered(off_px: f64) -> CallOutcome {
        CallOutcome::Answered {
            drag: fixtures::drag(),
            off_px,
        }
    }

    #[test]
    fn every_call_is_in_one_count_and_what_says_nothing_is_in_no_figure() {
        let failed = CallOutcome::Failed {
            kind: ErrorKind::Timeout,
            next: Next::Another,
            retry_after: None,
        };
        let calls = [
            call(0, answered(10.0), Some(900)),
            call(1, answered(10.1), Some(900)),
            call(2, failed, Some(0)),
            call(3, answered(0.0), Some(900)),
            call(
                4,
                CallOutcome::NotMeasured {
                    kind: ErrorKind::BudgetExhausted,
                },
                None,
            ),
        ];
        let figures = figures(&["a".to_owned()], &calls, 10.0).remove(0);
        assert_eq!((figures.calls, figures.right, figures.wrong), (4, 2, 1));
        assert_eq!(figures.failed, BTreeMap::from([("timeout", 1)]));
        assert_eq!(
            figures.not_measured,
            BTreeMap::from([("budget_exhausted", 1)])
        );
        assert_eq!((figures.from_store, figures.unknown_times), (1, 1));
        assert_eq!(figures.spent_usd, Usd::from_micros(2700));
        let per_right = figures.usd_per_right.unwrap().value;
        assert!((per_right - 0.00135).abs() < 1e-12);
        assert!((figures.seconds_p99.unwrap().value - 3.0).abs() < 1e-12);
        assert!((figures.error_px_p50.unwrap().value - 10.0).abs() < 1e-12);
        assert!(figures.on_front);
    }

    #[test]
    fn one_cost_that_is_not_known_makes_the_price_of_a_right_answer_unknown() {
        let calls = [
            call(0, answered(0.0), Some(900)),
            call(1, answered(0.0), None),
        ];
        let figures = figures(&["a".to_owned()], &calls, 10.0).remove(0);
        assert_eq!((figures.usd_per_right, figures.unknown_costs), (None, 1));
        assert!(!figures.on_front);
    }
}
