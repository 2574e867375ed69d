//! The provider that needs no account: it speaks omocaptcha's protocol inside this process, and is
//! reached through the real omocaptcha client, so that the main job runs on a fresh machine.
//!
//! It answers the project's own test pictures, by the answer that is written into them, and gives up
//! on every other picture.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use drag_solver::core::{Drag, DragChallenge, DragSolver as _, Screenshot, async_trait};
use drag_solver::http::{ApiRequest, ApiResponse, ConfigError, Pace, Transport, TransportError};
use drag_solver::omocaptcha::Omocaptcha;
use drag_solver_mock::challenge::AnswerKey;
use serde_json::{Value, json};

/// Its name on the command line and in results.
pub(crate) const NAME: &str = "sandbox";

/// It is ours, and does not mind being asked often.
const PACE: Duration = Duration::from_millis(20);

/// A client of a new sandbox.
pub(crate) fn open(poll_interval: Option<Duration>) -> Result<Omocaptcha, ConfigError> {
    let interval = poll_interval.unwrap_or(PACE);
    Omocaptcha::builder()
        .name(NAME)
        .token("sandbox")
        .pace(Pace::new(interval, interval))
        .job_timeout(Duration::MAX)
        .transport(Service::default())
        .build()
}

/// The service's side. What each job came to is kept until the command ends.
#[derive(Debug, Default)]
struct Service {
    jobs: Mutex<HashMap<u64, Option<Drag>>>,
}

impl Service {
    async fn create(&self, request: &Value) -> Value {
        let picture = request["data"]["image_base64"].as_str().unwrap_or_default();
        let Some(screenshot) = BASE64_STANDARD
            .decode(picture)
            .ok()
            .and_then(|bytes| Screenshot::from_bytes(bytes).ok())
        else {
            return json!({"error": true, "message": "image_base64 is not a picture"});
        };
        let answer = AnswerKey.solve(&DragChallenge::new(screenshot)).await;
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let id = jobs.len() as u64 + 1;
        jobs.insert(id, answer.ok().map(|solution| *solution.drag()));
        json!({"error": false, "job_id": id, "message": "Create job success."})
    }

    fn result(&self, request: &Value) -> Value {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let id = request["job_id"].as_u64().unwrap_or_default();
        match jobs.get(&id) {
            Some(Some(Drag { start, end, .. })) => json!({
                "error": false,
                "status": "success",
                "result": format!("{}|{}|{}|{}", start.x, start.y, end.x, end.y),
            }),
            Some(None) => json!({"error": false, "status": "fail", "result": null}),
            None => json!({"error": true, "message": "There is no such job."}),
        }
    }
}

#[async_trait]
impl Transport for Service {
    async fn send(
        &self,
        request: ApiRequest,
        _limit: Duration,
    ) -> Result<ApiResponse, TransportError> {
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let answer = match request.path() {
            "createJob" => self.create(&body).await,
            "getJobResult" => self.result(&body),
            "getBalance" => json!({"error": false, "balance": "0", "message": "It is free."}),
            other => json!({"error": true, "message": format!("There is no {other} here.")}),
        };
        Ok(ApiResponse::new(200, answer.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::core::ErrorKind;
    use drag_solver_mock::challenge::TestPicture;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_answers_test_pictures_and_never_invents_a_drag() {
        let sandbox = open(None).unwrap();
        for seed in 0..3 {
            let picture = TestPicture::draw_sized(seed, 200, 400).unwrap();
            let solution = sandbox.solve(&picture.challenge()).await.unwrap();
            assert_eq!(*solution.drag(), picture.drag());
            assert_eq!(solution.provider(), NAME);
        }
        let gif = b"GIF89a\x4f\x02\x7d\x04\0\0\0;".to_vec();
        let unknown = DragChallenge::new(Screenshot::from_bytes(gif).unwrap());
        let error = sandbox.solve(&unknown).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsolvable);
    }
}
