//! What the providers would bill, kept by themselves: the truth that a budget's books must agree with.

use std::collections::HashMap;
use std::sync::Mutex;

use drag_solver_core::{JobId, PaidJob, Usd};

/// What an answer costs unless the provider says that it was less.
pub(crate) fn price() -> Usd {
    Usd::from_micros(1_000)
}

/// What an answer costs where providers say so.
pub(crate) fn known_cost() -> Usd {
    Usd::from_micros(700)
}

#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    /// Requests to buy that came to no known end, by the call that made them.
    sent: Vec<(u64, usize)>,
    /// Jobs, by the call that bought them, with what they come to.
    jobs: HashMap<PaidJob, (usize, Usd)>,
    /// How many answers each call may have bought.
    bought: HashMap<usize, u32>,
    last: u64,
}

impl Books {
    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lock().unwrap()
    }

    /// A request to buy is on its way. From now on it may be billed.
    pub(crate) fn buying(&self, call: usize) -> u64 {
        let mut lines = self.lines();
        lines.last += 1;
        let request = lines.last;
        lines.sent.push((request, call));
        *lines.bought.entry(call).or_default() += 1;
        request
    }

    /// It bought nothing.
    pub(crate) fn refused(&self, request: u64, was_sent: bool) {
        let mut lines = self.lines();
        let found = lines.sent.iter().position(|(id, _)| *id == request);
        let (_, call) = lines.sent.remove(found.unwrap());
        if !was_sent {
            *lines.bought.get_mut(&call).unwrap() -= 1;
        }
    }

    /// It bought a job.
    pub(crate) fn accepted(&self, request: u64, solver: &str) -> JobId {
        let mut lines = self.lines();
        let found = lines.sent.iter().position(|(id, _)| *id == request);
        let (id, call) = lines.sent.remove(found.unwrap());
        let job = JobId::from(id);
        lines
            .jobs
            .insert(PaidJob::new(solver, job.clone()), (call, price()));
        job
    }

    /// What a job comes to is known.
    pub(crate) fn ended(&self, solver: &str, job: &JobId, cost: Usd) {
        let job = PaidJob::new(solver, job.clone());
        self.lines().jobs.get_mut(&job).unwrap().1 = cost;
    }

    /// What everything comes to.
    pub(crate) fn total(&self) -> Usd {
        let lines = self.lines();
        let sent = lines.sent.iter().map(|_| price());
        sent.chain(lines.jobs.values().map(|(_, cost)| *cost)).sum()
    }

    /// What the purchases of one call come to.
    pub(crate) fn of_call(&self, call: usize) -> Usd {
        let lines = self.lines();
        let sent = lines.sent.iter().filter(|(_, by)| *by == call);
        let jobs = lines.jobs.values().filter(|(by, _)| *by == call);
        sent.map(|_| price())
            .chain(jobs.map(|(_, cost)| *cost))
            .sum()
    }

    /// How many answers a call may have bought.
    pub(crate) fn bought(&self, call: usize) -> u32 {
        self.lines().bought.get(&call).copied().unwrap_or_default()
    }
}
