//! Every service of the gallery, and every fault: what is recorded of it is played back to the same.
//!
//! It takes minutes, so faults are tried with one service of each shape, unless `DRAG_SOLVER_ALL_RECORDINGS` is set.

use std::path::Path;
use std::sync::Arc;

use boon::{Compiler, SchemaIndex, Schemas};
use drag_solver_core::DragSolver as _;
use drag_solver_emulator::{Callbacks, Fault, Operation, SecretScanner};
use drag_solver_http::{Recorder, Recording};
use drag_solver_mock::pictures::TestPicture;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::double::{KEY, OTHER_SECRET};
use super::replay::replay;
use super::stage::{Stage, picture};
use super::trial::{LONG_ENOUGH, is_silent};
use crate::{Declared, Definition, GALLERY};

/// Recordings that are made at the same time.
const AT_ONCE: usize = 32;

/// A service of each shape.
const SHAPES: &[&str] = &[
    "capzy",
    "betacaptcha",
    "solvecaptcha",
    "deathbycaptcha",
    "solvecha",
];

/// One recording: the service, and what goes wrong.
type Case = (Declared, Option<(Fault, Operation)>);

fn cases() -> Vec<Case> {
    let all = std::env::var_os("DRAG_SOLVER_ALL_RECORDINGS").is_some();
    let mut cases = Vec::new();
    for (name, text) in GALLERY {
        let definition: Definition = toml::from_str(text).unwrap();
        let service = Declared::new(*name, definition).unwrap();
        let operations: &[Operation] = match service.definition().poll {
            Some(_) => &[Operation::Create, Operation::Poll],
            None => &[Operation::Create],
        };
        cases.push((service.clone(), None));
        if !all && !SHAPES.contains(name) {
            continue;
        }
        for &operation in operations {
            let faults = Fault::all().into_iter();
            let faults = faults.filter(Fault::applies_to_stand_in);
            for fault in faults.filter(|fault| fault.applies_to(operation)) {
                cases.push((service.clone(), Some((fault, operation))));
            }
        }
    }
    cases
}

/// The published schema of recordings, and here no member is allowed that it does not know.
struct Lines {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Lines {
    fn new() -> Self {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let url = |name: &str| format!("https://example.com/{name}");
        for name in ["json-lines.schema.json", "recordings.schema.json"] {
            let text = std::fs::read_to_string(docs.join(name)).unwrap();
            let mut schema: Value = serde_json::from_str(&text).unwrap();
            for definition in schema["$defs"].as_object_mut().unwrap().values_mut() {
                if definition.get("properties").is_some() {
                    definition["additionalProperties"] = json!(false);
                }
            }
            compiler.add_resource(&url(name), schema).unwrap();
        }
        let index = compiler.compile(&url("recordings.schema.json"), &mut schemas);
        Self {
            index: index.unwrap(),
            schemas,
        }
    }

    fn check(&self, recording: &str) -> Result<(), String> {
        recording.lines().try_for_each(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let checked = self.schemas.validate(&value, self.index);
            checked.map_err(|error| format!("{error:#}\n{line}"))
        })
    }
}

#[allow(clippy::print_stdout)] // how many there were is to be seen
#[tokio::test]
async fn every_fault_of_every_service_is_played_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (places, lines) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Lines::new()));
    let known = picture(200).unwrap();
    let mut running = JoinSet::new();
    for (number, case) in cases().into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.jsonl"));
        let (places, known) = (Arc::clone(&places), known.clone());
        let lines = Arc::clone(&lines);
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            let name = format!("{}, {:?}", case.0.name(), case.1);
            let tried = record_and_replay(case, &known, &path, lines).await;
            tried.map_err(|wrong| format!("{name}: {wrong}"))
        });
    }
    let all = running.join_all().await;
    let tried = all.len();
    println!("{tried} recordings");
    assert!(tried > 800, "{tried}");
    let failures: Vec<_> = all.into_iter().filter_map(Result::err).collect();
    let failed = failures.len();
    assert!(
        failures.is_empty(),
        "{failed} of {tried}:\n{}",
        failures.join("\n")
    );
}

async fn record_and_replay(
    (service, fault): Case,
    known: &TestPicture,
    path: &Path,
    lines: Arc<Lines>,
) -> Result<(), String> {
    let recorder = Recorder::create(path).unwrap();
    let happens = fault.as_ref().map(|(fault, at)| (fault, *at));
    let mut stage = Stage::start(&service, happens, Callbacks::Never)
        .await
        .unwrap();
    stage.recorder = Some(recorder.clone());
    let is_silent = fault.as_ref().is_some_and(|(fault, _)| is_silent(fault));
    let patience = is_silent.then_some(LONG_ENOUGH);
    let solver = stage.solver(KEY, patience).unwrap();
    let _ = solver.solve(&known.challenge()).await;
    if fault.is_none() && service.definition().balance.is_some() {
        let _ = solver.balance().await;
    }
    stage.emulator.shutdown().await;

    let path = path.to_owned();
    let played = tokio::task::spawn_blocking(move || {
        if let Some(problem) = recorder.finish().problem {
            return Err(problem);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        // The other secrets begin with their names, which are no secrets.
        for secret in [KEY, OTHER_SECRET] {
            if let Some(how) = SecretScanner::new(secret).find(&text) {
                return Err(format!("a secret, {how}, in {text}"));
            }
        }
        lines.check(&text)?;
        let recording = Recording::read(&path).unwrap();
        let mut paused = tokio::runtime::Builder::new_current_thread();
        let paused = paused.enable_time().start_paused(true).build().unwrap();
        let report = paused.block_on(replay(&service, &recording))?;
        std::fs::remove_file(path).unwrap();
        if report.passed() {
            return Ok(());
        }
        Err(format!("{report}\n{text}"))
    });
    played.await.unwrap()
}
