//! Answers drag challenges: one screenshot in, two points out.
//!
//! A *challenge* is a screenshot that shows a piece and the place it must be dragged to. A *solution*
//! is where the drag starts and where it ends, in pixels of that screenshot. Who finds the two points
//! is a *provider*: a paid HTTP service, a mock, a person. Providers are interchangeable, and chains
//! of them are as easy to use as one.
//!
//! The scope ends at the coordinates. Nothing here drives a device or a browser.
//!
//! # Solve a challenge
//!
//! With `drag-solver = { version = "0.1", features = ["omocaptcha"] }`:
//!
#![cfg_attr(feature = "omocaptcha", doc = "```no_run")]
#![cfg_attr(not(feature = "omocaptcha"), doc = "```ignore")]
//! use drag_solver::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let solver = Omocaptcha::from_env()?; // reads OMOCAPTCHA_API_TOKEN
//! let challenge = DragChallenge::new(Screenshot::from_file("screenshot.png")?);
//! let solution = solver.solve(&challenge).await?;
//! println!("{}", solution.drag()); // 83,560 -> 320,560
//! # Ok(())
//! # }
//! ```
//!
//! # Chain solvers
//!
//! Every combinator wraps solvers and is one, so callers never notice a change of chain. Written from
//! the inside out: what is called first sits next to the provider.
//!
//! ```
//! use std::time::Duration;
//!
//! use drag_solver::prelude::*;
//! # use drag_solver_mock::{MockSolver, Outcome};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let drag = Drag::new(Point::new(83.0, 560.0), Point::new(320.0, 560.0));
//! # let cheap = MockSolver::new("cheap").always(Outcome::answer(drag));
//! # let dear = MockSolver::new("dear");
//!
//! // Any two solvers: providers, mocks, chains.
//! let cheap = cheap
//!     .validate(ValidatePolicy::default())?      // refuses answers that cannot be right
//!     .timeout(Duration::from_secs(60))?         // limits one attempt
//!     .retry(RetryPolicy::default())?;           // tries again, and never pays twice for one job
//! let chain = cheap.or(dear);                    // asks the second if the first fails
//! # let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec();
//! # let screenshot = Screenshot::from_bytes(gif)?;
//!
//! let challenge = DragChallenge::new(screenshot).within(Duration::from_secs(120));
//! let solution = chain.solve(&challenge).await?;
//! println!("{} by {}", solution.drag(), solution.provider());
//! # assert_eq!(solution.provider(), "cheap");
//! # Ok(())
//! # }
//! ```
//!
//! # When it fails
//!
//! A [`SolveError`](core::SolveError) answers two questions, and nobody has to parse its text:
//! [`recovery`](core::SolveError::recovery), what may be tried next, and
//! [`charge`](core::SolveError::charge), whether money was spent.
//!
//! ```
//! use drag_solver::prelude::*;
//!
//! fn advise(error: &SolveError) -> &'static str {
//!     match error.kind() {
//!         ErrorKind::Unauthorized => "check the token",
//!         ErrorKind::InsufficientBalance => "top up the account",
//!         _ if error.recovery() == Recovery::Retry => "try again later",
//!         _ => "give up",
//!     }
//! }
//! # let error = SolveError::new(ErrorKind::Unauthorized, "Invalid api token.");
//! # assert_eq!(advise(&error), "check the token");
//! ```
//!
//! A job that was paid for is never lost: the error names it
//! ([`unfinished_jobs`](core::SolveError::unfinished_jobs)), and a challenge that
//! [resumes](core::DragChallenge::resuming) it goes on waiting instead of buying another, even after
//! a restart of the program.
//!
//! # Test without a network
//!
//! `drag-solver-mock`, as a dev-dependency, has a scripted [`DragSolver`](core::DragSolver), a
//! mockall double, pictures with a known answer, the providers' protocols on a loopback port, and the
//! suite that every solver must pass.
//!
//! # Features
//!
//! Nothing is on by default, and then there is no HTTP client in the tree.
//!
//! | feature | what it adds |
//! |---|---|
//! | `anticaptcha` | the provider Anti-Captcha, [`anticaptcha`](crate::anticaptcha) |
//! | `omocaptcha` | the provider omocaptcha, [`omocaptcha`](crate::omocaptcha) |
//! | `twocaptcha` | the provider 2Captcha, [`twocaptcha`](crate::twocaptcha) |
//! | `config` | chains from a file, and the registry of providers, [`config`](crate::config) |
//! | `image` | `.fit(..)`: screenshots that fit what a provider takes, [`image`](crate::image) |
//! | `http` | the plumbing for a provider of your own, [`http`](crate::http) |
//! | `metrics` | counts and times calls, [`Instrument`](crate::combinators::Instrument) |
//! | `mock` | the test doubles, [`mock`](crate::mock); for dev-dependencies |
//!
//! # Crates
//!
//! This crate re-exports, and builds chains from files: [`core`] has the trait and the vocabulary, [`combinators`] the
//! wrappers, and each provider is a module of its own.

#![cfg_attr(
    not(all(
        feature = "anticaptcha",
        feature = "omocaptcha",
        feature = "twocaptcha",
        feature = "config",
        feature = "http",
        feature = "image",
        feature = "mock"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "anticaptcha")]
pub use drag_solver_anticaptcha as anticaptcha;
pub use drag_solver_combinators as combinators;
pub use drag_solver_core as core;
#[cfg(feature = "http")]
pub use drag_solver_http as http;
#[cfg(feature = "image")]
pub use drag_solver_image as image;
#[cfg(feature = "mock")]
pub use drag_solver_mock as mock;
#[cfg(feature = "omocaptcha")]
pub use drag_solver_omocaptcha as omocaptcha;
#[cfg(feature = "twocaptcha")]
pub use drag_solver_twocaptcha as twocaptcha;

#[cfg(feature = "config")]
pub mod config;
pub mod prelude;

/// README's code, compiled and run.
#[cfg(all(doctest, feature = "omocaptcha", feature = "mock"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(all(doctest, feature = "http", feature = "contract", feature = "emulator"))]
#[doc = include_str!("../../../docs/write-a-provider.md")]
struct WriteAProvider;
