//! What the roads share: emulated providers, clients of them, and ways to know what happens.

use std::sync::Arc;
use std::time::Duration;

use drag_solver::http::{
    ApiRequest, ApiResponse, HttpOptions, PollInterval, ReqwestTransport, Transport, TransportError,
};
use drag_solver::prelude::*;
use drag_solver::providers::{ApiVersion, OmocaptchaBuilder};
use drag_solver::testing::emulator::{Emulator, EmulatorBuilder, Protocol};
use drag_solver::testing::pictures::{AnswerKey, TestPicture};
use tokio::sync::watch;

pub(crate) const TOKEN: &str = "hunter2-hunter2";

/// A provider whose workers know the test pictures.
pub(crate) fn provider() -> EmulatorBuilder {
    Emulator::builder().solver(AnswerKey).token(TOKEN)
}

/// A small test picture.
pub(crate) fn picture(seed: u64) -> TestPicture {
    TestPicture::draw_sized(seed, 100, 200).unwrap()
}

/// An account at `emulator` that is asked without the provider's pauses.
pub(crate) fn account(emulator: &Emulator, version: ApiVersion) -> OmocaptchaBuilder {
    let soon = Duration::from_millis(1);
    let url = match version {
        ApiVersion::V1 => emulator.url(Protocol::OmocaptchaV1),
        _ => emulator.url(Protocol::OmocaptchaV2),
    };
    Omocaptcha::builder()
        .name(format!("omocaptcha-{version}"))
        .token(TOKEN)
        .api_version(version)
        .base_url(url)
        .poll(PollInterval::new(soon, soon))
}

/// Three attempts, with next to no pause in between.
pub(crate) fn quick_retries() -> RetryPolicy {
    let soon = Duration::from_millis(1);
    RetryPolicy::default().base_backoff(soon).max_backoff(soon)
}

/// Workers that know the test pictures, and hold their answers back until they are told.
#[derive(Clone, Debug)]
pub(crate) struct HeldBack {
    released: Arc<watch::Sender<bool>>,
}

impl HeldBack {
    pub(crate) fn new() -> Self {
        Self {
            released: Arc::new(watch::Sender::new(false)),
        }
    }

    pub(crate) fn release(&self) {
        self.released.send_replace(true);
    }
}

#[async_trait]
impl DragSolver for HeldBack {
    fn name(&self) -> &'static str {
        "held-back"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let mut released = self.released.subscribe();
        released.wait_for(|released| *released).await.unwrap();
        AnswerKey.solve(challenge).await
    }
}

/// HTTP, and a count of the requests that were answered and of those that were not.
#[derive(Debug)]
pub(crate) struct Watched {
    http: ReqwestTransport,
    counts: watch::Sender<Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) answered: u32,
    pub(crate) unanswered: u32,
}

impl Watched {
    pub(crate) fn http(base_url: &str) -> Arc<Self> {
        let options = HttpOptions::default().base_url(base_url);
        Arc::new(Self {
            http: ReqwestTransport::new(&options).unwrap(),
            counts: watch::Sender::default(),
        })
    }

    /// Waits until `enough` says so.
    pub(crate) async fn until(&self, mut enough: impl FnMut(Counts) -> bool) {
        let mut counts = self.counts.subscribe();
        counts.wait_for(|counts| enough(*counts)).await.unwrap();
    }
}

#[async_trait]
impl Transport for Watched {
    async fn send(
        &self,
        request: ApiRequest,
        limit: Duration,
    ) -> Result<ApiResponse, TransportError> {
        let outcome = self.http.send(request, limit).await;
        self.counts.send_modify(|counts| match outcome {
            Ok(_) => counts.answered += 1,
            Err(_) => counts.unanswered += 1,
        });
        outcome
    }
}
