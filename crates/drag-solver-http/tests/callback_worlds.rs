//! With any fate of a provider's calls, asking for them is never worse than polling: thousands of jobs on
//! a paused clock, the same with and without.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)] // a failed `unwrap` is a failed test

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use drag_solver_core::DragSolver as _;
use drag_solver_http::{
    ApiRequest, ApiResponse, CallbackReceiver, HttpOptions, HttpSolver, Transport, TransportError,
};
use drag_solver_mock::fixtures::challenge;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::support::Api;

const JOBS: u64 = 2_000;

/// What becomes of the call about a job.
#[derive(Clone, Copy, Debug)]
enum Calls {
    /// It comes this long after the answer.
    After(Duration),
    Twice,
    /// So many of a thousand are lost.
    Lost(u64),
    /// So many of a thousand come this late.
    SomeLate(u64, Duration),
    /// All come in time, until all are lost.
    LostFrom(u64),
    /// All come in time, until all are this late.
    LateFrom(u64, Duration),
    /// One comes long before the answer, and none after it.
    Forged,
    /// One comes long before the answer, and the right one after it.
    ForgedToo,
}

/// A provider whose answers are there when they are.
#[derive(Clone, Debug)]
struct Provider {
    receiver: CallbackReceiver,
    calls: Calls,
    at_once: u64,
    jobs: Arc<Mutex<BTreeMap<u64, Job>>>,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    done: Instant,
    polls: u32,
    fetched: Option<Instant>,
}

/// A number that is the same for the same job and question in every run (`SplitMix64`).
fn draw(job: u64, question: u64) -> u64 {
    let mut z = (job * 8 + question)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0.5 to 12.5 s; with calls at once, every second one less than 2 s. The first poll then comes as
/// documented, and does not depend on whose job has ended first.
fn latency(job: u64, at_once: u64) -> Duration {
    let draw = draw(job, 0);
    let quick = at_once > 1 && job.is_multiple_of(2);
    Duration::from_micros(500_000 + draw % if quick { 1_500_000 } else { 12_000_000 })
}

impl Provider {
    /// The job of which number, says the client: calls under way at once have the same jobs in every run.
    fn create(&self, job: u64, callback: Option<&str>) {
        let mut jobs = self.jobs.lock().unwrap();
        let takes = latency(job, self.at_once);
        let done = Instant::now() + takes;
        let new = Job {
            done,
            polls: 0,
            fetched: None,
        };
        jobs.insert(job, new);
        let soon = done + Duration::from_millis(20);
        let early = Instant::now() + takes / 3;
        let calls: Vec<Instant> = match self.calls {
            Calls::After(late) => vec![done + late],
            Calls::Twice => vec![soon, soon + Duration::from_millis(20)],
            Calls::Lost(per_mille) if draw(job, 1) % 1_000 < per_mille => vec![],
            Calls::SomeLate(per_mille, late) if draw(job, 1) % 1_000 < per_mille => {
                vec![done + late]
            }
            Calls::LostFrom(first) if job >= first => vec![],
            Calls::LateFrom(first, late) if job >= first => vec![done + late],
            Calls::Forged => vec![early],
            Calls::ForgedToo => vec![early, soon],
            Calls::Lost(_) | Calls::SomeLate(..) | Calls::LostFrom(_) | Calls::LateFrom(..) => {
                vec![soon]
            }
        };
        for at in calls {
            let (receiver, Some(url)) = (self.receiver.clone(), callback.map(str::to_owned)) else {
                break;
            };
            tokio::spawn(async move {
                sleep_until(at).await;
                receiver.receive(&url);
            });
        }
    }
}

#[drag_solver_core::async_trait]
impl Transport for Provider {
    async fn send(&self, request: ApiRequest, _: Duration) -> Result<ApiResponse, TransportError> {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let answer = if request.path() == "create" {
            let number = body["hint"].as_str().unwrap().parse().unwrap();
            self.create(number, body["callback"].as_str());
            json!({"job": number + 1})
        } else {
            let mut jobs = self.jobs.lock().unwrap();
            let job = body["job"].as_u64().unwrap() - 1;
            let job = jobs.get_mut(&job).unwrap();
            job.polls += 1;
            if Instant::now() < job.done {
                json!({})
            } else {
                job.fetched.get_or_insert(Instant::now());
                json!({"drag": [83, 560, 320, 560]})
            }
        };
        Ok(ApiResponse::new(200, answer.to_string()))
    }
}

/// What came of each job: how long its answer waited, and how often it was asked about.
#[derive(Debug)]
struct Outcome {
    added: Vec<Duration>,
    polls: Vec<u32>,
}

impl Outcome {
    fn mean_added(&self) -> f64 {
        self.added.iter().map(Duration::as_secs_f64).sum::<f64>() / JOBS as f64
    }

    fn added_at(&self, quantile: f64) -> f64 {
        let mut added = self.added.clone();
        added.sort_unstable();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below JOBS
        added[((JOBS - 1) as f64 * quantile) as usize].as_secs_f64()
    }

    fn mean_polls(&self) -> f64 {
        f64::from(self.polls.iter().sum::<u32>()) / JOBS as f64
    }
}

fn run(calls: Option<Calls>, at_once: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let receiver = CallbackReceiver::new("https://hooks.example.com").unwrap();
    let provider = Provider {
        receiver: receiver.clone(),
        calls: calls.unwrap_or(Calls::Lost(1_000)),
        at_once,
        jobs: Arc::default(),
    };
    let mut options = HttpOptions::default();
    if calls.is_some() {
        options = options.callbacks_to(&receiver);
    }
    let solver = HttpSolver::with_transport(Api::new(), options, provider.clone()).unwrap();
    runtime.block_on(async {
        let mut running = JoinSet::new();
        for first in 0..at_once {
            let solver = solver.clone();
            let challenge = challenge();
            running.spawn(async move {
                for turn in 0..JOBS / at_once {
                    let number = (turn * at_once + first).to_string();
                    let challenge = challenge.clone().with_instruction(number);
                    solver.solve(&challenge).await.unwrap();
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
    });
    let jobs = provider.jobs.lock().unwrap().clone();
    let added = jobs.values().map(|job| job.fetched.unwrap() - job.done);
    Outcome {
        added: added.collect(),
        polls: jobs.values().map(|job| job.polls).collect(),
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// A hundredth of the wait between polls: the clock goes in steps of a millisecond, and who of several is
/// first in one is not the same in two worlds.
const STEP: f64 = 0.02;

#[test]
fn calls_in_time_save_nearly_all_the_waiting_and_most_polls() {
    for calls in [Calls::After(SECOND / 50), Calls::Twice] {
        for at_once in [1, 40] {
            let (with, without) = (run(Some(calls), at_once), run(None, at_once));
            assert!(without.mean_added() > 0.8, "{}", without.mean_added());
            assert!(with.mean_added() < 0.03, "{}", with.mean_added());
            assert!(with.added_at(0.99) < 0.03, "{}", with.added_at(0.99));
            let saved = without.mean_polls() - with.mean_polls();
            assert!(saved > 0.3 * without.mean_polls(), "{saved}");
        }
    }
}

#[test]
fn calls_that_are_lost_late_or_forged_are_never_worse_than_polling() {
    let mut worlds = vec![
        Calls::Forged,
        Calls::ForgedToo,
        Calls::LostFrom(1_000),
        Calls::LateFrom(1_000, 3 * SECOND),
    ];
    let late = [250, 500, 1_500, 30_000];
    worlds.extend(late.map(|late| Calls::After(Duration::from_millis(late))));
    for per_mille in [8, 15, 500] {
        worlds.push(Calls::Lost(per_mille));
        worlds.push(Calls::SomeLate(per_mille, 3 * SECOND));
    }
    for at_once in [1, 40] {
        let without = run(None, at_once);
        for &calls in &worlds {
            let with = run(Some(calls), at_once);
            let told = format!(
                "{calls:?}, {at_once} at once: mean {:.3} s and {:.3} s, p99 {:.3} s and {:.3} s, polls {:.2} and {:.2}",
                with.mean_added(),
                without.mean_added(),
                with.added_at(0.99),
                without.added_at(0.99),
                with.mean_polls(),
                without.mean_polls(),
            );
            println!("{told}"); // with --nocapture
            assert!(with.mean_added() <= without.mean_added() + STEP, "{told}");
            assert!(
                with.added_at(0.99) <= without.added_at(0.99) + STEP,
                "{told}"
            );
            assert!(with.mean_polls() <= without.mean_polls() + 1.01, "{told}");
        }
    }
}

#[test]
fn where_no_call_is_ever_in_time_each_job_is_as_by_polling() {
    let without = run(None, 1);
    for (calls, more) in [
        (Calls::Lost(1_000), 0),
        (Calls::After(30 * SECOND), 0),
        (Calls::After(3 * SECOND), 0),
        (Calls::Forged, 1),
    ] {
        let with = run(Some(calls), 1);
        for (job, (with, without)) in with.added.iter().zip(&without.added).enumerate() {
            assert!(
                with <= without,
                "{calls:?}, job {job}: {with:?}, {without:?}"
            );
        }
        for (job, (with, without)) in with.polls.iter().zip(&without.polls).enumerate() {
            assert!(
                *with <= without + more,
                "{calls:?}, job {job}: {with}, {without}"
            );
        }
    }
}
