//! Where a metric is recorded.
//!
//! Its recorder is asked each time, because one that was installed since, or that is a thread's own, would
//! otherwise hear nothing. What it is asked with, the metric's name and labels, is made once and kept: a
//! call allocates nothing for what it counts. That is as many keys as a recorder keeps itself.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ::metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, with_recorder};

use super::{LABEL, Labels, Metric};

static METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// By the hash of a metric's name and the values of its labels, those that have it.
type Keys = HashMap<u64, Vec<Arc<Key>>>;

static KEYS: LazyLock<Mutex<Keys>> = LazyLock::new(Mutex::default);

pub(super) fn counter(metric: &Metric, labels: Labels<'_>) -> Counter {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_counter(&key, &METADATA))
}

pub(super) fn gauge(metric: &Metric, labels: Labels<'_>) -> Gauge {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_gauge(&key, &METADATA))
}

pub(super) fn histogram(metric: &Metric, labels: Labels<'_>) -> Histogram {
    let key = key(metric, labels);
    with_recorder(|recorder| recorder.register_histogram(&key, &METADATA))
}

fn key(metric: &Metric, labels: Labels<'_>) -> Arc<Key> {
    let names = labels.iter().map(|(name, _)| name);
    debug_assert!(names.filter(|name| **name != LABEL).eq(metric.labels));
    let mut hasher = DefaultHasher::new();
    (metric.name, labels).hash(&mut hasher);
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    let keys = keys.entry(hasher.finish()).or_default();
    if let Some(key) = keys.iter().find(|key| is_of(key, metric, labels)) {
        return Arc::clone(key);
    }
    let owned = labels.iter();
    let owned = owned.map(|&(name, value)| Label::new(name, value.to_owned()));
    let key = Arc::new(Key::from_parts(metric.name, owned.collect::<Vec<_>>()));
    keys.push(Arc::clone(&key));
    key
}

fn is_of(key: &Key, metric: &Metric, labels: Labels<'_>) -> bool {
    let own = key.labels().map(|label| (label.key(), label.value()));
    key.name() == metric.name && own.eq(labels.iter().copied())
}
