//! One solve by a provider, without a network: 2Captcha in Rust, and the same service declared.

use std::time::Duration;

use drag_solver::http::secrecy::SecretString;
use drag_solver::http::{HttpOptions, HttpSolver, PollInterval};
use drag_solver::prelude::*;
use drag_solver::testing::fixtures;
use drag_solver::testing::http::{Reply, ScriptedTransport};
use drag_solver_declared::Declared;
use tower::BoxError;

/// The provider in Rust.
pub(crate) const COMPILED: &str = "compiled";
/// The same, declared.
pub(crate) const DECLARED: &str = "declared";

/// Both.
pub(crate) const PROVIDERS: [&str; 2] = [COMPILED, DECLARED];

/// The most that the declared one may cost, of what the one in Rust does.
pub(crate) const MOST_OF_COMPILED: f64 = 1.2;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The one that reads every response as the one in Rust does.
const TWOCAPTCHA: &str = include_str!("../../crates/drag-solver-declared/tests/twocaptcha.toml");

/// What the service says to each request of one solve: as its documentation has it.
const ANSWERS: [&str; 3] = [
    r#"{"errorId": 0, "taskId": 72345678901}"#,
    r#"{"errorId": 0, "status": "processing"}"#,
    r#"{"errorId": 0, "status": "ready", "solution": {"coordinates": [{"x": 83, "y": 560}, {"x": 320, "y": 560}]}, "cost": "0.0012", "ip": "1.2.3.4", "createTime": 1692863536, "endTime": 1692863556, "solveCount": 1}"#,
];

/// The provider called `name`, and the answers to so many solves.
pub(crate) fn provider(name: &str, calls: usize) -> Result<Box<dyn DragSolver>, BoxError> {
    let script = ANSWERS.iter().cycle().take(ANSWERS.len() * calls);
    let transport = ScriptedTransport::new(script.map(|body| Reply::json(*body)));
    let second = Duration::from_secs(1);
    let options = HttpOptions::default().poll(PollInterval::new(second, second));
    Ok(match name {
        COMPILED => {
            let builder = TwoCaptcha::builder().options(options.token(KEY));
            Box::new(builder.transport(transport).build()?)
        }
        DECLARED => {
            let service = Declared::new("twocaptcha", toml::from_str(TWOCAPTCHA)?)?;
            let api = service.api(SecretString::from(KEY))?;
            Box::new(HttpSolver::with_transport(api, options, transport)?)
        }
        _ => return Err(format!("there is no provider `{name}`").into()),
    })
}

/// So many solves.
pub(crate) async fn solve(provider: &dyn DragSolver, calls: usize) -> Result<(), SolveError> {
    let challenge = fixtures::challenge_sized(400, 800);
    for _ in 0..calls {
        provider.solve(&challenge).await?;
    }
    Ok(())
}
