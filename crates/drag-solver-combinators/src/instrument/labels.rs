//! Which labels of challenges the metrics tell apart.

#![cfg_attr(not(feature = "metrics"), allow(dead_code))]

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::sync::{Mutex, lock};

/// What stands for all labels beyond the most.
const OTHER: &str = "other";

/// The labels of challenges that metrics tell apart: the first ones that came. Clones are the same ones.
///
/// Give the same to each [`Instrument`](crate::Instrument) of a program ([`with_labels`](crate::Instrument::with_labels)),
/// and all of them together have no more than [`max_labels`](crate::InstrumentPolicy::max_labels), and the same.
#[derive(Clone, Default)]
pub struct MetricLabels(Arc<Mutex<BTreeSet<Arc<str>>>>);

impl MetricLabels {
    /// The label that metrics have for this one. One that is known stays known, also if `most` is less by now.
    pub(super) fn of<'a>(&self, label: Option<&'a str>, most: NonZeroU32) -> &'a str {
        let Some(label) = label.filter(|label| !label.is_empty()) else {
            return "";
        };
        let mut known = lock(&self.0);
        if known.contains(label) {
            return label;
        }
        if known.len() < most.get() as usize {
            known.insert(label.into());
            return label;
        }
        OTHER
    }
}

impl fmt::Debug for MetricLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricLabels")
    }
}
