//! The combinators that hand out guards, each with a tap behind it, and what must hold of it.

use std::sync::Arc;

use drag_solver_combinators::{
    Circuit, CircuitBreaker, CircuitBreakerPolicy, CircuitState, ConcurrencyLimit,
    ConcurrencyLimitPolicy, DragSolverExt, Permits, RateLimit, RateLimitPolicy, RateLimiter,
    RetryBudget, RetryBudgetPolicy, RetryPolicy,
};

use crate::build::{Solver, World};
use crate::tap::{Calls, Tap};

impl World {
    pub(crate) fn breaker(&mut self, solver: Solver, policy: CircuitBreakerPolicy) -> Solver {
        let circuit = Circuit::new(policy).unwrap();
        let seen = circuit.clone();
        let tapped = Tap::around(solver, &self.wrongs, move |_, wrongs| {
            let probes = seen.probes();
            match seen.state() {
                CircuitState::Open => wrongs.add("a call went through an open circuit"),
                CircuitState::HalfOpen if probes == 0 => wrongs.add("a probe that is none"),
                _ => {}
            }
            if probes > policy.probes as usize {
                wrongs.add(format!("{probes} probes"));
            }
        });
        let breaker = CircuitBreaker::sharing(tapped, &circuit);
        self.ends(move || {
            let probes = circuit.probes();
            (probes != 0).then(|| format!("{probes} probes go on"))
        });
        Arc::new(breaker)
    }

    pub(crate) fn concurrency(&mut self, solver: Solver, policy: ConcurrencyLimitPolicy) -> Solver {
        let permits = Permits::new(policy).unwrap();
        let (calls, seen) = (Calls::default(), permits.clone());
        let counted = calls.clone();
        let tapped = Tap::around(solver, &self.wrongs, move |_, wrongs| {
            let (in_flight, waiting) = (seen.in_flight(), seen.waiting());
            if counted.in_flight() > in_flight {
                wrongs.add("a call without a permit");
            }
            if in_flight > policy.max_in_flight as usize || waiting > policy.max_waiting as usize {
                wrongs.add(format!("{in_flight} calls in flight, {waiting} waiting"));
            }
        });
        let limited = ConcurrencyLimit::sharing(calls.count(tapped), &permits);
        self.ends(move || {
            let (in_flight, waiting) = (permits.in_flight(), permits.waiting());
            (in_flight + waiting != 0).then(|| format!("{in_flight} permits, {waiting} places"))
        });
        // Who is neither in flight nor waiting was refused without a wait.
        let all = Calls::default();
        let (seen, most) = (all.clone(), policy.max_in_flight + policy.max_waiting);
        self.ends(move || {
            let at_once = seen.max_in_flight();
            (at_once > most as usize + 1).then(|| format!("{at_once} calls waited or were made"))
        });
        all.count(Arc::new(limited))
    }

    pub(crate) fn rate(&mut self, solver: Solver, policy: RateLimitPolicy) -> Solver {
        let limiter = RateLimiter::new(policy).unwrap();
        self.limiters.push(limiter.clone());
        let calls = Calls::default();
        let tapped = RateLimit::sharing(calls.count(solver), &limiter);
        self.ends(move || {
            let waiting = limiter.waiting();
            (waiting != 0).then(|| format!("{waiting} calls wait for their turn"))
        });
        self.ends(move || calls.too_many(policy.period, policy.burst));
        Arc::new(tapped)
    }

    pub(crate) fn retry(
        &mut self,
        solver: Solver,
        policy: RetryPolicy,
        budget: Option<u32>,
        seed: u64,
    ) -> Solver {
        let Some(burst) = budget else {
            return Arc::new(solver.retry(policy).unwrap().with_seed(seed));
        };
        let allowed = RetryBudgetPolicy::default().burst(burst).ratio(0.0);
        let budget = RetryBudget::new(allowed).unwrap();
        let (outside, inside) = (Calls::default(), Calls::default());
        let tapped = inside.count(solver).retry(policy).unwrap();
        let tapped = tapped.with_seed(seed).with_budget(budget.clone());
        let tapped = outside.count(Arc::new(tapped));
        self.ends(move || {
            let taken = u64::from(burst) - budget.available();
            let retries = inside.total() - outside.total();
            // Going on with a job takes no token.
            let fresh = inside.fresh().saturating_sub(outside.total());
            let agrees = (fresh as u64..=retries as u64).contains(&taken);
            (!agrees).then(|| format!("{taken} tokens for {retries} retries, {fresh} at least"))
        });
        tapped
    }
}
