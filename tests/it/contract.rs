//! The contract suite around every combinator, and a guard that no solver goes without it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use drag_solver::config::{ChainConfig, Registry};
use drag_solver::prelude::*;
use drag_solver::testing::contract::{Report, SolverUnderTest, run};
use drag_solver::testing::{MockSolver, Outcome, fixtures};
use drag_solver::{
    Budget, BudgetPolicy, CallInfo, CircuitBreakerPolicy, ConcurrencyLimitPolicy, HedgePolicy,
    OrderPolicy, Quorum, QuorumPolicy, RateLimitPolicy, solver_fn,
};
use serde::Deserialize;

const PRICE: &str = "0.0009";

/// The picture's width says what becomes of it.
const SOLVABLE: u32 = 591;
const ENDLESS: u32 = 600;
/// Plus the number of a kind: fails with that kind.
const FAILING: u32 = 700;

fn picture(width: u32) -> DragChallenge {
    fixtures::challenge_sized(u16::try_from(width).unwrap(), 1_149)
}

fn failing(kind: ErrorKind) -> DragChallenge {
    let number = ErrorKind::ALL.iter().position(|&known| known == kind);
    picture(FAILING + u32::try_from(number.unwrap()).unwrap())
}

/// Behaves like a provider.
fn provider(name: &'static str) -> MockSolver {
    let answer = Outcome::answer(fixtures::drag())
        .accepted_after(Duration::from_secs(1))
        .after(Duration::from_secs(3));
    MockSolver::new(name)
        .with_cost(price())
        .without_log()
        .always_with(move |challenge, _| match challenge.screenshot().width() {
            SOLVABLE => answer.clone(),
            ENDLESS => Outcome::hang(),
            width => ErrorKind::ALL[usize::try_from(width - FAILING).unwrap()].into(),
        })
}

fn price() -> Usd {
    PRICE.parse().unwrap()
}

fn rich() -> Budget {
    Budget::new(BudgetPolicy::default().total(Usd::MAX))
}

type Shared = Arc<dyn DragSolver>;

/// A combinator, by the name of its type, around providers called `a`, `b` and `c`.
struct Case {
    combinator: &'static str,
    solver: Shared,
    fails_with: Vec<ErrorKind>,
    skipped_checks: usize,
    /// Others of its type, in a state to fail with an error that only they can show.
    refuses: Vec<(ErrorKind, Shared)>,
}

impl Case {
    /// It hands on an error of any kind.
    fn new(combinator: &'static str, solver: impl DragSolver) -> Self {
        let kinds = ErrorKind::ALL.iter().copied();
        // Not these: they say that it was too late, and a retry looks at the clock.
        let kinds = kinds.filter(|&kind| kind != ErrorKind::DeadlineExceeded);
        Self {
            combinator,
            solver: Arc::new(solver),
            fails_with: kinds.collect(),
            skipped_checks: 0,
            refuses: Vec::new(),
        }
    }

    fn failing_only_with<const N: usize>(mut self, kinds: [ErrorKind; N]) -> Self {
        self.fails_with = kinds.into();
        self
    }

    fn skipping(mut self, checks: usize) -> Self {
        self.skipped_checks = checks;
        self
    }

    fn refusing(mut self, kind: ErrorKind, solver: impl DragSolver) -> Self {
        self.refuses.push((kind, Arc::new(solver)));
        self
    }

    async fn run(&self) -> Report {
        let mut subject = SolverUnderTest::new(&self.solver, picture(SOLVABLE))
            .expecting(fixtures::drag(), 0.0)
            .never_answering(picture(ENDLESS))
            .answered_by(["a", "b", "c", "a|b"])
            .with_secret("hunter2")
            .with_patience(Duration::from_secs(120))
            .on_paused_clock();
        for &kind in &self.fails_with {
            subject = subject.failing_with(kind, failing(kind));
        }
        for (kind, solver) in &self.refuses {
            subject = subject.with_unrelated_failure(*kind, solver, picture(SOLVABLE));
        }
        run(&subject).await
    }
}

/// Every combinator there is.
async fn cases() -> Vec<Case> {
    use ErrorKind::{
        AllFailed, BudgetExhausted, CircuitOpen, DeadlineExceeded, InvalidAnswer, InvalidChallenge,
        Overloaded, Timeout, Unsolvable,
    };
    let a = || provider("a");
    let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
    let empty = Budget::with_spent(BudgetPolicy::default().total(price()), price());
    let cautious = CircuitBreakerPolicy::default();
    let open = a().circuit_breaker(cautious.min_samples(1).open_for(day));
    open.solve(&failing(ErrorKind::Unavailable))
        .await
        .unwrap_err();
    let limit = RateLimitPolicy::default();
    let spent = a().rate_limit(limit.max_calls(1).period(day).burst(1).max_wait(second));
    spent.solve(&picture(SOLVABLE)).await.unwrap();
    let permits = ConcurrencyLimitPolicy::default();
    let quick = limit.max_calls(1_000).period(second).burst(100);
    let wide = permits.max_in_flight(100).max_waiting(2_000);
    let off = Drag::new(Point::new(0.0, 0.0), Point::new(9_999.0, 0.0));
    let ordered = a().or(provider("b")).or(provider("c"));
    let ordered = ordered.ordered(OrderPolicy::default());
    let closure = |challenge| async move { provider("a").solve(&challenge).await };
    vec![
        Case::new("Retry", a().retry(RetryPolicy::default())),
        Case::new("Timeout", a().timeout(40 * second)).refusing(Timeout, a().timeout(second)),
        Case::new("Deadline", a().deadline(90 * second))
            .refusing(DeadlineExceeded, a().deadline(second)),
        Case::new("Priced", a().priced(price())),
        Case::new("Validate", a().validate(ValidatePolicy::default())).refusing(
            InvalidAnswer,
            MockSolver::new("a")
                .always(off)
                .validate(ValidatePolicy::default()),
        ),
        Case::new("Budgeted", a().budget(rich(), price()))
            .refusing(BudgetExhausted, a().budget(&empty, price())),
        Case::new("CircuitBreaker", a().circuit_breaker(cautious))
            .failing_only_with([Unsolvable])
            .refusing(CircuitOpen, open),
        Case::new("ConcurrencyLimit", a().concurrency_limit(wide)),
        Case::new("RateLimit", a().rate_limit(quick)).refusing(Overloaded, spent),
        Case::new("Fallback", a().or(provider("b")).or(provider("c")))
            .failing_only_with([InvalidChallenge])
            .refusing(AllFailed, dead().or(dead())),
        Case::new("Fallback", ordered).failing_only_with([InvalidChallenge]),
        Case::new("Hedge", a().hedge(provider("b"), HedgePolicy::default()))
            .failing_only_with([InvalidChallenge])
            .refusing(AllFailed, dead().hedge(dead(), second)),
        Case::new("Quorum", quorum([a(), provider("b"), provider("c")]))
            .failing_only_with([InvalidChallenge])
            .refusing(AllFailed, quorum([disagreeing(90.0), disagreeing(320.0)])),
        Case::new("Instrument", a().instrumented("here")),
        // A closure takes no reports, and says nothing of its worst case.
        Case::new("SolverFn", solver_fn("a", closure)).skipping(2),
        Case::new("Inspect", a().inspect(|_: &CallInfo<'_>| {})),
        Case::new("Chain", chain()).failing_only_with([InvalidChallenge]),
    ]
}

fn quorum<const N: usize>(solvers: [MockSolver; N]) -> Quorum {
    let solvers = solvers.map(|solver| Arc::new(solver) as Shared);
    Quorum::new(solvers, QuorumPolicy::default())
}

fn disagreeing(end: f64) -> MockSolver {
    MockSolver::new("b").always(Drag::new(fixtures::drag().start, Point::new(end, 560.0)))
}

fn dead() -> Shared {
    Arc::new(MockSolver::new("b").always(ErrorKind::Unavailable))
}

/// All that a file can ask for.
fn chain() -> impl DragSolver {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        name: String,
    }
    let registry = Registry::empty().register("mock", |settings: Settings, _| {
        Ok(provider(Box::leak(settings.name.into_boxed_str())))
    });
    let policies = serde_json::json!({
        "kind": "mock", "price": PRICE, "timeout": "50s", "retry": true, "validate": true,
    });
    let named = |name: &str| {
        let mut provider = policies.clone();
        provider["name"] = name.into();
        provider
    };
    let config = serde_json::json!({
        "deadline": "300s",
        "budget": {"total": "1000000"},
        "providers": [named("a"), named("b")],
    });
    let config: ChainConfig = serde_json::from_value(config).unwrap();
    config.build(&registry.unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_combinator_keeps_the_contract() {
    let mut kinds = BTreeSet::new();
    for case in cases().await {
        let report = case.run().await;
        let combinator = case.combinator;
        println!("{combinator}:\n{report}\n");
        assert!(report.passed(), "{combinator}:\n{report}");
        let skipped = report.skipped().count();
        assert_eq!(skipped, case.skipped_checks, "{combinator}:\n{report}");
        kinds.extend(report.kinds().iter().map(|kind| kind.as_str()));
    }
    let all: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, all, "a kind of error that no case shows");
}

/// Solvers whose contract is tested elsewhere, and where.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "AnswerKey",
        "crates/drag-solver-mock/src/contract/tests/mod.rs",
    ),
    ("Durable", "crates/drag-solver-store/src/wrapper_tests.rs"),
    ("Fit", "crates/drag-solver-image/tests/solver.rs"),
    ("HttpSolver", "examples/custom_provider.rs"),
    (
        "MockSolver",
        "crates/drag-solver-mock/src/contract/tests/mod.rs",
    ),
    (
        "Omocaptcha",
        "crates/drag-solver-omocaptcha/tests/contract.rs",
    ),
    (
        "Operators",
        "crates/drag-solver-operators/src/desk/tests/contract.rs",
    ),
    (
        "Remembering",
        "crates/drag-solver/src/config/calls_tests.rs",
    ),
    (
        "StoredBudgeted",
        "crates/drag-solver-store/src/wrapper_tests.rs",
    ),
];

/// Solvers that need no case, and why.
const NO_CASE: &[(&str, &str)] = &[
    ("Arc", "pointers hand everything on; a lint sees to that"),
    ("Box", "as `Arc`"),
    ("Labelled", "how a chain prints a provider, as `Arc`"),
    ("Watched", "what a chain from a file counts, as `Arc`"),
    ("Sandbox", "the command line's, around the emulator"),
    ("Account", "what an `HttpSolver` is, but for its protocol"),
];

#[tokio::test(start_paused = true)]
async fn every_solver_runs_the_contract() {
    let here: Vec<_> = cases().await.iter().map(|case| case.combinator).collect();
    let mut found = BTreeSet::new();
    for (file, solver) in solvers() {
        let known = here.contains(&solver.as_str())
            || ELSEWHERE.iter().any(|(name, _)| *name == solver)
            || NO_CASE.iter().any(|(name, _)| *name == solver);
        let file = file.display();
        assert!(
            known,
            "{file}: `{solver}` is a solver: give it a case in tests/it/contract.rs"
        );
        found.insert(solver);
    }
    let listed = here.iter().copied();
    let listed = listed.chain(ELSEWHERE.iter().chain(NO_CASE).map(|(name, _)| *name));
    for name in listed {
        assert!(
            found.contains(name),
            "`{name}` is listed, and there is no such solver"
        );
    }
    for (name, test) in ELSEWHERE {
        let text = fs::read_to_string(root().join(test)).unwrap();
        assert!(
            text.contains("run(&"),
            "{name}: {test} does not run the contract"
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every `impl DragSolver for` in the crates that is not part of a test, by file.
fn solvers() -> Vec<(PathBuf, String)> {
    let mut solvers = Vec::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" && name != "examples" {
                folders.push(path);
            } else if path.extension() == Some("rs".as_ref()) && !name.contains("test") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                solvers.extend(
                    code.lines()
                        .filter_map(solver_in)
                        .map(|name| (path.clone(), name)),
                );
            }
        }
    }
    assert!(solvers.len() >= 15, "found only {solvers:?}");
    solvers
}

/// `Retry` of `impl<S: DragSolver> DragSolver for Retry<S> {`
fn solver_in(line: &str) -> Option<String> {
    let line = line.trim();
    let (head, rest) = line.split_once("DragSolver for ")?;
    let end = rest.find(['<', ' ']).unwrap_or(rest.len());
    head.starts_with("impl").then(|| rest[..end].to_owned())
}
