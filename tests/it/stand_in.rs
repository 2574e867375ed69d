//! A provider of a protocol that nobody here knows, against a stand-in for its service.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver::http::secrecy::SecretString;
use drag_solver::http::{
    Answer, AnswerApi, ApiRequest, ApiResponse, HttpOptions, HttpSolver, OneCall, Picture,
    ResponseError, json, points,
};
use drag_solver::prelude::*;
use drag_solver::testing::contract::{SolverUnderTest, run};
use drag_solver::testing::emulator::{
    Emulator, Fault, Operation, Request, Response, SecretScanner, StandIn, stand_in,
};
use drag_solver::testing::fixtures;
use drag_solver::testing::pictures::AnswerKey;
use serde_json::json;
use tokio::task::JoinSet;

use super::support::picture;

/// Full of characters that JSON, URLs and HTML write in another way.
const TOKEN: &str = r#"q9Zv7"\/+=%&<'k3y8s"#;

/// For what never comes. Much longer than what does come takes, on any machine.
const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// One request: parts with the picture as a file, the token in the query; two points come back.
#[derive(Debug)]
struct Api(SecretString);

impl AnswerApi for Api {
    fn name(&self) -> &'static str {
        "parts"
    }

    fn base_url(&self) -> &'static str {
        "https://parts.example"
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.0]
    }

    fn request(&self, challenge: &DragChallenge) -> Result<ApiRequest, SolveError> {
        let parts = json!({"image": Picture, "hint": challenge.instruction().unwrap_or_default()});
        let request = ApiRequest::multipart("solve", &parts, challenge.screenshot())?;
        Ok(request.secret_query("key", &self.0))
    }

    fn parse(&self, response: &ApiResponse) -> Result<Answer, ResponseError> {
        let members = response.object()?;
        if let Some(error) = json::text(members.get("error")) {
            let refusal = |kind| SolveError::new(kind, error.as_str());
            return Err(match error.as_str() {
                "unsolvable" => refusal(ErrorKind::Unsolvable).into(),
                "bad key" => refusal(ErrorKind::Unauthorized).into(),
                _ => ResponseError::Unknown(refusal(ErrorKind::Protocol)),
            });
        }
        let found = members.get("points");
        let found = found.ok_or_else(|| response.missing_field("points"))?;
        Ok(Answer::parsed(points::drag(Some(found))))
    }
}

/// The service, and how many answers it gave.
#[derive(Debug, Default)]
struct Service {
    answered: AtomicUsize,
}

impl Service {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        if request.query().get("key") != Some(TOKEN) {
            return Response::json(401, &json!({"error": "bad key"}));
        }
        let parts = request.multipart();
        let part = |name| parts.iter().find(|part| part.name == name);
        if part("hint").is_some_and(|hint| hint.text() == "take forever") {
            return pending().await;
        }
        let picture = part("image").filter(|image| image.file_name.is_some());
        let picture = picture.map(|image| Screenshot::from_bytes(image.bytes.clone()));
        let Some(Ok(screenshot)) = picture else {
            return Response::text(400, "no picture");
        };
        match AnswerKey.solve(&DragChallenge::new(screenshot)).await {
            Ok(solution) => {
                self.answered.fetch_add(1, Ordering::SeqCst);
                let Drag { start, end, .. } = *solution.drag();
                json!({"points": [[start.x, start.y], [end.x, end.y]]}).into()
            }
            Err(_) => Response::json(422, &json!({"error": "unsolvable"})),
        }
    }
}

async fn start(fault: Option<Fault>) -> (Arc<Service>, Emulator<StandIn>) {
    let service = Arc::new(Service::default());
    let served = Arc::clone(&service);
    let mut builder = stand_in(move |request| Arc::clone(&served).answer(request))
        .token(TOKEN)
        .operation(Operation::Create, "POST /v1/solve");
    if let Some(fault) = fault {
        builder = builder.fault(Operation::Create, fault, 1);
    }
    (service, builder.start().await.unwrap())
}

fn solver(
    service: &Emulator<StandIn>,
    token: &str,
    options: HttpOptions,
) -> HttpSolver<OneCall<Api>> {
    let options = options.base_url(format!("{}/v1", service.url()));
    HttpSolver::new(OneCall(Api(token.to_owned().into())), options).unwrap()
}

#[tokio::test]
async fn a_service_without_jobs_keeps_the_contract() {
    let (_, service) = start(None).await;
    let open = |token| solver(&service, token, HttpOptions::default());
    let (solver, stranger) = (open(TOKEN), open("another"));
    let picture = picture(7);
    let subject = SolverUnderTest::new(&solver, picture.challenge())
        .expecting(picture.drag(), 0.0)
        .failing_with(ErrorKind::Unsolvable, fixtures::challenge())
        .with_unrelated_failure(ErrorKind::Unauthorized, &stranger, picture.challenge())
        .never_answering(picture.challenge().with_instruction("take forever"))
        .reporting([])
        .answering_in_one_call()
        .with_secret(TOKEN);
    let report = run(&subject).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.skipped().count(), 0, "{report}");
    service.shutdown().await;
}

#[tokio::test]
async fn a_service_of_any_protocol_gets_every_fault() {
    let all = Fault::all().into_iter();
    let (silent, others): (Vec<_>, Vec<_>) =
        all.filter(Fault::applies_to_stand_in).partition(is_silent);
    assert_eq!((silent.len(), others.len()), (3, 85));
    for fault in others {
        try_fault(fault).await;
    }
    // At once, when nothing else keeps the processor from them.
    let mut tries = JoinSet::new();
    for fault in silent {
        tries.spawn(try_fault(fault));
    }
    tries.join_all().await;
}

/// Whether it ends only when the client stops waiting.
fn is_silent(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Hang | Fault::Stall | Fault::EndlessInformational
    )
}

/// What the client says of money is true, it does not ask twice, and nothing shows the token.
async fn try_fault(fault: Fault) {
    let (service, emulator) = start(Some(fault.clone())).await;
    let mut options = HttpOptions::default();
    if is_silent(&fault) {
        options = options.request_timeout(LONG_ENOUGH);
    }
    let solver = solver(&emulator, TOKEN, options);
    let picture = picture(7);
    let outcome = solver.solve(&picture.challenge()).await;
    let paid = service.answered.load(Ordering::SeqCst);
    let shown = match &outcome {
        Ok(solution) => {
            assert_eq!((*solution.drag(), paid), (picture.drag(), 1), "{fault}");
            format!("{solution:?}")
        }
        Err(error) => {
            let is_true = match error.billed() {
                Billed::No => paid == 0,
                Billed::Maybe => true,
                Billed::Yes => paid == 1,
            };
            assert!(is_true, "{fault}: {paid} were paid: {error}");
            format!(
                "{error} {error:?} {}",
                serde_json::to_string(error).unwrap()
            )
        }
    };
    assert_eq!(emulator.traffic().faults, 1, "{fault}");
    assert!(emulator.requests_to("/v1/solve") <= 1, "{fault}");
    assert_eq!(emulator.traffic().redirects_followed, 0, "{fault}");
    let found = SecretScanner::new(TOKEN).find(&shown);
    assert_eq!(found, None, "{fault}: {shown}");
    assert!(!fault.is_tolerable() || paid == 1, "{fault}");
}
