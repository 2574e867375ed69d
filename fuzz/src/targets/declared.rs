//! A service that a file declares, and what it answers: both are taken at their word.
//!
//! Input: the definition as JSON; the answer behind a line `HTTP 303 LOCATION`, of which the status is
//! enough. The answer is given to each kind of request in turn, to the protocol itself and to the solver
//! that a user would have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use drag_solver::http::{
    Answer, ApiRequest, ApiResponse, Context, Created, Found, HttpOptions, HttpSolverBuilder,
    JobApi as _, JobState, Transport, TransportError,
};
use drag_solver::{
    ConfigError, Drag, DragChallenge, DragSolver as _, JobId, PaidJob, Point, Rect, Screenshot,
    Solution, Verdict, async_trait,
};
use drag_solver_declared::{Call, Declared, DeclaredApi, Definition};
use serde_json::{Value, json};

use super::answers::{
    Heard, LIMIT, POLL, SCREENSHOT, block_on, outcome_is_sound, refusal_is_sound,
};
use super::config;
use super::promises::{
    TOKEN, drag_is_sound, error_hides_the_token, error_is_sound, hides_the_token, is_printable,
};

/// A declaration is refused in one line, or makes requests that hold the token where it belongs and show
/// it nowhere; and whatever is answered to them is a sound outcome.
pub fn declared(data: &[u8]) {
    let (definition, response) = read(data);
    let Ok(definition) = serde_json::from_slice::<Definition>(definition) else {
        return;
    };
    // A token that the file itself shows is not looked for.
    if config::shows_the_token(&format!("{definition:?}")) {
        return;
    }
    let service = match Declared::new("fuzz", definition) {
        Ok(service) => service,
        Err(error) => return config::refusal_is_sound(&error),
    };
    hides_the_token(&format!("{service:?} {}", service.preview()));
    let api = match account(&service) {
        Ok(api) => api,
        Err(error) => return config::refusal_is_sound(&error),
    };
    hides_the_token(&format!("{api:?} {api:#?}"));
    asks(&service, &api);
    reads(&api, &response);
    solves(api, response);
}

/// The definition, and the answer.
fn read(data: &[u8]) -> (&[u8], ApiResponse) {
    const LINE: &[u8] = b"\nHTTP ";
    let Some(at) = data.windows(LINE.len()).position(|part| part == LINE) else {
        return (data, ApiResponse::new(200, ""));
    };
    let (definition, answer) = (&data[..at], &data[at + LINE.len()..]);
    let mut parts = answer.splitn(2, |byte| *byte == b'\n');
    let head = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let (status, location) = head.split_once(' ').unwrap_or((&head, ""));
    let response = ApiResponse::new(
        status.parse().unwrap_or(200),
        parts.next().unwrap_or_default().to_vec(),
    );
    let location = Some(location.trim().to_owned()).filter(|location| !location.is_empty());
    (definition, response.with_location(location))
}

/// An account whose key, and every other secret, is the token. What needs no setting is made without a
/// client, which takes far longer than all the rest.
fn account(service: &Declared) -> Result<DeclaredApi, ConfigError> {
    let definition = service.definition();
    let to_be_set = definition
        .settings
        .iter()
        .filter(|(_, value)| **value == "");
    let own: BTreeMap<String, Value> = to_be_set
        .map(|(name, _)| (name.clone(), json!([40, 90])))
        .collect();
    if own.is_empty() && definition.secrets.is_empty() {
        return service.api(TOKEN.to_owned().into());
    }
    let context = Context::with_variables(|name| (name != "FUZZ_BASE_URL").then(|| TOKEN.into()));
    let options = HttpOptions::default().poll(POLL).job_timeout(LIMIT);
    let solver = service.solver(options, own, &context)?;
    Ok(solver.api().clone())
}

fn challenge() -> DragChallenge {
    let screenshot = Screenshot::from_bytes(SCREENSHOT).expect("a picture");
    DragChallenge::new(screenshot)
        .with_instruction("Kéo \"mảnh\" & thả\n{key}\0")
        .with_region(Rect::new(10.5, 20.0, 300.0, 200.0))
        .expect("a region of the picture")
}

/// Its requests.
fn asks(service: &Declared, api: &DeclaredApi) {
    let definition = service.definition();
    match api.create(&challenge()) {
        Ok(request) => request_is_sound(&request, Some(&definition.create)),
        Err(error) => {
            error_is_sound(&error);
            error_hides_the_token(&error);
        }
    }
    for id in ["7", "a/b?c=d#é\"%"] {
        let Ok(job) = JobId::new(id) else { continue };
        if api.has_jobs() {
            request_is_sound(&api.poll(&job), definition.poll.as_ref());
        }
        let reports = &definition.report;
        for (verdict, declared) in [
            (Verdict::Correct, &reports.correct),
            (Verdict::Incorrect, &reports.incorrect),
        ] {
            let made = api.report(&job, verdict);
            assert_eq!(made.is_some(), declared.is_some());
            if let Some(request) = made {
                request_is_sound(&request, declared.as_ref());
            }
        }
    }
    let made = api.balance();
    assert_eq!(made.is_some(), definition.balance.is_some());
    if let Some(request) = made {
        request_is_sound(&request, definition.balance.as_ref());
    }
}

/// It is the one that is declared, and shows the token to the service alone.
fn request_is_sound(request: &ApiRequest, declared: Option<&Call>) {
    let path = declared.and_then(|call| call.path.as_deref());
    assert_eq!(Some(request.label()), path, "another request");
    is_printable(request.label());
    hides_the_token(&format!("{request:?}"));
    hides_the_token(request.path());
    for (name, value) in request.headers() {
        let holds_it = String::from_utf8_lossy(value.as_bytes()).contains(TOKEN);
        assert!(!holds_it || value.is_sensitive(), "the token in {name}");
    }
}

/// What the protocol makes of an answer.
fn reads(api: &DeclaredApi, response: &ApiResponse) {
    match api.parse_created(response) {
        Ok(Created::Answer { answer, .. }) => answer_is_sound(&answer),
        Ok(Created::Job(job)) => is_printable(job.as_str()),
        _ => {}
    }
    if let Ok(JobState::Solved(answer)) = api.parse_poll(response) {
        answer_is_sound(&answer);
    }
    let _ = (api.parse_report(response), api.parse_balance(response));
}

fn answer_is_sound(answer: &Answer) {
    match answer.found {
        Ok(Found::Drag(drag)) => drag_is_sound(&drag),
        Ok(Found::Distance { distance, .. }) => assert!(distance.is_finite(), "{answer:?}"),
        Ok(Found::End { x, y, .. }) => {
            assert!(x.is_finite() && y.is_none_or(f64::is_finite), "{answer:?}");
        }
        Ok(_) => panic!("{answer:?}"),
        Err(ref why) => assert!(!why.is_empty()),
    }
}

/// What a user gets.
fn solves(api: DeclaredApi, response: ApiResponse) {
    let transport = Says {
        response,
        purchases: Arc::default(),
    };
    let purchases = Arc::clone(&transport.purchases);
    let builder = HttpSolverBuilder::new(move |_| api).token(TOKEN);
    let builder = builder.poll(POLL).job_timeout(LIMIT).transport(transport);
    let solver = match builder.build() {
        Ok(solver) => solver,
        Err(error) => return config::refusal_is_sound(&error),
    };
    hides_the_token(&format!("{solver:?} {solver:#?}"));
    block_on(async {
        let heard = Arc::new(Heard::default());
        let observed = challenge().with_observer(Arc::clone(&heard) as _);
        let outcome = solver.solve(&observed).await;
        outcome_is_sound(&outcome, &heard);
        let bought = purchases.load(Ordering::SeqCst);
        assert!(bought <= 1, "an answer is bought once");

        let job = PaidJob::new(solver.name(), JobId::from(7));
        let resumed = solver.solve(&challenge().resume_job(job)).await;
        outcome_is_sound(&resumed, &Heard::default());
        let again = purchases.load(Ordering::SeqCst);
        assert_eq!(again, bought, "a resumed job is not bought again");

        let drag = Drag::new(Point::new(1.0, 2.0), Point::new(30.0, 4.0));
        let solution = Solution::new(drag, solver.name()).with_job(JobId::from(7));
        for verdict in [Verdict::Correct, Verdict::Incorrect] {
            refusal_is_sound(solver.report(&solution, verdict).await);
        }
        refusal_is_sound(solver.balance().await);
    });
}

/// Says the same to every request.
#[derive(Clone, Debug)]
struct Says {
    response: ApiResponse,
    purchases: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Says {
    async fn send(&self, request: ApiRequest, _: Duration) -> Result<ApiResponse, TransportError> {
        let is_purchase = request.is_purchase().into();
        self.purchases.fetch_add(is_purchase, Ordering::SeqCst);
        Ok(self.response.clone())
    }
}
