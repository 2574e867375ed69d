//! A service with a protocol of your own.

mod pattern;
#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use drag_solver_core::builder_setters;
use drag_solver_wire::Refusal;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::time::Instant;

use self::pattern::Pattern;
use crate::faults::Fault;
use crate::host::{Heard, Site};
use crate::{
    Emulator, EmulatorBuilder, Operation, ReceivedRequest, Request, Response, SecretScanner,
};

/// A stand-in for a service whose protocol this crate does not know: `handler` answers, from requests that
/// are parsed, and everything around it is that of an [`Emulator`], faults, too.
///
/// ```
/// use std::sync::Arc;
///
/// use drag_solver_core::{DragChallenge, DragSolver, Screenshot};
/// use drag_solver_emulator::{Fault, Operation, Request, Response, stand_in};
/// use drag_solver_mock::{MockSolver, fixtures};
/// use serde_json::json;
///
/// struct Service {
///     workers: MockSolver, // or `AnswerKey`, or any other `DragSolver`
/// }
///
/// impl Service {
///     async fn answer(self: Arc<Self>, request: Request) -> Response {
///         if request.query().get("key") != Some("hunter2") {
///             return Response::json(401, &json!({"error": "bad key"}));
///         }
///         let Ok(screenshot) = Screenshot::from_bytes(request.body().clone()) else {
///             return Response::text(400, "not a picture");
///         };
///         match self.workers.solve(&DragChallenge::new(screenshot)).await {
///             Ok(solution) => json!({"from": solution.drag().start, "to": solution.drag().end}).into(),
///             Err(error) => Response::text(500, error.to_string()).with_header("Retry-After", "1"),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let workers = MockSolver::new("workers").always(fixtures::drag());
/// let service = Arc::new(Service { workers });
/// let service = stand_in(move |request| Arc::clone(&service).answer(request))
///     .token("hunter2") // what a fault may repeat, and the log does not show
///     .operation(Operation::Create, "POST /solve") // what faults can happen to
///     .fault(Operation::Create, Fault::Truncate, 1)
///     .start()
///     .await?;
/// println!("the base URL of your provider is {}", service.url());
/// // ... solve with it: the first answer is cut off ...
/// assert_eq!(service.requests_to("/solve"), 0);
/// # service.shutdown().await;
/// # Ok(())
/// # }
/// ```
///
/// Calls that an answer is there are [`Callbacks::deliver`](crate::Callbacks::deliver).
///
/// A handler that panics answers with status 500. One that is still at it when its client leaves is
/// dropped at its next await. Requests are bounded: 32 KiB of headers, a body of 64 MiB.
pub fn stand_in<F, A>(handler: F) -> EmulatorBuilder<StandIn>
where
    F: Fn(Request) -> A + Send + Sync + 'static,
    A: Future<Output: Into<Response>> + Send + 'static,
{
    let handler: Handler = Box::new(move |request| {
        let answer = handler(request);
        Box::pin(async move { answer.await.into() })
    });
    EmulatorBuilder::of(StandIn {
        handler,
        operations: Vec::new(),
        token: None,
        error_body: Box::new(|message| json!({ "error": message })),
    })
}

type Handler = Box<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync>;

/// What an [`Emulator`] serves that [`stand_in`] made. `Debug` does not show the token.
pub struct StandIn {
    handler: Handler,
    /// In the order in which they are tried.
    operations: Vec<(Operation, Result<Pattern, String>)>,
    token: Option<(SecretString, SecretScanner)>,
    error_body: Box<dyn Fn(&str) -> Value + Send + Sync>,
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn")
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}

impl EmulatorBuilder<StandIn> {
    builder_setters! {
        /// Says which requests are `operation`, so that [faults](Self::fault) can happen to them: a method, a
        /// path in which `*` stands for any one segment, and what the query must have, as in `POST /jobs`,
        /// `GET /jobs/*` and `GET /res.php?action=get`. The first pattern that fits counts; requests that
        /// none fits are [`Operation::Unknown`].
        operation(operation: Operation, pattern: &str)
            |it| it.site.operations.push((operation, Pattern::parse(pattern)));

        /// The account's token: [`Fault::Echo`] repeats it, and the JSON of
        /// [received requests](ReceivedRequest::json) does not show it. To check it is the handler's part.
        token(token: impl Into<String>) |it| {
            let token = token.into();
            let scanner = SecretScanner::new(&token);
            it.site.token = (!token.is_empty()).then(|| (token.into(), scanner));
        };

        /// How the service says in JSON that something is wrong, for faults that have to; with the message in it.
        /// Unless set: `{"error": "Server is busy."}`.
        error_body(write: impl Fn(&str) -> Value + Send + Sync + 'static)
            |it| it.site.error_body = Box::new(write);
    }
}

impl Emulator<StandIn> {
    /// Its base URL, as in `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}

impl Fault {
    /// Whether a [stand-in](crate::stand_in) can do it: all but [`HugeIds`](Self::HugeIds) and
    /// [`IdsBeyondU64`](Self::IdsBeyondU64), for where the ids are only the built-in protocols say. Those
    /// that change the members of an answer leave one as it is that is no JSON object.
    #[must_use]
    pub fn applies_to_stand_in(&self) -> bool {
        !matches!(self, Self::HugeIds | Self::IdsBeyondU64)
    }
}

impl Site for StandIn {
    const ENDS_WITH_CLIENT: bool = true;

    type Call = Request;

    fn prepare(&mut self) -> Result<(), String> {
        let bad = |(_, pattern): &(_, Result<_, String>)| pattern.as_ref().err().cloned();
        self.operations.iter().find_map(bad).map_or(Ok(()), Err)
    }

    fn why_not(&self, operation: Operation, fault: &Fault) -> Option<String> {
        let mut named = self.operations.iter().map(|(named, _)| *named);
        if !matches!(operation, Operation::Connect | Operation::Unknown)
            && named.all(|named| named != operation)
        {
            return Some(format!(
                "no request is a `{operation}`: say which are, with `operation`"
            ));
        }
        if !fault.applies_to_stand_in() {
            let why = "changes job ids, and where they are only the built-in protocols say";
            return Some(format!("`{fault}` {why}"));
        }
        if matches!(fault, Fault::Echo(_)) && self.token.is_none() {
            return Some(format!(
                "`{fault}` repeats the token: say which it is, with `token`"
            ));
        }
        None
    }

    fn operation(&self, head: &Request) -> Option<Operation> {
        let mut operations = self.operations.iter();
        let found =
            operations.find(|(_, pattern)| pattern.as_ref().is_ok_and(|it| it.matches(head)));
        Some(found.map_or(Operation::Unknown, |(operation, _)| *operation))
    }

    fn read(&self, request: Request, received: Instant) -> Heard<Request> {
        let operation = self.operation(&request).unwrap_or(Operation::Unknown);
        let mut note = ReceivedRequest::new(operation, received, request.clone());
        let mut token = String::new();
        if let Some((it, scanner)) = &self.token {
            hide(&mut note.json, scanner);
            let body = String::from_utf8_lossy(request.body());
            let headers = request.headers().iter().map(|(_, value)| value.as_str());
            let mut texts = headers.chain([request.target(), &*body]);
            note.has_right_token = texts.any(|text| scanner.find(text).is_some());
            it.expose_secret().clone_into(&mut token);
        }
        let call = request;
        Heard { note, token, call }
    }

    async fn answer(self: Arc<Self>, call: Request, fault: Option<Fault>) -> Response {
        if fault.is_none_or(|fault| fault.executes_request()) {
            return (self.handler)(call).await;
        }
        self.refusal(&call, Refusal::BadToken)
    }

    fn refusal(&self, _: &Request, refusal: Refusal) -> Response {
        Response::json(200, &(self.error_body)(&refusal.to_string()))
    }

    async fn stop(&self) {}
}

/// Replaces every text in which the token is.
fn hide(json: &mut Value, scanner: &SecretScanner) {
    match json {
        Value::String(text) if scanner.find(text).is_some() => *json = "<token>".into(),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, scanner)),
        Value::Object(members) => members.values_mut().for_each(|item| hide(item, scanner)),
        _ => {}
    }
}
