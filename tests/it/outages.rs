//! Three providers, each on its own port: the chain omocaptcha, 2Captcha, Anti-Captcha answers
//! whatever is wrong with any two of them, and its budget agrees with their books. The chain is built
//! from a file and by code, and both do the same.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use drag_solver::anticaptcha::AntiCaptcha;
use drag_solver::combinators::{Budget, BudgetPolicy};
use drag_solver::config::{Chain, ChainConfig, Registry};
use drag_solver::core::{Attempt, DragSolver, Usd};
use drag_solver::http::Pace;
use drag_solver::http::task_api::{TaskService, TaskSolverBuilder};
use drag_solver::mock::MockSolver;
use drag_solver::mock::emulator::{Dialect, Emulator};
use drag_solver::prelude::*;
use drag_solver::twocaptcha::TwoCaptcha;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{TOKEN, picture, provider, quick_retries};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Fine,
    Down,
    Slow,
    OutOfBalance,
    Wrong,
}

const TROUBLES: [State; 4] = [State::Down, State::Slow, State::OutOfBalance, State::Wrong];

/// Name and protocol, in the order of the chain.
const PROVIDERS: [(&str, Dialect); 3] = [
    ("omocaptcha", Dialect::OmocaptchaV1),
    ("twocaptcha", Dialect::TwoCaptcha),
    ("anticaptcha", Dialect::AntiCaptcha),
];

fn price() -> Usd {
    Usd::from_micros(900) // as the emulator's
}

/// So many cases wait for slow providers at the same time: few enough for each to buy its job long
/// before its limit, on the slowest machine.
const AT_ONCE: usize = 12;

/// One attempt of a provider in this state may take this long. Only those that never answer are
/// ended by it.
fn limit(state: State) -> Duration {
    match state {
        State::Slow => Duration::from_millis(1_500),
        _ => Duration::from_secs(60),
    }
}

async fn start(state: State) -> Emulator {
    let off_the_picture = Drag::new(Point::new(10.0, 10.0), Point::new(5_000.0, 10.0));
    let builder = match state {
        State::Fine | State::Down => provider(),
        State::Slow => provider().running_polls(u32::MAX),
        State::OutOfBalance => provider().balance(Usd::ZERO),
        State::Wrong => provider().solver(MockSolver::new("wrong").always(off_the_picture)),
    };
    let emulator = builder.start().await.unwrap();
    if state == State::Down {
        emulator.suspend().await.unwrap(); // nobody listens any more
    }
    emulator
}

fn from_file(states: [State; 3], urls: &[String; 3]) -> Chain {
    let mut text = String::from("deadline = \"120s\"\nbudget = { total = \"1\" }\n");
    for (index, (name, _)) in PROVIDERS.iter().enumerate() {
        let (url, limit) = (&urls[index], limit(states[index]).as_millis());
        write!(
            text,
            r#"
            [[providers]]
            kind = "{name}"
            token = {{ env = "THE_TOKEN" }}
            base_url = "{url}"
            poll = {{ first = "1ms", every = "1ms" }}
            price = "0.0009"
            retry = {{ max_attempts = 2, base_backoff = "1ms", max_backoff = "1ms" }}
            timeout = "{limit}ms"
            validate = true
            "#
        )
        .unwrap();
    }
    let table: toml::Table = text.parse().unwrap();
    let config = ChainConfig::try_from(serde_json::to_value(table).unwrap()).unwrap();
    let variables = |name: &str| (name == "THE_TOKEN").then(|| TOKEN.into());
    config
        .build(&Registry::standard().with_variables(variables))
        .unwrap()
}

fn from_code(states: [State; 3], urls: &[String; 3]) -> (impl DragSolver + 'static, Budget) {
    let pace = Pace::new(Duration::from_millis(1), Duration::from_millis(1));
    let budget = Budget::new(BudgetPolicy::default().total("1".parse().unwrap())).unwrap();
    let first = Omocaptcha::builder()
        .token(TOKEN)
        .base_url(&urls[0])
        .pace(pace);
    let second = account(TwoCaptcha::builder(), &urls[1], pace);
    let third = account(AntiCaptcha::builder(), &urls[2], pace);
    let with_policies = |solver: Box<dyn DragSolver>, state| {
        solver
            .validate(ValidatePolicy::default())
            .unwrap()
            .timeout(limit(state))
            .unwrap()
            .budget(&budget, price())
            .unwrap()
            .retry(quick_retries().max_attempts(2))
            .unwrap()
    };
    let chain = with_policies(Box::new(first.build().unwrap()), states[0])
        .or(with_policies(Box::new(second.build().unwrap()), states[1]))
        .or(with_policies(Box::new(third.build().unwrap()), states[2]))
        .deadline(Duration::from_secs(120))
        .unwrap();
    (chain, budget)
}

fn account<S: TaskService>(
    builder: TaskSolverBuilder<S>,
    url: &str,
    pace: Pace,
) -> TaskSolverBuilder<S> {
    builder.token(TOKEN).base_url(url).pace(pace)
}

fn told(attempt: &Attempt) -> Told {
    let Attempt {
        provider,
        kind,
        charge,
        job,
        ..
    } = attempt;
    (provider.clone(), *kind, *charge, job.is_some())
}

/// Solves one picture through `chain`, and compares what was spent with the providers' books.
async fn solve(
    chain: &dyn DragSolver,
    budget: &Budget,
    states: [State; 3],
    emulators: &[Emulator; 3],
) -> Vec<Told> {
    let picture = picture(7);
    let solution = chain.solve(&picture.challenge()).await;
    let solution = solution.unwrap_or_else(|error| panic!("{states:?}: {error:?}"));
    assert_eq!(*solution.drag(), picture.drag(), "{states:?}");
    let fine = states
        .iter()
        .position(|&state| state == State::Fine)
        .unwrap();
    assert_eq!(solution.provider(), PROVIDERS[fine].0, "{states:?}");

    let mut billed = Usd::ZERO;
    for (index, emulator) in emulators.iter().enumerate() {
        let books = emulator.books();
        billed = billed + books.spent;
        let bought = match states[index] {
            _ if index > fine => 0, // was not asked
            State::Down | State::OutOfBalance => 0,
            State::Fine | State::Slow => 1, // resumed, not bought again
            State::Wrong => 2,
        };
        assert_eq!(
            books.jobs_paid, bought,
            "{states:?}: {}",
            PROVIDERS[index].0
        );
    }
    assert_eq!(budget.spent(), billed, "{states:?}");
    assert_eq!(budget.reserved(), Usd::ZERO, "{states:?}");
    solution.failed_attempts().iter().map(told).collect()
}

/// What an attempt says, as far as it is the same in every run.
type Told = (Option<String>, ErrorKind, Charge, bool);

async fn run(states: [State; 3], built_from_file: bool) -> Vec<Told> {
    let emulators = [
        start(states[0]).await,
        start(states[1]).await,
        start(states[2]).await,
    ];
    let url = |index: usize| emulators[index].url(PROVIDERS[index].1);
    let urls = [url(0), url(1), url(2)];
    let told = if built_from_file {
        let chain = from_file(states, &urls);
        let budget = chain.shared_budget().unwrap().clone();
        solve(&chain, &budget, states, &emulators).await
    } else {
        let (chain, budget) = from_code(states, &urls);
        solve(&chain, &budget, states, &emulators).await
    };
    for emulator in emulators {
        emulator.shutdown().await;
    }
    told
}

async fn survives(states: [State; 3]) {
    let (file, code) = tokio::join!(run(states, true), run(states, false));
    assert_eq!(file, code, "{states:?}: a file and code do the same");
}

#[tokio::test]
async fn whatever_is_wrong_with_any_two_of_three_the_third_answers_and_the_books_agree() {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut cases = JoinSet::new();
    for fine in 0..3 {
        for one in TROUBLES {
            for other in TROUBLES {
                let mut states = [one, one, one];
                states[fine] = State::Fine;
                states[if fine == 2 { 1 } else { 2 }] = other;
                let turns = Arc::clone(&turns);
                cases.spawn(async move {
                    let _turn = turns.acquire().await.unwrap();
                    survives(states).await;
                });
            }
        }
    }
    assert_eq!(cases.len(), 3 * 16);
    cases.join_all().await;
}

#[tokio::test]
async fn a_file_and_code_build_the_same_chain() {
    let urls = [(); 3].map(|()| "http://127.0.0.1:1".to_owned());
    let states = [State::Fine; 3];
    let (file, (code, _)) = (from_file(states, &urls), from_code(states, &urls));
    assert_eq!(file.name(), code.name());
    assert_eq!(file.worst_case(), code.worst_case());
}
