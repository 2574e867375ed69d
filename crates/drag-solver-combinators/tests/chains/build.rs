//! Builds the chain of a plan, with a tap behind every guard, and notes what must hold in the end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use drag_solver_combinators::{
    Budget, BudgetPolicy, Circuit, CircuitBreaker, CircuitBreakerPolicy, CircuitState,
    ConcurrencyLimit, ConcurrencyLimitPolicy, DragSolverExt, Fallback, Hedge, Permits, Quorum,
    QuorumPolicy, RateLimit, RateLimitPolicy, RateLimiter, RetryBudget, RetryBudgetPolicy,
    RetryPolicy, ValidatePolicy,
};
use drag_solver_core::{DragSolver, JobId, Usd};

use crate::money::{Books, price};
use crate::plan::{Layer, Node, Plan, ticks};
use crate::provider::Provider;
use crate::tap::{Calls, Tap, Wrongs};

/// More than any call of one provider may buy: three attempts at most in each of two retries.
const ANSWERS_OF_A_CALL: u32 = 9;

type Solver = Arc<dyn DragSolver>;
/// Says what is wrong, if anything.
type Ending = Box<dyn Fn() -> Option<String> + Send + Sync>;

pub(crate) struct World {
    pub(crate) chain: Solver,
    pub(crate) books: Arc<Books>,
    pub(crate) wrongs: Wrongs,
    /// What must hold when nobody is at work any more.
    pub(crate) endings: Vec<Ending>,
    /// The jobs that each provider heard were correct.
    pub(crate) reports: HashMap<String, Arc<Mutex<Vec<JobId>>>>,
    budget: Budget,
    retries: u32,
    /// Whether a call may be dropped inside a budget, before any solver has said anything. Then a
    /// budget takes it for bought.
    silent_waits: bool,
    /// Whether a budget cannot know every cost: that of an answer that is refused inside it, or of
    /// attempts that ended before the call was dropped.
    costs_hidden: bool,
}

pub(crate) fn build(plan: &Plan) -> World {
    let answers = i64::from(ANSWERS_OF_A_CALL + plan.spare_answers);
    let limit = Usd::from_micros(answers * 1_000);
    let policy = match plan.period {
        Some(period) => BudgetPolicy::default()
            .per_period(limit)
            .period(ticks(period)),
        None => BudgetPolicy::default().total(limit),
    };
    let books = Arc::new(Books::default());
    let mut world = World {
        chain: Arc::new(Fallback::new([nobody(plan, &books)]).unwrap()),
        books,
        wrongs: Wrongs::default(),
        endings: Vec::new(),
        reports: HashMap::new(),
        budget: Budget::new(policy).unwrap(),
        retries: 0,
        silent_waits: false,
        costs_hidden: false,
    };
    let mut chain = world.node(&plan.chain, plan);
    let budget = world.budget.clone();
    let exact = !world.silent_waits && !world.costs_hidden;
    world.ends_reconciled("the budget", budget, exact);
    if plan.outer_budget {
        let everything = BudgetPolicy::default().total(Usd::from_micros(1_000_000));
        let outer = Budget::new(everything).unwrap();
        chain = Arc::new(chain.budget(&outer, price()).unwrap());
        world.ends_reconciled("the outer budget", outer, false);
    }
    if let Some(limit) = plan.deadline {
        chain = Arc::new(chain.deadline(ticks(limit)).unwrap());
    }
    world.chain = chain;
    world
}

/// A place holder.
fn nobody(plan: &Plan, books: &Arc<Books>) -> Solver {
    Arc::new(provider("nobody", plan, books))
}

fn provider(name: &str, plan: &Plan, books: &Arc<Books>) -> Provider {
    Provider {
        name: name.to_owned(),
        acts: Vec::new(),
        books: Arc::clone(books),
        costs_known: plan.costs_known,
        punctual: plan.deadline.is_none(),
        report_takes: ticks(plan.report_takes),
        calls: AtomicUsize::new(0),
        in_flight: Arc::default(),
        reports: Arc::default(),
    }
}

impl World {
    fn ends(&mut self, ending: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.endings.push(Box::new(ending));
    }

    fn ends_reconciled(&mut self, name: &'static str, budget: Budget, exact: bool) {
        let books = Arc::clone(&self.books);
        self.ends(move || {
            let (spent, billed) = (budget.spent(), books.total());
            if budget.reserved() != Usd::ZERO {
                return Some(format!("{name} still has ${} reserved", budget.reserved()));
            }
            let agrees = if exact {
                spent == billed
            } else {
                spent >= billed // a budget errs on the safe side
            };
            (!agrees).then(|| format!("{name} says ${spent}, the providers ${billed}"))
        });
    }

    fn node(&mut self, node: &Node, plan: &Plan) -> Solver {
        match node {
            Node::Provider {
                acts,
                layers,
                budget,
            } => {
                let name = format!("p{}", self.reports.len());
                let provider = Provider {
                    acts: acts.clone(),
                    ..provider(&name, plan, &self.books)
                };
                self.reports
                    .insert(name.clone(), Arc::clone(&provider.reports));
                let in_flight = Arc::clone(&provider.in_flight);
                self.ends(move || {
                    let calls = in_flight.load(Ordering::SeqCst);
                    (calls != 0).then(|| format!("{calls} calls of {name} go on"))
                });
                self.retries = 0;
                let mut solver: Solver = Arc::new(provider);
                for (at, layer) in layers.iter().enumerate() {
                    if at == *budget {
                        solver = self.budgeted(solver, &layers[..at], plan);
                    }
                    solver = self.layer(solver, *layer, plan);
                }
                if *budget == layers.len() {
                    solver = self.budgeted(solver, layers, plan);
                }
                solver
            }
            Node::Fallback(nodes, _) => Arc::new(Fallback::new(self.nodes(nodes, plan)).unwrap()),
            Node::Hedge(nodes, delay) => {
                let solvers = self.nodes(nodes, plan);
                Arc::new(Hedge::new(solvers, ticks(*delay)).unwrap())
            }
            Node::Quorum(nodes, all_at_once) => {
                let policy = QuorumPolicy::default().agree(2).all_at_once(*all_at_once);
                let solvers = self.nodes(nodes, plan);
                Arc::new(Quorum::new(solvers, policy).unwrap())
            }
            Node::Wrapped(inner, layer) => {
                let inner = self.node(inner, plan);
                self.retries = 0;
                self.layer(inner, *layer, plan)
            }
        }
    }

    fn nodes(&mut self, nodes: &[Node], plan: &Plan) -> Vec<Solver> {
        nodes.iter().map(|node| self.node(node, plan)).collect()
    }

    /// Puts the budget around a provider and the layers inside it.
    fn budgeted(&mut self, solver: Solver, inside: &[Layer], plan: &Plan) -> Solver {
        let any = |is: fn(&Layer) -> bool| inside.iter().any(is);
        self.silent_waits |=
            any(|layer| matches!(layer, Layer::Concurrency { .. } | Layer::Rate { .. }));
        self.costs_hidden |= any(|layer| matches!(layer, Layer::Retry { .. }))
            || plan.costs_known && any(|layer| matches!(layer, Layer::Validate { .. }));
        let tapped = {
            let budget = self.budget.clone();
            Tap::around(solver, &self.wrongs, move |challenge, wrongs| {
                if challenge.paid_jobs().is_empty() && budget.reserved() < price() {
                    wrongs.add("a provider was asked and nothing is reserved");
                }
                let total = budget.policy().total;
                if total.is_some_and(|total| budget.spent() + budget.reserved() > total) {
                    wrongs.add("the budget is overdrawn");
                }
            })
        };
        Arc::new(tapped.budget(&self.budget, price()).unwrap())
    }

    fn layer(&mut self, solver: Solver, layer: Layer, plan: &Plan) -> Solver {
        match layer {
            Layer::Validate { report } => {
                let policy = ValidatePolicy::default()
                    .report_incorrect(report)
                    .report_timeout(ticks(2));
                Arc::new(solver.validate(policy).unwrap())
            }
            Layer::Timeout(limit) => Arc::new(solver.timeout(ticks(limit)).unwrap()),
            Layer::Priced => Arc::new(solver.priced(price()).unwrap()),
            Layer::Breaker {
                min_calls,
                open_for,
                slow,
                probes,
            } => {
                let policy = CircuitBreakerPolicy::default()
                    .min_calls(min_calls)
                    .open_for(ticks(open_for))
                    .slow_call(ticks(slow))
                    .probes(probes);
                self.breaker(solver, policy)
            }
            Layer::Concurrency {
                max_in_flight,
                max_waiting,
                max_wait,
            } => {
                let policy = ConcurrencyLimitPolicy::default()
                    .max_in_flight(max_in_flight)
                    .max_waiting(max_waiting)
                    .max_wait(ticks(max_wait));
                self.concurrency(solver, policy)
            }
            Layer::Rate {
                interval,
                burst,
                max_wait,
            } => {
                let policy = RateLimitPolicy::default()
                    .max_calls(1)
                    .period(ticks(interval))
                    .burst(burst)
                    .max_wait(ticks(max_wait));
                self.rate(solver, policy)
            }
            Layer::Retry {
                attempts,
                backoff,
                max_retry_after,
                resume,
                unknown,
                budget,
            } => {
                self.retries += 1;
                if self.retries > 2 {
                    return solver;
                }
                let policy = RetryPolicy::default()
                    .max_attempts(attempts)
                    .base_backoff(ticks(backoff))
                    .max_backoff(ticks(backoff * 2))
                    .max_retry_after(ticks(max_retry_after))
                    .resume_paid_jobs(resume)
                    .retry_unknown_charge(unknown);
                self.retry(solver, policy, budget, plan.seed)
            }
        }
    }

    fn breaker(&mut self, solver: Solver, policy: CircuitBreakerPolicy) -> Solver {
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

    fn concurrency(&mut self, solver: Solver, policy: ConcurrencyLimitPolicy) -> Solver {
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

    fn rate(&mut self, solver: Solver, policy: RateLimitPolicy) -> Solver {
        let limiter = RateLimiter::new(policy).unwrap();
        let calls = Calls::default();
        let limited = RateLimit::sharing(calls.count(solver), &limiter);
        self.ends(move || {
            let waiting = limiter.waiting();
            (waiting != 0).then(|| format!("{waiting} calls wait for their turn"))
        });
        self.ends(move || calls.too_many(policy.period, policy.burst));
        Arc::new(limited)
    }

    fn retry(
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
        let retry = inside.count(solver).retry(policy).unwrap();
        let retry = retry.with_seed(seed).with_budget(budget.clone());
        let retry = outside.count(Arc::new(retry));
        self.ends(move || {
            let taken = u64::from(burst) - budget.available();
            let retries = inside.total() - outside.total();
            // Going on with a job takes no token.
            let fresh = inside.fresh().saturating_sub(outside.total());
            let agrees = (fresh as u64..=retries as u64).contains(&taken);
            (!agrees).then(|| format!("{taken} tokens for {retries} retries, {fresh} at least"))
        });
        retry
    }
}
