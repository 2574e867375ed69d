//! A recorder for tests, which writes down everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use ::metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Label, Metadata,
    Recorder, SharedString, Unit,
};

use super::super::Kind;

#[derive(Clone, Default)]
pub(crate) struct Book(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    /// What came for each name and values of its labels.
    lines: BTreeMap<String, Vec<f64>>,
    /// Each metric with its labels.
    seen: BTreeSet<(String, &'static str, Vec<String>)>,
    described: BTreeMap<String, (&'static str, Option<Unit>)>,
}

struct Line(Book, String);

impl Line {
    fn add(&self, value: f64) {
        let mut pages = self.0.0.lock().unwrap();
        pages.lines.entry(self.1.clone()).or_default().push(value);
    }
}

#[allow(clippy::cast_precision_loss)]
impl CounterFn for Line {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {
        unreachable!()
    }
}

impl GaugeFn for Line {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.add(value);
    }
}

impl HistogramFn for Line {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

impl Book {
    fn line(&self, of: Kind, key: &Key) -> Arc<Line> {
        let labels = key.labels().map(|label| label.key().to_owned()).collect();
        let metric = (key.name().to_owned(), kind(of), labels);
        self.0.lock().unwrap().seen.insert(metric);
        let labels: Vec<_> = key.labels().map(Label::value).collect();
        let line = format!("{} {}", key.name(), labels.join(" "));
        Arc::new(Line(self.clone(), line))
    }

    /// Name, values of the labels, and what came, in order.
    pub(crate) fn lines(&self) -> Vec<(String, Vec<f64>)> {
        self.0.lock().unwrap().lines.clone().into_iter().collect()
    }

    /// What came for this name and these values of its labels.
    pub(crate) fn of(&self, line: &str) -> Vec<f64> {
        let pages = self.0.lock().unwrap();
        pages.lines.get(line).cloned().unwrap_or_default()
    }

    /// The sum of what came.
    pub(crate) fn total(&self, line: &str) -> f64 {
        self.of(line).iter().sum()
    }

    pub(crate) fn seen(&self) -> BTreeSet<(String, &'static str, Vec<String>)> {
        self.0.lock().unwrap().seen.clone()
    }

    pub(crate) fn described(&self) -> BTreeMap<String, (&'static str, Option<Unit>)> {
        self.0.lock().unwrap().described.clone()
    }

    fn describe(&self, of: Kind, key: &KeyName, unit: Option<Unit>, text: &SharedString) {
        assert!(text.ends_with('.'), "{text}");
        let mut pages = self.0.lock().unwrap();
        pages
            .described
            .insert(key.as_str().to_owned(), (kind(of), unit));
    }
}

impl Recorder for Book {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(Kind::Counter, &key, unit, &text);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(Kind::Gauge, &key, unit, &text);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(Kind::Histogram, &key, unit, &text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.line(Kind::Counter, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.line(Kind::Gauge, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.line(Kind::Histogram, key))
    }
}
