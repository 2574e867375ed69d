//! Builds the chain of a plan, and notes what must hold in the end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use drag_solver_combinators::{
    Budget, BudgetPolicy, CircuitBreakerPolicy, ConcurrencyLimitPolicy, DragSolverExt, Fallback,
    Hedge, HedgePolicy, OrderPolicy, Quorum, QuorumPolicy, RateLimitPolicy, RateLimiter,
    RetryPolicy, ValidatePolicy,
};
use drag_solver_core::{DragSolver, JobId, Ratio, Usd};

use crate::money::{Books, price};
use crate::plan::{Layer, Node, Plan, ticks};
use crate::provider::Provider;
use crate::tap::{Tap, Wrongs};

/// More than any call of one provider may buy: three attempts at most in each of two retries.
const ANSWERS_OF_A_CALL: u32 = 9;

pub(crate) type Solver = Arc<dyn DragSolver>;
/// Says what is wrong, if anything.
type Ending = Box<dyn Fn() -> Option<String> + Send + Sync>;

pub(crate) struct World {
    pub(crate) chain: Solver,
    pub(crate) books: Arc<Books>,
    pub(crate) wrongs: Wrongs,
    /// What must hold when no solver is at work any more.
    pub(crate) endings: Vec<Ending>,
    /// The jobs that each provider heard were correct.
    pub(crate) reports: HashMap<String, Arc<Mutex<Vec<JobId>>>>,
    /// Every rate limit in the chain.
    pub(crate) limiters: Vec<RateLimiter>,
    budget: Budget,
    retries: u32,
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
        chain: Arc::new(Fallback::new([])),
        books,
        wrongs: Wrongs::default(),
        endings: Vec::new(),
        reports: HashMap::new(),
        limiters: Vec::new(),
        budget: Budget::new(policy),
        retries: 0,
    };
    let mut chain = world.node(&plan.chain, plan);
    let budget = world.budget.clone();
    world.ends_reconciled("the budget", budget);
    if plan.outer_budget {
        let everything = BudgetPolicy::default().total(Usd::from_micros(1_000_000));
        let outer = Budget::new(everything);
        chain = Arc::new(chain.budget(&outer, price()));
        world.ends_reconciled("the outer budget", outer);
    }
    if let Some(limit) = plan.deadline {
        chain = Arc::new(chain.deadline(ticks(limit)));
    }
    world.chain = chain;
    world
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
    pub(crate) fn ends(&mut self, ending: impl Fn() -> Option<String> + Send + Sync + 'static) {
        self.endings.push(Box::new(ending));
    }

    fn ends_reconciled(&mut self, name: &'static str, budget: Budget) {
        let books = Arc::clone(&self.books);
        self.ends(move || {
            let (spent, billed) = (budget.spent(), books.total());
            if budget.reserved() != Usd::ZERO {
                return Some(format!("{name} still has ${} reserved", budget.reserved()));
            }
            (spent != billed).then(|| format!("{name} says ${spent}, the providers ${billed}"))
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
                    (calls != 0).then(|| format!("{calls} calls of {name} continue"))
                });
                self.retries = 0;
                let mut solver: Solver = Arc::new(provider);
                for (at, layer) in layers.iter().enumerate() {
                    if at == *budget {
                        solver = self.budgeted(solver);
                    }
                    solver = self.layer(solver, *layer, plan);
                }
                if *budget == layers.len() {
                    solver = self.budgeted(solver);
                }
                solver
            }
            Node::Fallback(nodes, ordered) => {
                let fallback = Fallback::new(self.nodes(nodes, plan));
                if !ordered {
                    return Arc::new(fallback);
                }
                let mut policy = OrderPolicy::default()
                    .min_samples(1)
                    .explore(Ratio::percent(30));
                if plan.seed.is_multiple_of(2) {
                    policy = policy.second_worth(Usd::from_micros(1));
                }
                Arc::new(fallback.ordered(policy).with_seed(plan.seed))
            }
            Node::Hedge(nodes, delay, quantile) => {
                let mut policy = HedgePolicy::default()
                    .delay(ticks(*delay))
                    .min_time_left(ticks(2));
                if *quantile {
                    policy = policy.quantile(Ratio::percent(50)).min_samples(1);
                }
                Arc::new(Hedge::new(self.nodes(nodes, plan), policy))
            }
            Node::Quorum(nodes, all_at_once) => {
                let policy = QuorumPolicy::default().agree(2).all_at_once(*all_at_once);
                let solvers = self.nodes(nodes, plan);
                Arc::new(Quorum::new(solvers, policy))
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
    fn budgeted(&mut self, solver: Solver) -> Solver {
        let tapped = {
            let budget = self.budget.clone();
            Tap::before(solver, &self.wrongs, move |challenge, wrongs| {
                if challenge.paid_jobs().is_empty() && budget.reserved() < price() {
                    wrongs.add("a provider was asked and nothing is reserved");
                }
                let total = budget.policy().total;
                if total.is_some_and(|total| budget.spent() + budget.reserved() > total) {
                    wrongs.add("the budget is overdrawn");
                }
            })
        };
        Arc::new(tapped.budget(&self.budget, price()))
    }

    fn layer(&mut self, solver: Solver, layer: Layer, plan: &Plan) -> Solver {
        match layer {
            Layer::Validate { report } => {
                let policy = ValidatePolicy::default()
                    .report_incorrect(report)
                    .report_timeout(ticks(8));
                Arc::new(solver.validate(policy))
            }
            Layer::Timeout(limit) => Arc::new(solver.timeout(ticks(limit))),
            Layer::Instrument => Arc::new(solver.instrumented("test")),
            Layer::Inspect => self.inspect(solver),
            Layer::Priced => Arc::new(solver.priced(price())),
            Layer::Breaker {
                min_samples,
                open_for,
                slow,
                probes,
            } => {
                let policy = CircuitBreakerPolicy::default()
                    .min_samples(min_samples)
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
                    .retry_maybe_billed(unknown);
                self.retry(solver, policy, budget, plan.seed)
            }
        }
    }
}
