//! When answers are fetched, on a paused clock: a provider whose jobs take a random time, asked by a
//! solver of ours at its own pace or at the pace of other clients.

use std::f64::consts::TAU;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drag_solver::http::secrecy::SecretString;
use drag_solver::http::{
    ApiRequest, ApiResponse, HttpOptions, HttpSolver, PollInterval, Transport, TransportError,
};
use drag_solver::prelude::*;
use drag_solver::testing::fixtures;
use drag_solver_core::Seeded;
use drag_solver_omocaptcha::OmocaptchaV1;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::BoxError;

/// How long a provider takes for a job: a log-normal distribution.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    /// Half of the jobs are done by then, in seconds.
    pub(crate) median: f64,
    /// Spread of the logarithm.
    pub(crate) sigma: f64,
}

/// A quick provider and a slow one.
pub(crate) const PROVIDERS: [Latency; 2] = [
    Latency {
        median: 3.0,
        sigma: 0.5,
    },
    Latency {
        median: 9.0,
        sigma: 0.4,
    },
];

/// Schedules of published clients of such services: the first poll and the wait between two, in
/// seconds.
pub(crate) const OTHERS: [(u64, u64); 4] = [(5, 5), (10, 10), (0, 5), (0, 3)];

/// What a schedule comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// Mean time from the moment an answer exists to the moment it is fetched, in seconds.
    pub(crate) added: f64,
    /// Mean number of polls a job.
    pub(crate) polls: f64,
}

/// As a provider that allows a poll every 2 s is asked unless somebody says otherwise.
pub(crate) fn ours(latency: Latency, jobs: usize, callers: usize) -> Result<Figures, BoxError> {
    run(latency, jobs, callers, HttpOptions::default())
}

/// On the schedule of another client.
pub(crate) fn fixed(
    latency: Latency,
    jobs: usize,
    first: Duration,
    every: Duration,
) -> Result<Figures, BoxError> {
    let options = HttpOptions::default().poll(PollInterval::new(first, every));
    run(latency, jobs, 1, options)
}

/// The least that any first poll can come to, if it is the same for all jobs, with 2 s between polls:
/// what somebody could do who knew the distribution. `at` is when that poll is made, in seconds.
pub(crate) fn floor(latency: Latency, jobs: usize) -> (f64, Figures) {
    let every = 2.0;
    let floor = (40..=300)
        .map(|twentieths| {
            let first = f64::from(twentieths) / 20.0;
            let mut random = Random(Seeded::new(1));
            let (mut added, mut polls) = (0.0, 0.0);
            for _ in 0..jobs {
                let done = random.latency(latency);
                let later = ((done - first) / every).ceil().max(0.0);
                added += first + later * every - done;
                polls += 1.0 + later;
            }
            let added = added / as_f64(jobs);
            let polls = polls / as_f64(jobs);
            (first, Figures { added, polls })
        })
        .min_by(|(_, one), (_, other)| one.added.total_cmp(&other.added));
    floor.unwrap_or_else(|| unreachable!("the range is not empty"))
}

fn run(
    latency: Latency,
    jobs: usize,
    callers: usize,
    options: HttpOptions,
) -> Result<Figures, BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let provider = Provider::new(latency);
    let api = OmocaptchaV1::new(SecretString::from("token"), "24");
    let solver = HttpSolver::with_transport(api, options, provider.clone())?;
    let challenge = fixtures::challenge();
    runtime.block_on(async {
        let mut running = JoinSet::new();
        for _ in 0..callers {
            let (solver, challenge) = (solver.clone(), challenge.clone());
            running.spawn(async move {
                for _ in 0..jobs / callers {
                    solver.solve(&challenge).await?;
                }
                Ok::<_, SolveError>(())
            });
        }
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        Ok::<_, BoxError>(())
    })?;
    Ok(provider.figures())
}

/// Answers without delay; its jobs are done when they are done.
#[derive(Clone, Debug)]
struct Provider(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Random,
    latency: Latency,
    /// When each job is done.
    done: Vec<Instant>,
    polls: usize,
    fetched: usize,
    added: Duration,
}

impl Provider {
    fn new(latency: Latency) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: Random(Seeded::new(1)),
            latency,
            done: Vec::new(),
            polls: 0,
            fetched: 0,
            added: Duration::ZERO,
        })))
    }

    fn figures(&self) -> Figures {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Figures {
            added: state.added.as_secs_f64() / as_f64(state.fetched),
            polls: as_f64(state.polls) / as_f64(state.fetched),
        }
    }
}

#[async_trait]
impl Transport for Provider {
    async fn send(&self, request: ApiRequest, _: Duration) -> Result<ApiResponse, TransportError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let answer = if request.path() == "createJob" {
            let latency = state.latency;
            let takes = Duration::from_secs_f64(state.random.latency(latency));
            state.done.push(now + takes);
            serde_json::json!({"error": false, "job_id": state.done.len()})
        } else {
            state.polls += 1;
            let body: serde_json::Value = serde_json::from_slice(request.body())
                .map_err(|error| TransportError::bad_response(error.to_string()))?;
            let job = body["job_id"].as_u64().and_then(|id| id.checked_sub(1));
            let done = job.and_then(|job| state.done.get(usize::try_from(job).ok()?));
            match done.copied() {
                Some(done) if done <= now => {
                    state.fetched += 1;
                    state.added += now - done;
                    serde_json::json!({"error": false, "status": "success", "result": "1|1|9|9"})
                }
                Some(_) => serde_json::json!({"error": false, "status": "running"}),
                None => serde_json::json!({"error": true, "message": "no such job"}),
            }
        };
        Ok(ApiResponse::new(200, answer.to_string()))
    }
}

/// The same in every run.
#[derive(Clone, Debug)]
struct Random(Seeded);

impl Random {
    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.0.number() >> 32).unwrap_or_default()) / 2_f64.powi(32)
    }

    /// How long one job takes, in seconds (Box and Muller, 1958).
    fn latency(&mut self, latency: Latency) -> f64 {
        let radius = (-2.0 * (1.0 - self.fraction()).ln()).sqrt();
        let normal = radius * (TAU * self.fraction()).cos();
        latency.median * (latency.sigma * normal).exp()
    }
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn as_f64(count: usize) -> f64 {
    count as f64
}
