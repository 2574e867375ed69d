//! A chain from a file whose two providers are one emulator, and lines of JSON about its answers.

use drag_solver_emulator::{Emulator, Protocol};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};
use serde_json::{Value, json};

use crate::support::{Run, TOKEN, drag_solver};

/// A provider, a screenshot and a chain's file, gone with the test.
pub(crate) struct Scene {
    pub(crate) emulator: Emulator,
    pub(crate) picture: TestPicture,
    folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let scene = Self {
            emulator: Emulator::builder()
                .solver(AnswerKey)
                .token(TOKEN)
                .start()
                .await
                .unwrap(),
            // Small enough for every provider.
            picture: TestPicture::draw_sized(3, 100, 200).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(scene.path("shot.png"), scene.picture.screenshot().bytes()).unwrap();
        let chain = format!(
            r#"
            deadline = "60s"
            [budget]
            total = "1"
            [[providers]]
            name = "first"
            kind = "2captcha"
            base_url = "{}"
            token = {{ file = "token" }}
            price = "0.0009"
            poll = {{ first = "1ms", every = "1ms" }}
            timeout = "20s"
            retry = {{ max_attempts = 2 }}
            fit = true
            validate = true
            [[providers]]
            kind = "anticaptcha"
            base_url = "{}"
            token = {{ env = "SECOND" }}
            price = "0.002"
            poll = {{ first = "1ms", every = "1ms" }}
            "#,
            scene.emulator.url(Protocol::TwoCaptcha),
            scene.emulator.url(Protocol::AntiCaptcha),
        );
        std::fs::write(scene.path("chain.toml"), chain).unwrap();
        std::fs::write(scene.path("token"), format!("{TOKEN}\n")).unwrap();
        scene
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The command with `args`, and the chain's file as `--config`.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        drag_solver(args)
            .arg("--config")
            .arg(self.path("chain.toml"))
            .env("SECOND", TOKEN)
    }

    /// The account of the environment, with the same provider.
    pub(crate) fn with_account(&self, run: Run) -> Run {
        run.env("TWOCAPTCHA_API_KEY", TOKEN).env(
            "TWOCAPTCHA_BASE_URL",
            self.emulator.url(Protocol::TwoCaptcha),
        )
    }
}

/// A line about an answer of this solver's.
pub(crate) fn solved_line(screenshot: &str, solver: &str, job: &str) -> String {
    let drag = json!({"start": {"x": 1, "y": 2}, "end": {"x": 3, "y": 4}});
    line(&json!({
        "v": 1, "screenshot": screenshot, "status": "solved", "drag": drag, "solver": solver, "job": job,
        "cost_usd": null, "elapsed_ms": 1,
    }))
}

/// A line about a screenshot that was not solved, with jobs that were paid for, each of a solver.
pub(crate) fn failed_line(screenshot: &str, jobs: &[(&str, &str)]) -> String {
    let attempt = |(solver, job): &(&str, &str)| {
        json!({
            "solver": solver, "kind": "timeout", "message": "too slow", "billed": "maybe",
            "cost_usd": null, "jobs": [{"solver": solver, "id": job}], "elapsed_ms": 1,
        })
    };
    let attempts: Vec<Value> = jobs.iter().map(attempt).collect();
    let error = json!({
        "kind": "all_failed", "solver": null, "message": "all failed", "billed": "maybe",
        "recovery": "switch", "retry_after_ms": null, "elapsed_ms": 1, "attempts": attempts,
    });
    line(&json!({"v": 1, "screenshot": screenshot, "status": "failed", "error": error}))
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}
