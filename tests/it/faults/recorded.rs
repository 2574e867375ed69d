//! What a client recorded is played back: to the same result, without the token, for every fault.

use std::path::Path;
use std::time::Duration;

use drag_solver::http::secrecy::SecretString;
use drag_solver::http::serde_json::json;
use drag_solver::http::{
    ApiRequest, Recorder, Recording, RecordingTransport, ReplayTransport, Transport as _,
};
use drag_solver::testing::emulator::Emulator;
use drag_solver::testing::http::{Reply, ScriptedTransport};
use drag_solver::testing::pictures::AnswerKey;
use drag_solver::{SolveError, Verdict};

use super::account::{Account, Patience, TOKEN, Wire};
use super::capture::SEARCH;
use super::cell::{Cell, LONG_ENOUGH, Moment, PATIENT, picture};
use super::{cells, try_all};

/// A later poll is recorded like the first.
const MOMENTS: [Moment; 7] = [
    Moment::Connect,
    Moment::Create,
    Moment::FirstPoll,
    Moment::EveryPoll,
    Moment::Balance,
    Moment::Report,
    Moment::Services,
];

#[allow(clippy::print_stdout)] // how many there were is to be seen
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_every_provider_is_played_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (cells, _) = cells(&MOMENTS);
    let (tried, failures) = try_all(cells, 100, |number, cell| {
        let path = folder.path().join(format!("{number}.jsonl"));
        async move {
            let name = format!("{:?}, {}, {:?}", cell.provider, cell.fault, cell.moment);
            let tried = record_and_replay(cell, &path).await;
            tried.map_err(|wrong| format!("{name}: {wrong}"))
        }
    })
    .await;
    println!("{tried} recordings");
    assert!(tried > 1_500, "{tried}");
    let failed = failures.len();
    assert!(
        failures.is_empty(),
        "{failed} of {tried}:\n{}",
        failures.join("\n")
    );
}

async fn record_and_replay(cell: Cell, path: &Path) -> Result<(), String> {
    let builder = Emulator::builder().solver(AnswerKey).token(TOKEN);
    let emulator = cell.scripted(builder).start().await.unwrap();
    let url = emulator.url(cell.provider.protocol());
    let patience = patience(&cell);
    let recorder = Recorder::create(path).unwrap();
    let wire = Wire::Recorded(recorder.clone());
    let account = Account::open_over(wire, cell.provider, &url, patience);
    let first = call(&account, cell.moment).await;
    emulator.shutdown().await;

    let path = path.to_owned();
    let played = tokio::task::spawn_blocking(move || {
        let summary = recorder.finish();
        if let Some(problem) = summary.problem {
            return Err(problem);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if let Some(how) = SEARCH.find(&text) {
            return Err(format!("the token, {how}, in {text}"));
        }
        if !text.contains("[redacted]") {
            return Err(format!("no token was masked in {text}"));
        }
        let replay = ReplayTransport::new(&Recording::read(&path).unwrap());
        let second = play(&cell, &url, patience, &replay);
        if first != second {
            return Err(format!("{first}, and played back {second}: {text}"));
        }
        // When time is up, it is a matter of microseconds how many polls there were.
        if !first.starts_with("Timeout") {
            if let Some(left) = replay.unplayed().first() {
                return Err(format!("{left} was not asked for"));
            }
            if let Some(more) = replay.unexpected().first() {
                return Err(more.clone());
            }
        }
        std::fs::remove_file(path).unwrap();
        Ok(())
    });
    played.await.unwrap()
}

/// On a paused clock.
fn play(cell: &Cell, url: &str, patience: Patience, replay: &ReplayTransport) -> String {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let wire = Wire::Replayed(replay.clone());
    let account = Account::open_over(wire, cell.provider, url, patience);
    runtime.block_on(call(&account, cell.moment))
}

fn patience(cell: &Cell) -> Patience {
    let mut patience = PATIENT;
    if cell.is_silent() {
        patience.request = LONG_ENOUGH;
    }
    // Waits that providers ask for are 5 s and more.
    patience.job = Duration::from_secs(4);
    if cell.moment == Moment::EveryPoll {
        patience.every = Duration::from_millis(250);
        patience.job = LONG_ENOUGH;
    }
    patience
}

/// What comes of a call, as far as it matters.
async fn call(account: &Account, moment: Moment) -> String {
    match moment {
        Moment::Balance => said(account.balance().await),
        Moment::Services => said(account.services().await),
        Moment::Report => match account.solver().solve(&picture().challenge()).await {
            Err(error) => said::<()>(Err(error)),
            Ok(solution) => {
                let reported = account.solver().report(&solution, Verdict::Incorrect);
                said(reported.await)
            }
        },
        _ => {
            let solved = account.solver().solve(&picture().challenge()).await;
            said(solved.map(|solution| (*solution.drag(), solution.job().cloned())))
        }
    }
}

fn said<T: std::fmt::Debug>(outcome: Result<T, SolveError>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!(
            "{:?}, {:?}, billed {:?}, unfinished {:?}",
            error.kind(),
            error.recovery(),
            error.billed(),
            error.unfinished_jobs()
        ),
    }
}

/// A scan that finds nothing anywhere would find nothing here.
#[tokio::test]
async fn a_recording_of_an_account_whose_token_is_not_known_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wire.jsonl");
    let recorder = Recorder::create(&path).unwrap();
    let script = ScriptedTransport::new([Reply::json("{}")]);
    let no_secrets = std::iter::empty::<&SecretString>();
    let transport = RecordingTransport::new(script, &recorder, "example", no_secrets);
    let request = ApiRequest::json("createTask", &json!({"clientKey": TOKEN}));
    let _ = transport.send(request, LONG_ENOUGH).await;
    assert_eq!(recorder.finish().lines, 1);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(SEARCH.find(&text), Some("plain"), "{text}");
}
