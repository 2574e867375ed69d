//! Three providers, each on its own port: the chain omocaptcha, 2Captcha, Anti-Captcha answers
//! no matter what is wrong with any two of them, and its budget agrees with their stats. The chain is built
//! from a file and by code, and both do the same.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use drag_solver::config::{Chain, ChainConfig, Registry};
use drag_solver::http::PollInterval;
use drag_solver::prelude::*;
use drag_solver::testing::MockSolver;
use drag_solver::testing::emulator::{Emulator, Protocol};
use drag_solver::{Attempt, Budget, BudgetPolicy};
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
const PROVIDERS: [(&str, Protocol); 3] = [
    ("omocaptcha", Protocol::OmocaptchaV1),
    ("twocaptcha", Protocol::TwoCaptcha),
    ("anticaptcha", Protocol::AntiCaptcha),
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
        State::Slow => Duration::from_secs(3),
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
        emulator.suspend().await.unwrap(); // nothing listens any more
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
    let config: ChainConfig = toml::from_str(&text).unwrap();
    let variables = |name: &str| (name == "THE_TOKEN").then(|| TOKEN.into());
    config
        .build(&Registry::standard().with_variables(variables))
        .unwrap()
}

fn from_code(states: [State; 3], urls: &[String; 3]) -> (impl DragSolver, Budget) {
    let pace = PollInterval::new(Duration::from_millis(1), Duration::from_millis(1));
    let budget = Budget::new(BudgetPolicy::default().total("1".parse().unwrap()));
    macro_rules! account {
        ($provider:ident, $index:literal) => {
            $provider::builder()
                .token(TOKEN)
                .base_url(&urls[$index])
                .poll(pace)
                .build()
                .unwrap()
                .validate(ValidatePolicy::default())
                .timeout(limit(states[$index]))
                .budget(&budget, price())
                .retry(quick_retries().max_attempts(2))
        };
    }
    let chain = account!(Omocaptcha, 0)
        .or(account!(TwoCaptcha, 1))
        .or(account!(AntiCaptcha, 2))
        .deadline(Duration::from_secs(120));
    (chain, budget)
}

fn told(attempt: &Attempt) -> Told {
    let solver = attempt.solver.clone();
    (solver, attempt.kind, attempt.billed, attempt.jobs.len())
}

/// Solves one picture through `chain`, and compares what was spent with the providers' stats.
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
    assert_eq!(solution.solver(), PROVIDERS[fine].0, "{states:?}");

    let mut billed = Usd::ZERO;
    for (index, emulator) in emulators.iter().enumerate() {
        let books = emulator.stats();
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
type Told = (Option<String>, ErrorKind, Billed, usize);

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
    assert_eq!(file.profile(), code.profile());
}
