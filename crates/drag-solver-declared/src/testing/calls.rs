//! Calls that an answer is there, from the double to a receiver, over HTTP.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use drag_solver_core::DragSolver as _;
use drag_solver_emulator::{Callbacks, Request, Response, stand_in};
use drag_solver_http::{CallbackReceiver, JobApi as _};
use drag_solver_mock::pictures::TestPicture;
use tokio::time::Instant;

use super::double::KEY;
use super::stage::{Stage, is_right, picture};
use crate::service::Declared;

/// What came of calls that an answer is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallbackFinding {
    /// What became of them on the way.
    pub callbacks: Callbacks,
    /// What was wrong with what came of it.
    pub problem: Option<String>,
}

/// Later than any call: what is fetched before the first poll is fetched because of one.
const NO_POLL: Duration = Duration::from_secs(30);

/// How late calls come that are late. By then polls have found the answer.
const LATE: Duration = Duration::from_millis(50);

/// Tries all that can become of the calls of a service that makes them, or only those that come in time.
pub(super) async fn try_callbacks(
    service: &Declared,
    only_in_time: bool,
) -> io::Result<Vec<CallbackFinding>> {
    let api = service.example_api().map_err(io::Error::other)?;
    if !api.has_jobs() || !api.takes_callbacks() {
        return Ok(Vec::new());
    }
    let known = picture(200)?;
    let all = [
        Callbacks::InTime,
        Callbacks::Late(LATE),
        Callbacks::Twice,
        Callbacks::Never,
        Callbacks::Forged,
    ];
    let mut findings = Vec::new();
    for callbacks in all
        .into_iter()
        .take(if only_in_time { 1 } else { all.len() })
    {
        let problem = try_manner(service, &known, callbacks).await.err();
        findings.push(CallbackFinding { callbacks, problem });
    }
    Ok(findings)
}

/// The answer is right and bought once, each call came, and where that can be, it is fetched because of one.
async fn try_manner(
    service: &Declared,
    picture: &TestPicture,
    callbacks: Callbacks,
) -> Result<(), String> {
    let receiver = Arc::new(OnceLock::<CallbackReceiver>::new());
    let taking = Arc::clone(&receiver);
    let hooks = stand_in(move |request: Request| {
        if let Some(receiver) = taking.get() {
            receiver.receive(request.path());
        }
        async { Response::empty(200) }
    });
    let hooks = hooks.start().await.map_err(|error| error.to_string())?;
    let called = CallbackReceiver::new(&hooks.url()).map_err(|error| error.to_string())?;
    let called = receiver.get_or_init(|| called).clone();

    let stage = Stage::start(service, None, callbacks).await;
    let mut stage = stage.map_err(|error| error.to_string())?;
    stage.receiver = Some(called);
    let (wait, expected_calls) = match callbacks {
        Callbacks::InTime => (NO_POLL, 1),
        Callbacks::Twice => (NO_POLL, 2),
        Callbacks::Late(_) => (Duration::from_millis(1), 1),
        Callbacks::Forged => (Duration::from_millis(1), 2),
        _ => (Duration::from_millis(1), 0),
    };
    let solver = stage.solver_polling_every(wait, KEY, None);
    let solver = solver.map_err(|error| error.to_string())?;
    let began = Instant::now();
    let outcome = solver.solve(&picture.challenge()).await;
    let elapsed = began.elapsed();
    let (calls, bought) = (stage.double.called().await, stage.double.bought());
    stage.emulator.shutdown().await;
    hooks.shutdown().await;

    is_right(
        service,
        picture,
        &outcome.map_err(|error| error.to_string())?,
    )?;
    if bought != 1 {
        return Err(format!("{bought} answers were bought"));
    }
    if calls != expected_calls {
        return Err(format!(
            "the double was to call {expected_calls} times, and called {calls} times: is `{{callback}}` as it is in what is \
             sent?"
        ));
    }
    if wait == NO_POLL && elapsed >= wait {
        return Err(
            "the answer was fetched by the first poll, and not when the call came".to_owned(),
        );
    }
    Ok(())
}
