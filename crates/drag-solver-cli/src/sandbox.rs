//! The provider that needs no account: an emulated omocaptcha on a loopback port of this process,
//! reached through the real client over real HTTP, so that the main job runs on a fresh machine.
//!
//! It answers the project's own test pictures, by the answer that is written into them, and gives up
//! on every other picture.

use std::io;
use std::time::Duration;

use drag_solver::core::{
    Charge, DragChallenge, DragSolver, ErrorKind, ScreenshotLimits, Solution, SolveError, Usd,
    Verdict, WorstCase, async_trait,
};
use drag_solver::http::{Balance, ConfigError, Context, Pace, Provider, Variable, check_name};
use drag_solver::omocaptcha::Omocaptcha;
use drag_solver_mock::challenge::AnswerKey;
use drag_solver_mock::emulator::Emulator;
use serde::Deserialize;
use tokio::sync::OnceCell;

/// Its name on the command line and in results.
pub(crate) const NAME: &str = "sandbox";

/// It is ours, and does not mind being asked often.
const PACE: Duration = Duration::from_millis(20);

/// The emulated provider, and a client of it. The port is opened when it is first asked, and closed
/// when this is dropped.
#[derive(Debug)]
pub(crate) struct Sandbox {
    config: SandboxConfig,
    open: OnceCell<Open>,
}

#[derive(Debug)]
struct Open {
    client: Omocaptcha,
    _provider: Emulator,
}

/// Its settings, as a configuration file has them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SandboxConfig {
    name: Option<String>,
    poll: Option<Pace>,
}

impl Sandbox {
    fn new(config: SandboxConfig) -> Result<Self, ConfigError> {
        check_name(config.name.as_deref().unwrap_or(NAME))?;
        Ok(Self {
            config,
            open: OnceCell::new(),
        })
    }

    async fn client(&self) -> Result<&Omocaptcha, SolveError> {
        let open = self.open.get_or_try_init(|| async {
            let fail = |why: String| {
                let message = format!("the sandbox cannot be opened: {why}");
                SolveError::new(ErrorKind::Unavailable, message).exhausted()
            };
            let provider = provider().await.map_err(|error| fail(error.to_string()))?;
            Ok(Open {
                client: client(&provider, &self.config).map_err(|error| fail(error.to_string()))?,
                _provider: provider,
            })
        });
        open.await.map(|open| &open.client)
    }
}

async fn provider() -> io::Result<Emulator> {
    Emulator::builder()
        .solver(AnswerKey)
        .token(NAME)
        .balance(Usd::ZERO)
        .price(Usd::ZERO)
        .remembered_requests(0)
        .start()
        .await
}

fn client(provider: &Emulator, config: &SandboxConfig) -> Result<Omocaptcha, ConfigError> {
    Omocaptcha::builder()
        .name(config.name.as_deref().unwrap_or(NAME))
        .token(NAME)
        .base_url(provider.omocaptcha_v1_url())
        .pace(config.poll.unwrap_or(Pace::new(PACE, PACE)))
        .job_timeout(Duration::MAX)
        .build()
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Sandbox {
    fn name(&self) -> &str {
        self.config.name.as_deref().unwrap_or(NAME)
    }

    /// Solves like any provider. What the client cannot know of an error is that the sandbox takes
    /// no money, and that asking it again brings the same.
    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let answer = self.client().await?.solve(challenge).await;
        answer.map_err(|error| error.with_charge(Charge::No).exhausted())
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.client().await?.report(solution, verdict).await
    }

    fn worst_case(&self) -> WorstCase {
        WorstCase::one_attempt().with_cost(Usd::ZERO)
    }

    fn limits(&self) -> ScreenshotLimits {
        ScreenshotLimits::none()
    }
}

#[async_trait]
impl Provider for Sandbox {
    const NAME: &'static str = NAME;
    const ABOUT: &'static str =
        "an emulated provider inside this command; it knows only test pictures";
    const VARIABLES: &'static [Variable] = &[];
    type Config = SandboxConfig;

    fn open(config: SandboxConfig, _: &Context) -> Result<Self, ConfigError> {
        Self::new(config)
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        self.client().await?.balance().await
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::core::{ErrorKind, Recovery, Screenshot};
    use drag_solver_mock::challenge::TestPicture;

    use super::*;

    #[tokio::test]
    async fn it_answers_test_pictures_over_http() {
        let provider = provider().await.unwrap();
        let client = client(&provider, &SandboxConfig::default()).unwrap();
        for seed in 0..3 {
            let picture = TestPicture::draw_sized(seed, 200, 400).unwrap();
            let solution = client.solve(&picture.challenge()).await.unwrap();
            assert_eq!(*solution.drag(), picture.drag());
            assert_eq!(solution.provider(), NAME);
        }
        let books = provider.books();
        assert_eq!((books.jobs_solved, books.requests), (3, 6));
        assert_eq!(books.spent, Usd::ZERO);
    }

    #[tokio::test]
    async fn it_never_invents_a_drag_and_takes_no_money() {
        let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
        let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec();
        let unknown = DragChallenge::new(Screenshot::from_bytes(gif).unwrap());
        let error = sandbox.solve(&unknown).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsolvable);
        assert_eq!(error.charge(), Charge::No);
        assert_eq!(error.recovery(), Recovery::Switch, "it would say the same");
    }
}
