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
//! With the feature `omocaptcha`:
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
#![cfg_attr(feature = "mock", doc = "```")]
#![cfg_attr(not(feature = "mock"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use drag_solver::prelude::*;
//! # use drag_solver::testing::{MockSolver, fixtures};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), SolveError> {
//! # let cheap = MockSolver::new("cheap").always(fixtures::drag());
//! # let expensive = MockSolver::new("expensive");
//! # let challenge = fixtures::challenge();
//!
//! // Any two solvers: providers, mocks, chains.
//! let cheap = cheap
//!     .validate(ValidatePolicy::default())      // refuses answers that cannot be right
//!     .timeout(Duration::from_secs(60))         // limits one attempt
//!     .retry(RetryPolicy::default());           // tries again, and never pays twice for one job
//! let chain = cheap.or(expensive);              // asks the second if the first fails
//!
//! let solution = chain.solve(&challenge.within(Duration::from_secs(120))).await?;
//! println!("{} by {}", solution.drag(), solution.solver());
//! # assert_eq!(solution.solver(), "cheap");
//! # Ok(())
//! # }
//! ```
//!
//! [`DragSolverExt`] lists the combinators; [`composing`] says in which order they belong, which orders
//! look right and are wrong, and what a chain can cost.
//!
//! # When it fails
//!
//! A [`SolveError`](SolveError) answers two questions, without a look at its text:
//! [`recovery`](SolveError::recovery), what may be tried next, and
//! [`billed`](SolveError::billed), whether money was spent.
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
//! ([`unfinished_jobs`](SolveError::unfinished_jobs)), and a challenge that
//! [resumes](DragChallenge::resume_job) it continues to wait instead of buying another, even after
//! a restart of the program.
//!
//! # Test without a network
//!
//! With the feature `mock`, in dev-dependencies, the module `testing` has a scripted [`DragSolver`], a
//! mockall double and a challenge in one word; with further features test pictures with a known answer,
//! the suite that every solver must pass, and the providers' protocols on a loopback port.
//!
//! # Features
//!
//! Examples of single items name the crate that an item comes from: `drag_solver_combinators::RetryPolicy` is
//! `drag_solver::RetryPolicy` in your program.
//!
//! Nothing is on by default, and then there is no HTTP client in the tree.
//!
//! | feature | what it adds |
//! |---|---|
//! | `omocaptcha` | the provider omocaptcha, `providers::Omocaptcha` |
//! | `twocaptcha` | the provider 2Captcha, `providers::TwoCaptcha` |
//! | `anticaptcha` | the provider Anti-Captcha, `providers::AntiCaptcha` |
//! | `image` | `.fit(..)`: screenshots that fit what a provider takes, `Fit`. Brings image codecs |
//! | `evaluate` | solvers measured on pictures whose true drag is known, and a chain proposed of them, [`evaluate`] |
//! | `operators` | people as a solver, [`operators::Operators`], and the desk where they sit |
//! | `operator-pages` | their page, as a router of axum, [`operators::pages`]; brings `operators` |
//! | `postgres` | a store in PostgreSQL, for more than one machine; brings `store` |
//! | `store` | what outlives the process: [`.durable(..)`](store::StoreExt::durable), budgets that processes share, [`SqliteStore`](store::SqliteStore). Brings SQLite |
//! | `config` | chains from a file, and the registry of providers, in the module `config` |
//! | `http` | what a provider of your own is made with, in the module `http`; on with each provider |
//! | `callback-router` | the receiver of providers' calls, `http::CallbackReceiver`, as a router of axum; brings `http` |
//! | `record` | recordings of what goes over the wire, `http::Recorder`, and their playback, `http::ReplayTransport`; brings `http` |
//! | `serde` | serde's traits for what goes into files and logs, and over wires: solutions, errors, paid jobs, settings; on with `config`, `evaluate`, `record` and `store` |
//! | `metrics` | [`Instrument`] counts and times calls and their money with the crate `metrics`, and the other combinators what they do |
//! | `mock` | for tests: the mock solver, the mockall double and fixtures, in the module `testing` |
//! | `pictures` | for tests: pictures with a known answer, `testing::pictures` |
//! | `contract` | for tests: the suite that every solver must pass, `testing::contract` |
//! | `emulator` | for tests: the providers' protocols, or yours, on a loopback port, `testing::emulator` |

#[doc(hidden)]
pub use drag_solver_combinators::COUNTS_CALLS;
#[cfg(feature = "metrics")]
pub use drag_solver_combinators::describe_metrics;
pub use drag_solver_combinators::{
    Abandoned, Budget, BudgetPolicy, Budgeted, CallInfo, CallObserver, CallOutcome, Circuit,
    CircuitBreaker, CircuitBreakerPolicy, CircuitState, ConcurrencyLimit, ConcurrencyLimitPolicy,
    Deadline, DeadlinePolicy, DragSolverExt, Fallback, Hedge, HedgePolicy, HedgeStats, Inspect,
    Inspector, Instrument, InstrumentPolicy, Latencies, MetricLabels, OrderPolicy, PastCall,
    Permits, Priced, Quorum, QuorumPolicy, RateLimit, RateLimitPolicy, RateLimiter, Retry,
    RetryBudget, RetryBudgetPolicy, RetryPolicy, Timeout, TimeoutPolicy, TrackRecord, Validate,
    ValidatePolicy, composing,
};
#[doc(hidden)]
pub use drag_solver_core::CheckSettings;
#[doc(hidden)]
#[cfg(feature = "serde")]
pub use drag_solver_core::text::json_problem;
pub use drag_solver_core::{
    Attempt, Billed, ConfigError, Drag, DragChallenge, DragSolver, ErrorKind, Event, Frame,
    ImageFormat, InvalidDrag, InvalidJobId, InvalidRatio, InvalidUsd, JobId, LimitExceeded,
    Observer, PaidJob, Point, Profile, Purchase, Purchases, Ratio, Recovery, Rect, Screenshot,
    ScreenshotError, ScreenshotLimits, Settlement, Solution, SolveError, SolverFn, Tracker, Usd,
    Verdict, WorstCase, async_trait, forward_solver, solver_fn,
};
#[cfg(feature = "image")]
pub use drag_solver_image::{Fit, FitExt, FitPolicy, FittedChallenge, Mapping, fit_challenge};

/// What outlives the process: stores, `.durable(..)`, and budgets that processes share.
#[cfg(feature = "store")]
pub mod store {
    pub use drag_solver_store::*;
}

#[cfg(feature = "config")]
pub mod config;
pub mod prelude;

/// What every HTTP provider is made with, also one of your own: requests, responses, polling, settings.
#[cfg(feature = "http")]
pub mod http {
    pub use drag_solver_http::{
        Answer, AnswerApi, ApiRequest, ApiResponse, Balance, CallbackReceiver, Context, Created,
        EnvVar, Found, HttpOptions, HttpSolver, HttpSolverBuilder, JobApi, JobState, NoCallbacks,
        NoConfig, OneCall, Picture, PollInterval, Provider, ProxyRefused, ReqwestTransport,
        ResponseError, Secret, Service, Transport, TransportError, Unit, json, points, task_api,
    };
    #[doc(hidden)]
    pub use drag_solver_http::{Carrier, carrier_setters, check_name, http_option_setters};
    #[cfg(feature = "record")]
    pub use drag_solver_http::{
        RecordedAnswer, RecordedCall, RecordedQuestion, Recorder, Recording, RecordingError,
        RecordingSummary, RecordingTransport, ReplayTransport,
    };
    #[doc(no_inline)]
    pub use drag_solver_http::{reqwest, secrecy, serde_json};
}

/// Solvers measured on pictures whose true drag is known, and a chain proposed of them.
#[cfg(feature = "evaluate")]
pub mod evaluate {
    pub use drag_solver_evaluate::*;
}

/// People as a solver: the desk where they sit, and their page.
#[cfg(feature = "operators")]
pub mod operators {
    pub use drag_solver_operators::*;
}

/// The providers whose features are enabled, and their builders.
#[cfg(any(
    feature = "anticaptcha",
    feature = "omocaptcha",
    feature = "twocaptcha"
))]
pub mod providers {
    #[cfg(feature = "anticaptcha")]
    pub use drag_solver_anticaptcha::{AntiCaptcha, AntiCaptchaBuilder};
    #[cfg(feature = "omocaptcha")]
    pub use drag_solver_omocaptcha::{ApiVersion, Omocaptcha, OmocaptchaBuilder};
    #[cfg(feature = "twocaptcha")]
    pub use drag_solver_twocaptcha::{TwoCaptcha, TwoCaptchaBuilder};
}

/// For tests, in dev-dependencies: no network, no account, no waiting.
#[cfg(feature = "mock")]
pub mod testing {
    /// A declared service, tried on a double of it that is made of the same declaration.
    #[cfg(all(feature = "config", feature = "emulator"))]
    #[doc(inline)]
    pub use drag_solver_declared::testing as declared;
    /// The providers' wire protocols on a loopback port, with every fault there is.
    #[cfg(feature = "emulator")]
    #[doc(inline)]
    pub use drag_solver_emulator as emulator;
    #[cfg(feature = "http")]
    #[doc(inline)]
    pub use drag_solver_http::testing as http;
    pub use drag_solver_mock::*;
}

#[cfg(all(doctest, feature = "omocaptcha"))]
#[doc = include_str!("../README.md")]
struct Readme;
