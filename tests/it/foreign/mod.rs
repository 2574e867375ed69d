//! Services of shapes that people meet, which this library does not know: each is a provider of at most 40
//! lines in Rust, and of at most 30 in TOML.

mod clerk;
mod fractions;
mod pieces;
mod workers;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver::config::{ChainConfig, Registry};
use drag_solver::http::{Context, HttpOptions, PollInterval, Provider};
use drag_solver::prelude::*;
use drag_solver::testing::contract::{SolverUnderTest, run};
use drag_solver::testing::emulator::{Emulator, StandIn};
use drag_solver::testing::fixtures;
use drag_solver_declared::Declared;
use drag_solver_declared::testing::{self, TestOptions};

use super::support::picture;

/// Full of characters that JSON, URLs, forms and HTML write in another way.
const KEY: &str = r#"q9Zv7"\/+=%&<'k3y8s"#;
const USER: &str = "hunter2+&user%";

/// The most lines of a provider in Rust.
const MOST_LINES: usize = 40;

/// One service, in both forms: what is in Rust is the provider `P`.
struct Foreign<P> {
    toml: &'static str,
    rust: &'static str,
    most_lines_of_toml: usize,
    provider: PhantomData<P>,
}

type AnySolver = Box<dyn DragSolver>;

/// A solver, another of an account that the service does not know, and how to make more.
struct Form {
    solver: AnySolver,
    stranger: AnySolver,
    of_account: Box<dyn Fn(&str) -> AnySolver>,
}

impl<P: Provider> Foreign<P> {
    const fn new(rust: &'static str, toml: &'static str, most_lines_of_toml: usize) -> Self {
        Self {
            toml,
            rust,
            most_lines_of_toml,
            provider: PhantomData,
        }
    }

    fn declared(&self) -> Declared {
        Declared::new(P::NAME, toml::from_str(self.toml).unwrap()).unwrap()
    }

    /// The provider in Rust, and the declared one.
    fn both(&self, service: &Emulator<StandIn>) -> [Form; 2] {
        let (declared, url) = (self.declared(), service.url());
        let other_url = url.clone();
        [
            Form::new(move |key| {
                let solver = P::from_config(options(&url, key), P::Config::default(), &context());
                Box::new(solver.unwrap())
            }),
            Form::new(move |key| {
                let options = options(&other_url, key);
                let solver = declared.solver(options, BTreeMap::new(), &context());
                Box::new(solver.unwrap())
            }),
        ]
    }
}

impl Form {
    fn new(of_account: impl Fn(&str) -> AnySolver + 'static) -> Self {
        Self {
            solver: of_account(KEY),
            stranger: of_account("another-key"),
            of_account: Box::new(of_account),
        }
    }

    /// What is known of every one of them.
    fn subject(&self) -> SolverUnderTest<'_> {
        SolverUnderTest::new(&self.solver, known())
            .expecting(picture(7).drag(), 1e-6)
            .failing_with(ErrorKind::Unsolvable, fixtures::challenge())
            .with_unrelated_failure(ErrorKind::Unauthorized, &self.stranger, known())
            .never_answering(known().with_instruction(workers::ENDLESS))
            .with_secret(KEY)
    }
}

/// A picture that the services know.
fn known() -> DragChallenge {
    picture(7).challenge()
}

fn options(url: &str, key: &str) -> HttpOptions {
    let soon = Duration::from_millis(1); // nobody is at work behind them
    HttpOptions::default()
        .token(key)
        .base_url(url)
        .poll(PollInterval::new(soon, soon))
}

/// An environment with nothing in it but the second secret.
fn context() -> Context {
    Context::with_variables(|name| (name == "CLERK_USER").then(|| USER.into()))
}

async fn keeps_contract(subject: SolverUnderTest<'_>) {
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
}

/// Lines with something on them that is no comment.
fn code<'a>(lines: impl Iterator<Item = &'a str>, comment: &str) -> usize {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with(comment);
    lines.filter(is_code).count()
}

#[test]
fn a_provider_is_a_page_of_rust_or_of_toml() {
    fn count<P>(foreign: &Foreign<P>) -> (usize, usize) {
        let lines = foreign.rust.lines();
        let provider = lines
            .skip_while(|line| !line.starts_with("// The provider"))
            .take_while(|line| !line.starts_with("// and ends here"));
        let (rust, toml) = (code(provider, "//"), code(foreign.toml.lines(), "#"));
        assert!((1..=MOST_LINES).contains(&rust), "{rust} lines of Rust");
        assert!(
            (1..=foreign.most_lines_of_toml).contains(&toml),
            "{toml} lines of TOML"
        );
        (rust, toml)
    }
    println!("pieces {:?}", count(&pieces::FOREIGN));
    println!("clerk {:?}", count(&clerk::FOREIGN));
    println!("fractions {:?}", count(&fractions::FOREIGN));
}

async fn survives(declared: Declared) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let options = TestOptions::default()
        .on_progress(move |tried, all| telling.lock().unwrap().push((tried, all)));
    let report = testing::test_with(&declared, options).await.unwrap();
    assert!(report.passed(), "{}: {report}", declared.name());
    let all = report.faults.len();
    let expected: Vec<_> = (0..=all).map(|tried| (tried, all)).collect();
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test]
async fn what_is_declared_survives_every_fault() {
    tokio::join!(
        survives(pieces::FOREIGN.declared()),
        survives(clerk::FOREIGN.declared()),
        survives(fractions::FOREIGN.declared()),
    );
}

/// Tables of the file of a chain; all of them are in it, each is the first once. The second secret is read from its variable, unless the file says.
const TABLES: [&str; 4] = [
    "kind = \"pieces\"",
    "kind = \"clerk\"",
    "kind = \"clerk\"\nname = \"clerk-2\"\nuser = { env = \"LOGIN\" }",
    "kind = \"fractions\"",
];

#[tokio::test]
async fn those_in_rust_stand_in_the_file_of_a_chain() {
    let services = [
        ("PIECES", pieces::start().await),
        ("CLERK", clerk::start().await),
        ("FRACTIONS", fractions::start().await),
    ];
    let urls = services
        .each_ref()
        .map(|(name, service)| (*name, service.url()));
    let variables = move |name: &str| -> Option<OsString> {
        if let Some(name) = name.strip_suffix("_BASE_URL") {
            let (_, url) = urls.iter().find(|(known, _)| *known == name)?;
            return Some(url.into());
        }
        match name {
            "PIECES_API_KEY" | "CLERK_PASSWORD" | "FRACTIONS_API_KEY" => Some(KEY.into()),
            "CLERK_USER" | "LOGIN" => Some(USER.into()),
            _ => None,
        }
    };
    for first in TABLES {
        let others = TABLES.iter().filter(|table| **table != first);
        let tables = std::iter::once(&first).chain(others).map(|table| {
            let policies = "timeout = \"30s\"\npoll = { first = \"1ms\", every = \"1ms\" }";
            format!("[[providers]]\n{table}\n{policies}")
        });
        let tables: Vec<String> = tables.collect();
        let file = format!("deadline = \"60s\"\n{}", tables.join("\n"));
        let registry = Registry::standard()
            .with::<pieces::Solver>()
            .with::<clerk::Solver>()
            .with::<fractions::Solver>()
            .with_variables(variables.clone());
        let chain = toml::from_str::<ChainConfig>(&file).unwrap();
        let chain = chain.build(&registry).unwrap();
        let solution = chain.solve(&known()).await.unwrap();
        assert!(first.contains(solution.solver()), "{first}");
        let right = picture(7).drag();
        assert!(
            solution.drag().start.distance(right.start) < 1e-6,
            "{first}"
        );
        assert!(solution.drag().end.distance(right.end) < 1e-6, "{first}");
    }
}
