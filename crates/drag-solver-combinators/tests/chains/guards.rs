//! The combinators that hand out guards, each with a tap behind it, and what must hold of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use drag_solver_combinators::{
    CallInfo, Circuit, CircuitBreaker, CircuitBreakerPolicy, CircuitState, ConcurrencyLimit,
    ConcurrencyLimitPolicy, DragSolverExt, Permits, RateLimit, RateLimitPolicy, RateLimiter,
    RetryBudget, RetryBudgetPolicy, RetryPolicy,
};
use drag_solver_core::{DragChallenge, Ratio};

use crate::build::{Solver, World};
use crate::provider::call_of;
use crate::tap::{Calls, Tap, Wrongs};

impl World {
    pub(crate) fn breaker(&mut self, solver: Solver, policy: CircuitBreakerPolicy) -> Solver {
        let circuit = Circuit::new(policy);
        let seen = circuit.clone();
        let tapped = Tap::before(solver, &self.wrongs, move |challenge, wrongs| {
            if !challenge.paid_jobs().is_empty() {
                return; // a resume passes
            }
            let probes = seen.probes();
            match seen.state() {
                CircuitState::Open => wrongs.add("a call went through an open circuit"),
                CircuitState::HalfOpen if probes == 0 => wrongs.add("a probe that is none"),
                _ => {}
            }
            if probes > policy.probes.get() as usize {
                wrongs.add(format!("{probes} probes"));
            }
        });
        let breaker = self.changes_seen(tapped, &circuit);
        self.ends(move || {
            let probes = circuit.probes();
            (probes != 0).then(|| format!("{probes} probes continue"))
        });
        breaker
    }

    /// A breaker whose state is looked at right before and after each call's end is counted: one that
    /// began while it was closed changes nothing in a later generation.
    fn changes_seen(&mut self, solver: Solver, circuit: &Circuit) -> Solver {
        type Seen = Arc<Mutex<HashMap<usize, Vec<CircuitState>>>>;
        let seen = Seen::default();
        let note = |circuit: &Circuit, seen: &Seen| {
            let (circuit, seen) = (circuit.clone(), Arc::clone(seen));
            move |challenge: &DragChallenge, _: &Wrongs| {
                let mut seen = seen.lock().unwrap();
                seen.entry(call_of(challenge))
                    .or_default()
                    .push(circuit.state());
            }
        };
        let inside = Tap::before(solver, &self.wrongs, note(circuit, &seen));
        let inside = Tap::after(inside, &self.wrongs, note(circuit, &seen));
        let breaker = Arc::new(CircuitBreaker::new(inside, circuit));
        let circuit = circuit.clone();
        Tap::after(breaker, &self.wrongs, move |challenge, wrongs| {
            let states = seen.lock().unwrap().remove(&call_of(challenge));
            if let Some([CircuitState::Closed, last]) = states.as_deref()
                && *last != CircuitState::Closed
                && *last != circuit.state()
            {
                wrongs.add(format!(
                    "a call of an older generation ended it being {last}"
                ));
            }
        })
    }

    pub(crate) fn concurrency(&mut self, solver: Solver, policy: ConcurrencyLimitPolicy) -> Solver {
        let permits = Permits::new(policy);
        let max_waiting = policy.max_waiting.map_or(usize::MAX, |most| most as usize);
        let (calls, seen) = (Calls::default(), permits.clone());
        let counted = calls.clone();
        let tapped = Tap::before(solver, &self.wrongs, move |challenge, wrongs| {
            if !challenge.paid_jobs().is_empty() {
                return; // a resume passes
            }
            let (in_flight, waiting) = (seen.in_flight(), seen.waiting());
            if counted.fresh_in_flight() > in_flight {
                wrongs.add("a call without a permit");
            }
            if in_flight > policy.max_in_flight.get() as usize || waiting > max_waiting {
                wrongs.add(format!("{in_flight} calls in flight, {waiting} waiting"));
            }
        });
        let limited = ConcurrencyLimit::new(calls.count(tapped), &permits);
        self.ends(move || {
            let (in_flight, waiting) = (permits.in_flight(), permits.waiting());
            (in_flight + waiting != 0).then(|| format!("{in_flight} permits, {waiting} places"))
        });
        // Who is neither in flight nor waiting was refused without a wait.
        let all = Calls::default();
        let (seen, most) = (
            all.clone(),
            (policy.max_in_flight.get() as usize).saturating_add(max_waiting),
        );
        self.ends(move || {
            let at_once = seen.max_fresh_in_flight();
            (at_once > most.saturating_add(1))
                .then(|| format!("{at_once} calls waited or were made"))
        });
        all.count(Arc::new(limited))
    }

    pub(crate) fn rate(&mut self, solver: Solver, policy: RateLimitPolicy) -> Solver {
        let limiter = RateLimiter::new(policy);
        self.limiters.push(limiter.clone());
        let calls = Calls::default();
        let tapped = RateLimit::new(calls.count(solver), &limiter);
        self.ends(move || {
            let waiting = limiter.waiting();
            (waiting != 0).then(|| format!("{waiting} calls wait for their turn"))
        });
        self.ends(move || calls.too_many(policy.period, policy.burst.get()));
        Arc::new(tapped)
    }

    pub(crate) fn inspect(&mut self, solver: Solver) -> Solver {
        let ended = Arc::new(AtomicUsize::new(0));
        let (calls, counted) = (Calls::default(), Arc::clone(&ended));
        let inspected = calls.count(solver).inspect(move |_: &CallInfo<'_>| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        self.ends(move || {
            let (ended, begun) = (ended.load(Ordering::SeqCst), calls.total());
            (ended != begun).then(|| format!("{ended} of {begun} calls were told of"))
        });
        Arc::new(inspected)
    }

    pub(crate) fn retry(
        &mut self,
        solver: Solver,
        policy: RetryPolicy,
        budget: Option<u32>,
        seed: u64,
    ) -> Solver {
        let Some(burst) = budget else {
            return Arc::new(solver.retry(policy).with_seed(seed));
        };
        let allowed = RetryBudgetPolicy::default().burst(burst).ratio(Ratio::ZERO);
        let budget = RetryBudget::new(allowed);
        let (outside, inside) = (Calls::default(), Calls::default());
        let tapped = inside.count(solver).retry(policy);
        let tapped = tapped.with_seed(seed).with_retry_budget(budget.clone());
        let tapped = outside.count(Arc::new(tapped));
        self.ends(move || {
            let taken = u64::from(burst) - budget.available();
            let retries = inside.total() - outside.total();
            // Resuming a job takes no token.
            let fresh = inside.fresh().saturating_sub(outside.total());
            let agrees = (fresh as u64..=retries as u64).contains(&taken);
            (!agrees).then(|| format!("{taken} tokens for {retries} retries, {fresh} at least"))
        });
        tapped
    }
}
