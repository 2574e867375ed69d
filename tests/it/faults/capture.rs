//! Everything that anybody logs, at the level of most talk, searched for the token as it comes.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, LazyLock, Mutex};

use drag_solver::testing::emulator::SecretScanner;
use tracing::field::{Field, Visit};
use tracing::span;

use super::account::TOKEN;

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    by_target: BTreeMap<String, usize>,
    leaks: Vec<String>,
}

/// What is looked for everywhere.
pub(super) static SEARCH: LazyLock<SecretScanner> = LazyLock::new(|| SecretScanner::new(TOKEN));

static SEEN: LazyLock<Seen> = LazyLock::new(Seen::default);

/// Captures what is logged from now on, through `tracing` and through `log`.
pub(super) fn start() -> Seen {
    tracing::subscriber::set_global_default(Capture).unwrap();
    log::set_logger(&Capture).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    SEEN.clone()
}

impl Seen {
    fn look_at(&self, target: &str, text: &str) {
        let leak = SEARCH.find(text);
        let mut state = self.0.lock().unwrap();
        let root = target.split("::").next().unwrap_or_default();
        *state.by_target.entry(root.to_owned()).or_default() += 1;
        if let Some(how) = leak {
            state.leaks.push(format!("{target}, {how}: {text}"));
        }
    }

    pub(super) fn by_target(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap().by_target.clone()
    }

    /// How many lines came from crates whose name begins like this.
    pub(super) fn count_of(&self, target: &str) -> usize {
        let by_target = self.by_target();
        let ours = by_target
            .iter()
            .filter(|(name, _)| name.starts_with(target));
        ours.map(|(_, count)| count).sum()
    }

    pub(super) fn leaks(&self) -> Vec<String> {
        self.0.lock().unwrap().leaks.clone()
    }
}

struct Capture;

/// Fields as text, both as `Display` and as `Debug` writes them.
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?} {value:#?}");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, " {field}={value}");
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let _ = write!(self.0, " {field}={value} {value:?}");
    }
}

impl tracing::Subscriber for Capture {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut text = Text(span.metadata().name().to_owned());
        span.record(&mut text);
        SEEN.look_at(span.metadata().target(), &text.0);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        SEEN.look_at("span", &text.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        SEEN.look_at(event.metadata().target(), &text.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        SEEN.look_at(record.target(), &record.args().to_string());
    }

    fn flush(&self) {}
}
