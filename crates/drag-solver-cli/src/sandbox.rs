//! The provider that needs no account: an emulated omocaptcha on a loopback port of this process,
//! reached through the real client over real HTTP, so that the main job runs on a fresh machine.
//!
//! It answers the project's own test pictures, by the answer that is written into them, and gives up
//! on every other picture.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drag_solver::http::{Balance, Context, EnvVar, HttpOptions, NoConfig, PollInterval, Provider};
use drag_solver::providers::Omocaptcha;
use drag_solver::{
    Billed, ConfigError, DragChallenge, DragSolver, ErrorKind, Event, JobId, Observer, Profile,
    Solution, SolveError, Usd, Verdict, WorstCase, async_trait,
};
use drag_solver_emulator::{Emulator, Protocol};
use drag_solver_mock::pictures::AnswerKey;
use tokio::sync::OnceCell;

/// Its name on the command line and in results.
pub(crate) const NAME: &str = "sandbox";

/// No secret, but masked in recordings as one: so not a word that stands elsewhere.
const TOKEN: &str = "sandbox-token";

/// It is ours, and does not mind being asked often.
const POLL: Duration = Duration::from_millis(20);

/// The emulated provider, and a client of it. The port is opened when it is first asked, and closed
/// when this is dropped.
#[derive(Debug)]
pub(crate) struct Sandbox {
    options: HttpOptions,
    open: OnceCell<(Omocaptcha, Emulator)>,
    jobs: Arc<Jobs>,
}

/// The jobs of this sandbox. One of an earlier command has an id that another picture has in this one.
#[derive(Debug, Default)]
struct Jobs(Mutex<HashSet<JobId>>);

impl Jobs {
    fn has(&self, job: &JobId) -> bool {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.contains(job)
    }
}

#[async_trait]
impl Observer for Jobs {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if let Event::Bought { job, .. } = *event {
            let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            jobs.insert(job.clone());
        }
        Ok(())
    }
}

impl Sandbox {
    /// Says of the jobs of earlier commands that they are gone, and returns the first.
    async fn gone(&self, challenge: &DragChallenge) -> Result<Option<JobId>, SolveError> {
        let jobs = challenge.paid_jobs_of(self.name());
        let gone: Vec<&JobId> = jobs.filter(|job| !self.jobs.has(job)).collect();
        for &job in &gone {
            let (solver, billed, cost) = (self.name(), Billed::No, Some(Usd::ZERO));
            challenge.notify(Event::Resumed { solver, job }).await?;
            let job = Some(job);
            let settled = Event::Settled {
                solver,
                job,
                billed,
                cost,
            };
            challenge.notify(settled).await?;
        }
        Ok(gone.first().map(|&job| job.clone()))
    }

    async fn client(&self) -> Result<&Omocaptcha, SolveError> {
        let open = self.open.get_or_try_init(|| async {
            let fail = |why: String| {
                let message = format!("the sandbox cannot be opened: {why}");
                SolveError::new(ErrorKind::Unavailable, message).mark_exhausted()
            };
            let emulator = emulator().await.map_err(|error| fail(error.to_string()))?;
            match client(&emulator.url(Protocol::OmocaptchaV1), self.options.clone()) {
                Ok(client) => Ok((client, emulator)),
                Err(error) => Err(fail(error.to_string())),
            }
        });
        open.await.map(|(client, _)| client)
    }
}

async fn emulator() -> io::Result<Emulator> {
    Emulator::builder()
        .solver(AnswerKey)
        .token(TOKEN)
        .balance(Usd::ZERO)
        .price(Usd::ZERO)
        .remembered_requests(0)
        .start()
        .await
}

/// A client with these options, as far as they are not about an account.
fn client(url: &str, mut options: HttpOptions) -> Result<Omocaptcha, ConfigError> {
    options.name.get_or_insert(NAME.to_owned());
    options.poll.get_or_insert(PollInterval::new(POLL, POLL));
    options.price = Some(Usd::ZERO); // told to budgets, too, whatever price the chain has for it
    Omocaptcha::builder()
        .options(options)
        .token(TOKEN)
        .base_url(url)
        .job_timeout(Duration::MAX)
        .build()
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl DragSolver for Sandbox {
    fn name(&self) -> &str {
        self.options.name.as_deref().unwrap_or(NAME)
    }

    /// Solves like any provider. What the client cannot know is that the sandbox takes no money, and that
    /// asking it again brings the same.
    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        if let Some(job) = self.gone(challenge).await? {
            let message = format!(
                "there is no job {job}: the sandbox's jobs end with the command, and cost nothing; solve \
                 the picture again"
            );
            let error = SolveError::new(ErrorKind::Protocol, message);
            return Err(error.with_solver(self.name()).mark_exhausted());
        }
        let challenge = challenge.clone().with_observer(self.jobs.clone());
        let answer = self.client().await?.solve(&challenge).await;
        let answer = answer.map(|solution| solution.with_cost(Usd::ZERO));
        answer.map_err(|error| error.with_billed(Billed::No).mark_exhausted())
    }

    async fn report(&self, solution: &Solution, verdict: Verdict) -> Result<(), SolveError> {
        self.client().await?.report(solution, verdict).await
    }

    fn profile(&self) -> Profile {
        Profile::new(WorstCase::one_purchase().with_cost(Usd::ZERO))
    }
}

#[async_trait]
impl Provider for Sandbox {
    const NAME: &'static str = NAME;
    const ABOUT: &'static str =
        "an emulated provider inside this command; it knows only test pictures";
    type Config = NoConfig;

    fn variables() -> Vec<EnvVar> {
        Vec::new()
    }

    fn from_config(
        mut options: HttpOptions,
        _: NoConfig,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        options.recorder = options.recorder.or_else(|| context.recorder().cloned());
        // Refuses what is wrong with them now, as any provider does. The port is not known yet.
        client("http://127.0.0.1", options.clone())?;
        Ok(Self {
            options,
            open: OnceCell::new(),
            jobs: Arc::default(),
        })
    }

    async fn balance(&self) -> Result<Balance, SolveError> {
        self.client().await?.balance().await
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::{JobId, PaidJob, Recovery};
    use drag_solver_mock::fixtures;
    use drag_solver_mock::pictures::TestPicture;

    use super::*;

    #[tokio::test]
    async fn it_answers_test_pictures_over_http() {
        let emulator = emulator().await.unwrap();
        let url = emulator.url(Protocol::OmocaptchaV1);
        let client = client(&url, HttpOptions::default()).unwrap();
        for seed in 0..3 {
            let picture = TestPicture::draw_sized(seed, 200, 400).unwrap();
            let solution = client.solve(&picture.challenge()).await.unwrap();
            assert_eq!(*solution.drag(), picture.drag());
            assert_eq!(solution.solver(), NAME);
        }
        let stats = emulator.stats();
        assert_eq!((stats.jobs_solved, emulator.traffic().requests), (3, 6));
        assert_eq!(stats.spent, Usd::ZERO);
    }

    #[tokio::test]
    async fn a_job_of_an_earlier_command_is_not_waited_for() {
        let context = Context::process();
        let sandbox = Sandbox::from_config(HttpOptions::default(), NoConfig::default(), &context);
        let sandbox = sandbox.unwrap();
        // Its first job has the id that the first of every command has.
        let other = TestPicture::draw_sized(1, 200, 400).unwrap();
        let first = sandbox.solve(&other.challenge()).await.unwrap();
        let job = PaidJob::new(NAME, first.job().unwrap().clone());
        let own = sandbox.solve(&other.challenge().resume_job(job)).await;
        assert_eq!(own.unwrap().drag(), first.drag());

        let (challenge, tracker) = fixtures::challenge()
            .resume_job(PaidJob::new(NAME, JobId::from(123)))
            .tracked();
        let error = sandbox.solve(&challenge).await.unwrap_err();
        assert!(
            tracker.purchases().open_jobs().is_empty(),
            "and none stays on record"
        );
        assert!(error.message().contains("no job 123"), "{error}");
        assert_eq!(
            (error.kind(), error.billed()),
            (ErrorKind::Protocol, Billed::No)
        );
        assert!(
            error.unfinished_jobs().is_empty(),
            "there is nothing to resume"
        );
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_refused_when_it_is_made() {
        let soon = Duration::from_nanos(1);
        let options = HttpOptions::default().poll(PollInterval::new(soon, soon));
        let error = Sandbox::from_config(options, NoConfig::default(), &Context::process());
        assert_eq!(error.unwrap_err().path(), "poll.every");
    }

    #[tokio::test]
    async fn it_never_invents_a_drag_and_takes_no_money() {
        let context = Context::process();
        let sandbox = Sandbox::from_config(HttpOptions::default(), NoConfig::default(), &context);
        let error = sandbox.unwrap().solve(&fixtures::challenge()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsolvable);
        assert_eq!(error.billed(), Billed::No);
        assert_eq!(error.recovery(), Recovery::Switch, "it would say the same");
    }
}
