//! In which order the solvers of a fallback are asked, by what they did recently.

use std::time::Duration;

use drag_solver_core::{DragSolver, ErrorKind, Recovery, Solution, SolveError, Usd};

use super::OrderPolicy;
use super::record::{Figures, PastCall, TrackRecord};
use crate::jitter::Jitter;

/// The records of all solvers of one fallback.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) policy: OrderPolicy,
    chance: Jitter,
    of: Vec<TrackRecord>,
}

/// What a good answer of a solver takes, on average, failures included: the means of a call, divided by the chance
/// that it succeeds. Infinite if there was none.
#[derive(Clone, Copy, Debug)]
struct Expected {
    seconds: f64,
    dollars: f64,
}

impl Expected {
    fn of(figures: &Figures) -> Self {
        if figures.good == 0 {
            let (seconds, dollars) = (f64::INFINITY, f64::INFINITY);
            return Self { seconds, dollars };
        }
        let good = f64::from(figures.good);
        // Those of which it is not known cost as much as the others.
        let spent_by_one = figures.spent.to_f64_lossy() / f64::from(figures.priced.max(1));
        Self {
            seconds: figures.took.as_secs_f64() / good,
            dollars: spent_by_one * f64::from(figures.calls) / good,
        }
    }

    /// To ask in the order of this finds an answer with the least of it, on average: seconds, or dollars if it is
    /// known what a second is worth.
    fn score(self, second_worth: Option<f64>) -> f64 {
        match second_worth {
            None => self.seconds,
            Some(_) if self.seconds.is_infinite() => f64::INFINITY,
            Some(worth) => self.seconds * worth + self.dollars,
        }
    }

    fn is_slower_and_dearer_than(self, other: Self) -> bool {
        self.seconds > other.seconds && self.dollars > other.dollars
    }
}

impl Records {
    pub(super) fn new(policy: OrderPolicy, solvers: usize, chance: Jitter) -> Self {
        Self {
            policy,
            chance,
            of: (0..solvers).map(|_| TrackRecord::default()).collect(),
        }
    }

    /// Takes these for the records of the first solvers, as many as there are.
    pub(super) fn take_over(&mut self, records: impl IntoIterator<Item = TrackRecord>) {
        for (own, known) in self.of.iter_mut().zip(records) {
            *own = known;
        }
    }

    /// The records of all solvers.
    pub(super) fn all(&self) -> &[TrackRecord] {
        &self.of
    }

    /// A call of `child`, which is `solver`, ended like this.
    pub(super) fn add(
        &self,
        child: usize,
        solver: &dyn DragSolver,
        outcome: Result<&Solution, &SolveError>,
        took: Duration,
    ) {
        let call = match outcome {
            Ok(solution) => {
                let spent = solution.spent().or_else(|| {
                    let priced = solution.clone().with_price(price_of(solver)?);
                    priced.spent()
                });
                PastCall::ended(took, true, spent, solution.job().cloned())
            }
            Err(error) if is_its_fault(error) => {
                let spent = error.spent().or_else(|| {
                    let priced = error.clone().with_price(price_of(solver)?);
                    priced.spent()
                });
                PastCall::ended(took, false, spent, None)
            }
            Err(_) => return,
        };
        self.of[child].add(call);
    }

    /// An answer of `child` turned out to be wrong.
    pub(super) fn was_wrong(&self, child: usize, solution: &Solution) {
        self.of[child].was_wrong(solution.job());
    }

    /// Everybody, the best first.
    pub(super) fn order(&self) -> Vec<usize> {
        let worth = self.policy.second_worth.map(Usd::to_f64_lossy);
        let figures: Vec<Figures> = self
            .of
            .iter()
            .map(|record| record.figures(self.policy.window))
            .collect();
        let needed = self.policy.samples_needed();
        let known = |one: &Figures| (one.calls as usize >= needed).then(|| Expected::of(one));
        let known: Vec<Option<Expected>> = figures.iter().map(known).collect();
        // A solver that is not known yet is thought to be as good as the best, which leaves it where it is
        // listed, unless those before it turn out to be worse.
        let scores = known.iter().flatten().map(|one| one.score(worth));
        let best = scores.fold(f64::INFINITY, f64::min);
        let score = |child: usize| known[child].map_or(best, |one| one.score(worth));
        let beaten = |own: Expected| {
            let mut others = known.iter().flatten();
            others.any(|&other| own.is_slower_and_dearer_than(other))
        };
        let is_dropped = |child: usize| worth.is_some() && known[child].is_some_and(beaten);
        let mut order: Vec<usize> = (0..self.of.len()).collect();
        order.sort_by(|&one, &other| {
            let dropped = is_dropped(one).cmp(&is_dropped(other));
            dropped.then(score(one).total_cmp(&score(other)))
        });
        let could_win = |child: usize| {
            let price = figures[child].cheapest.unwrap_or_default();
            price.to_f64_lossy() <= best
        };
        let losers: Vec<usize> = (1..order.len())
            .filter(|&place| match worth {
                // Where prices do not count, who is listed first is preferred.
                None => order[..place].iter().any(|&before| before > order[place]),
                Some(_) => could_win(order[place]),
            })
            .collect();
        self.explore(&mut order, &losers);
        order
    }

    /// Now and then, one of those at these places is asked first.
    fn explore(&self, order: &mut [usize], places: &[usize]) {
        if places.is_empty() || self.chance.fraction() >= self.policy.explore.get() {
            return;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss
        )] // a few
        let chosen = (self.chance.fraction() * places.len() as f64) as usize;
        order[..=places[chosen]].rotate_right(1);
    }
}

/// What one answer of it costs at most, if it says so.
fn price_of(solver: &dyn DragSolver) -> Option<Usd> {
    let worst = solver.profile().worst_case;
    let purchases = std::num::NonZeroU32::new(worst.purchases?)?;
    Some(worst.cost? / purchases)
}

/// Whether an error says something about the solver: not if it was made on this side, and not if
/// no solver could have done better.
fn is_its_fault(error: &SolveError) -> bool {
    let attempts = error.attempts();
    let ours = |kind: ErrorKind| kind.is_local_refusal();
    let all_ours = !attempts.is_empty() && attempts.iter().all(|attempt| ours(attempt.kind));
    error.recovery() != Recovery::Stop && !ours(error.kind()) && !all_ours
}

#[cfg(test)]
mod tests {
    use drag_solver_core::{Billed, Drag, JobId, Point, Ratio};
    use drag_solver_mock::MockSolver;

    use super::*;
    use crate::DragSolverExt as _;
    use crate::tests::{Named, error, millis, secs};

    fn answer(job: Option<u64>) -> Solution {
        let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
        let solution = Solution::new(drag, "a");
        job.map_or(solution.clone(), |id| solution.with_job(JobId::from(id)))
    }

    fn records(solvers: usize) -> Records {
        let policy = OrderPolicy::default().min_samples(2).explore(Ratio::ZERO);
        Records::new(policy, solvers, Jitter::seeded(1))
    }

    /// Seconds for each good answer of the first.
    fn per_answer(records: &Records) -> Duration {
        let expected = Expected::of(&records.of[0].figures(secs(600)));
        Duration::from_secs_f64(expected.seconds)
    }

    fn good(records: &Records, child: usize, took: u64) {
        records.add(child, &Named("a"), Ok(&answer(None)), secs(took));
    }

    fn bad(records: &Records, child: usize, took: u64) {
        let down = error(ErrorKind::Unavailable);
        records.add(child, &Named("a"), Err(&down), secs(took));
    }

    #[tokio::test(start_paused = true)]
    async fn the_least_time_per_answer_goes_first() {
        let records = records(3);
        for _ in 0..4 {
            good(&records, 0, 10); // 10 s an answer
            good(&records, 1, 3);
            bad(&records, 1, 3); // 6 s an answer
            good(&records, 2, 7); // 7 s an answer
        }
        assert_eq!(records.order(), [1, 2, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn too_few_calls_change_nothing() {
        let records = records(2);
        good(&records, 1, 1);
        bad(&records, 0, 60);
        assert_eq!(records.order(), [0, 1]);
        // The unknown stays behind the one that is known to be good.
        good(&records, 0, 3);
        assert_eq!(records.order(), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_never_answers_goes_last() {
        let records = records(2);
        for _ in 0..2 {
            bad(&records, 0, 0);
            good(&records, 1, 60);
        }
        assert_eq!(records.order(), [1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_the_solvers_fault_does_not_count() {
        let records = records(2);
        for _ in 0..2 {
            good(&records, 0, 3);
            good(&records, 1, 4);
        }
        for &kind in ErrorKind::ALL {
            let ours = kind.is_local_refusal() || kind.recovery() == Recovery::Stop;
            assert_eq!(is_its_fault(&error(kind)), !ours, "{kind}");
            if ours {
                for _ in 0..10 {
                    records.add(0, &Named("a"), Err(&error(kind)), secs(60));
                }
            }
        }
        let nested = vec![error(ErrorKind::CircuitOpen)];
        assert!(!is_its_fault(&SolveError::all_failed(nested)));
        assert_eq!(records.order(), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_answer_is_none_and_is_counted_once() {
        let records = records(1);
        for job in 1..=3 {
            records.add(0, &Named("a"), Ok(&answer(Some(job))), secs(6));
        }
        assert_eq!(per_answer(&records), secs(6));
        for _ in 0..2 {
            records.was_wrong(0, &answer(Some(2)));
            assert_eq!(per_answer(&records), secs(9));
        }
        records.was_wrong(0, &answer(Some(77)));
        assert_eq!(per_answer(&records), secs(9), "a stranger");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_answer_without_a_job_is_the_latest_answer_and_no_failure() {
        let records = records(1);
        good(&records, 0, 6);
        good(&records, 0, 6);
        bad(&records, 0, 6);
        records.was_wrong(0, &answer(None));
        assert_eq!(per_answer(&records), secs(18));
    }

    #[tokio::test(start_paused = true)]
    async fn old_calls_are_forgotten_at_the_very_instant() {
        let records = records(2);
        for _ in 0..2 {
            bad(&records, 0, 1);
            good(&records, 1, 5);
        }
        tokio::time::advance(millis(599_999)).await;
        assert_eq!(records.order(), [1, 0]);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(records.order(), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_solver_that_was_put_back_is_explored_and_as_often_as_said() {
        let policy = OrderPolicy::default()
            .min_samples(2)
            .explore(Ratio::percent(25));
        let records = Records::new(policy, 3, Jitter::seeded(1));
        for _ in 0..1_000 {
            assert_eq!(records.order(), [0, 1, 2], "none was put back");
        }
        for _ in 0..2 {
            bad(&records, 0, 1);
            good(&records, 1, 5);
            good(&records, 2, 9);
        }
        let orders: Vec<_> = (0..1_000).map(|_| records.order()).collect();
        let explored = orders.iter().filter(|order| **order == [0, 1, 2]).count();
        assert!((200..300).contains(&explored), "{explored}");
        let rest = orders.iter().filter(|order| **order == [1, 2, 0]).count();
        assert_eq!(explored + rest, 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn each_solver_that_was_put_back_is_explored_as_often_as_the_other() {
        let policy = OrderPolicy::default().min_samples(1).explore(Ratio::ONE);
        let records = Records::new(policy, 3, Jitter::seeded(1));
        for (child, took) in [(0, 9), (1, 7), (2, 5)] {
            good(&records, child, took);
        }
        let orders: Vec<_> = (0..1_000).map(|_| records.order()).collect();
        let second = orders.iter().filter(|order| **order == [1, 2, 0]).count();
        let third = orders.iter().filter(|order| **order == [0, 2, 1]).count();
        assert_eq!(second + third, 1_000);
        assert!((400..600).contains(&second), "{second}");
    }
    fn priced_records(solvers: usize, second_worth: &str) -> Records {
        let worth = second_worth.parse().unwrap();
        let policy = OrderPolicy::default().min_samples(2).second_worth(worth);
        Records::new(policy.explore(Ratio::ZERO), solvers, Jitter::seeded(1))
    }

    /// Calls of `child` that take `took` seconds and cost `dollars` each: so many are good.
    fn calls(records: &Records, child: usize, took: u64, dollars: &str, good: [bool; 2]) {
        let cost: Usd = dollars.parse().unwrap();
        for is_good in good {
            let down = error(ErrorKind::InvalidAnswer);
            let down = down.with_billed(Billed::Yes).with_cost(cost);
            let solution = answer(None).with_cost(cost);
            let outcome = if is_good { Ok(&solution) } else { Err(&down) };
            records.add(child, &Named("a"), outcome, secs(took));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_second_is_worth_says_whether_the_quick_or_the_cheap_one_goes_first() {
        let both = [true, true];
        for (worth, first) in [("0", 0), ("0.0009", 0), ("0.0011", 1), ("1", 1)] {
            let records = priced_records(2, worth);
            calls(&records, 0, 5, "0.001", both);
            calls(&records, 1, 3, "0.003", both); // $0.002 for 2 s
            assert_eq!(records.order()[0], first, "{worth}");
        }
        // Without it, time alone.
        let records = records(2);
        calls(&records, 0, 5, "0.001", both);
        calls(&records, 1, 3, "9", both);
        assert_eq!(records.order(), [1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn money_counts_for_each_right_answer() {
        let records = priced_records(2, "0");
        calls(&records, 0, 1, "0.001", [true, false]); // $0.002 for each that is right
        calls(&records, 1, 9, "0.0019", [true, true]);
        assert_eq!(records.order(), [1, 0]);
        records.was_wrong(1, &answer(None));
        assert_eq!(records.order(), [0, 1], "$0.0038 for each that is right");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slower_and_dearer_than_another_goes_last_however_good() {
        let both = [true, true];
        let records = priced_records(4, "0.001");
        calls(&records, 0, 2, "0.002", both); // worth 0.004; beaten by 1
        calls(&records, 1, 1, "0.001", both); // worth 0.002
        calls(&records, 2, 20, "0.0005", both); // worth 0.0205; the cheapest
        assert_eq!(
            records.order(),
            [1, 3, 2, 0],
            "nothing is known of the last"
        );
        // Slower alone, or more expensive alone, is not enough.
        let records = priced_records(3, "0.001");
        calls(&records, 0, 2, "0.001", both);
        calls(&records, 1, 1, "0.001", both);
        calls(&records, 2, 1, "0.002", both);
        assert_eq!(records.order(), [1, 0, 2]);
        // One that never answers is behind all.
        calls(&records, 1, 0, "0", [false, false]);
        records.of[1].was_wrong(None);
        records.of[1].was_wrong(None);
        assert_eq!(records.order(), [0, 2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_cost_is_named_it_is_the_price_if_there_is_one() {
        let price: Usd = "0.002".parse().unwrap();
        let priced = MockSolver::new("a").priced(price).into_arc();
        let records = priced_records(1, "0");
        let retried = crate::Retry::new(priced.clone(), crate::RetryPolicy::default());
        records.add(0, &priced, Ok(&answer(None)), secs(1));
        records.add(0, &retried, Ok(&answer(None)), secs(1));
        let wrong = error(ErrorKind::InvalidAnswer).with_billed(Billed::Yes);
        records.add(0, &priced, Err(&wrong), secs(1));
        records.add(0, &priced, Err(&error(ErrorKind::Unavailable)), secs(1));
        records.add(0, &Named("b"), Ok(&answer(None)), secs(1));
        let named = answer(None).with_cost(Usd::from_micros(7));
        records.add(0, &priced, Ok(&named), secs(1));
        let spent: Vec<_> = records.of[0]
            .calls()
            .iter()
            .map(|call| call.spent)
            .collect();
        let expected = [
            Some(price),
            Some(price),
            Some(price),
            Some(Usd::ZERO),
            None,
            Some(Usd::from_micros(7)),
        ];
        assert_eq!(spent, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_of_which_no_cost_is_known_costs_as_much_as_the_others() {
        let records = priced_records(2, "0");
        calls(&records, 0, 1, "0.001", [true, true]);
        calls(&records, 1, 1, "0.0011", [true, true]);
        (0..8).for_each(|_| good(&records, 1, 1));
        assert_eq!(records.order(), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn where_prices_count_all_are_explored_that_could_win() {
        let policy = OrderPolicy::default().min_samples(2).explore(Ratio::ONE);
        let policy = policy.second_worth("0.001".parse().unwrap());
        let records = Records::new(policy, 3, Jitter::seeded(1));
        let firsts = |records: &Records| {
            let mut count = [0; 3];
            (0..300).for_each(|_| count[records.order()[0]] += 1);
            count
        };
        let [a, b, c] = firsts(&records);
        assert!(
            a == 0 && b > 100 && c > 100,
            "nothing is known yet: {b}, {c}"
        );
        calls(&records, 0, 1, "0.001", [true, true]); // worth 0.002
        calls(&records, 1, 1, "0.0021", [true, true]); // more than that, even if it took no time
        calls(&records, 2, 9, "0.0019", [true, false]); // if it were quick and always right, it would be ahead
        assert_eq!(firsts(&records), [0, 0, 300]);
    }
}
