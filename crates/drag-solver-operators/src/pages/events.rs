//! What an operator's page is told, as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::Method;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::caller::{Operator, Problem};
use super::{Pages, private};
use crate::desk::{Card, Gone, Seated, View};

/// How long one stream lasts, before the page is told to ask for another: servers limit how long an answer may take, and
/// a page that is gone without a word is noticed.
const LASTS: Duration = Duration::from_secs(45);

/// A line now and then, so that nothing on the way takes it for dead.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often it is asked whether the key still opens anything.
const KEY_AGAIN: Duration = Duration::from_secs(1);

/// Signs of life that fit into a lease.
const SIGNS: u32 = 3;

pub(super) async fn events(
    State(pages): State<Pages>,
    operator: Operator,
    method: Method,
) -> Result<Response, Problem> {
    if method == Method::HEAD {
        return Ok(().into_response()); // that takes no seat
    }
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
        pages,
        operator,
        seated,
        view: View::default(),
        ends_at: Instant::now() + LASTS,
        asks_at: Instant::now() + KEY_AGAIN,
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
    pages: Pages,
    operator: Operator,
    seated: Seated,
    view: View,
    ends_at: Instant,
    asks_at: Instant,
    is_first: bool,
}

impl Told {
    /// Whether the key still opens this; else its operator is not there any more.
    async fn may_stay(&self) -> bool {
        let (key, from) = (self.operator.key.clone(), self.operator.from);
        let name = self.pages.keys.operator(key, from).await;
        let may = name.as_deref() == Some(&*self.operator.name);
        if !may {
            let _ = self.pages.desk.leave(&self.operator.name, self.seated.seat);
        }
        may
    }

    async fn next(mut self) -> Option<(Vec<Event>, Option<Self>)> {
        if !std::mem::take(&mut self.is_first) {
            loop {
                tokio::select! {
                    changed = self.seated.view.changed() => {
                        changed.ok()?;
                        break;
                    }
                    () = sleep_until(self.ends_at) => {
                        return Some((vec![event("reconnect", &json!({}))], None));
                    }
                    () = sleep_until(self.asks_at) => {
                        self.asks_at = Instant::now() + KEY_AGAIN;
                        if !self.may_stay().await {
                            break;
                        }
                    }
                }
            }
        }
        if !self.seated.counts() {
            let is_over = self.seated.view.borrow().is_over;
            return Some((vec![event("bye", &json!({"over": is_over}))], None));
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
    if let Some(card) = &old.card
        && new.card.as_ref().is_none_or(|new| new.turn != card.turn)
        && new.done != card.turn
    {
        let why = new.gone.filter(|(turn, _)| *turn == card.turn);
        let why = why.map_or(Gone::GivenBack, |(_, why)| why);
        events.push(event(
            "withdrawn",
            &json!({"id": card.job.as_str(), "why": why}),
        ));
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
