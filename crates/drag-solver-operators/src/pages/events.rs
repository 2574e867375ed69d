//! What an operator's page is told, as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::caller::{Operator, Problem};
use super::{Pages, private};
use crate::desk::{Card, Seated, View};

/// How long one stream lasts, before the page is told to ask for another: servers limit how long an answer may take, and
/// a page that is gone without a word is noticed.
const LASTS: Duration = Duration::from_secs(45);

/// A line now and then, so that nothing on the way takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Signs of life that fit into a lease.
const SIGNS: u32 = 3;

pub(super) async fn events(
    State(pages): State<Pages>,
    operator: Operator,
) -> Result<Response, Problem> {
    let seated = pages.desk.sit(&operator.name, operator.former_seat());
    let seated = seated.ok_or(Problem::Full)?;
    let policy = pages.desk.policy();
    let hello = event(
        "hello",
        &json!({
            "session": seated.seat.to_string(),
            "operator": operator.name,
            "undo_ms": policy.undo.as_millis(),
            "alive_ms": (policy.lease / SIGNS).as_millis(),
            "practice": pages.practice.is_there(),
        }),
    );
    let told = Told {
        seated,
        view: View::default(),
        ends_at: Instant::now() + LASTS,
        is_first: true,
    };
    let rest = stream::unfold(Some(told), async |told| told?.next().await);
    let rest = rest.flat_map(stream::iter);
    let events = stream::once(async { hello })
        .chain(rest)
        .map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    private(response.headers_mut());
    Ok(response)
}

/// What the page was told last, so that it is told what has changed.
struct Told {
    seated: Seated,
    view: View,
    ends_at: Instant,
    is_first: bool,
}

impl Told {
    async fn next(mut self) -> Option<(Vec<Event>, Option<Self>)> {
        if !std::mem::take(&mut self.is_first) {
            tokio::select! {
                changed = self.seated.view.changed() => changed.ok()?,
                () = sleep_until(self.ends_at) => return Some((vec![event("reconnect", &json!({}))], None)),
            }
        }
        if !self.seated.counts() {
            return Some((vec![event("bye", &json!({}))], None));
        }
        let view = self.seated.view.borrow_and_update().clone();
        let events = changes(&self.view, &view);
        self.view = view;
        Some((events, Some(self)))
    }
}

/// The way from one view to another.
fn changes(old: &View, new: &View) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some((job, why)) = &new.gone
        && old.gone != new.gone
        && old.card.as_ref().is_some_and(|card| card.job == *job)
    {
        events.push(event("withdrawn", &json!({"id": job.as_str(), "why": why})));
    }
    if old.board != new.board || old == &View::default() {
        events.push(event("state", &json!(new.board)));
    }
    if let Some(card) = &new.card
        && old.card.as_ref() != Some(card)
    {
        events.push(event("challenge", &challenge(card)));
    }
    events
}

fn challenge(card: &Card) -> Value {
    let left = card
        .due
        .map(|due| due.saturating_duration_since(Instant::now()));
    json!({
        "id": card.job.as_str(),
        "width": card.width,
        "height": card.height,
        "media_type": card.media_type,
        "instruction": card.instruction,
        "region": card.region,
        "left_ms": left.map(|left| left.as_millis()),
        "again": card.again,
    })
}

fn event(name: &str, data: &Value) -> Event {
    Event::default().event(name).data(data.to_string())
}
