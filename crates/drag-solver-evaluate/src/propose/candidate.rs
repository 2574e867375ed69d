//! The chains that are weighed.

use std::time::Duration;

use serde::Serialize;

use crate::figures::quantile;
use crate::propose::sample::Samples;

/// How often a provider is asked at most, in the candidates: once, or as often as a retry does unless set.
const ATTEMPTS: [u32; 2] = [1, 3];

/// After which quantiles of the first one's answers a hedge asks the second.
const DELAYS: [f64; 5] = [0.5, 0.75, 0.9, 0.95, 0.99];

/// How many providers a fallback has at most: each further one is asked only where all before it failed.
const LONGEST: usize = 3;

/// A chain that could be built of the measured solvers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Who is asked, in this order, counted from 0.
    pub members: Vec<usize>,
    /// If set, the second is asked after this time although the first is still at work. In JSON in milliseconds.
    #[serde(rename = "hedge_delay_ms", serialize_with = "crate::call::millis")]
    pub hedge_delay: Option<Duration>,
    /// How often each of them is asked at most.
    pub attempts: u32,
}

impl Candidate {
    /// The chain in words: `a → b`, or `a, after 8s b as well`.
    #[must_use]
    pub fn in_words(&self, names: &[String]) -> String {
        let name = |member: &usize| names.get(*member).map_or("?", String::as_str);
        let members: Vec<&str> = self.members.iter().map(name).collect();
        let who = match (&members[..], self.hedge_delay) {
            ([first, second], Some(delay)) => format!("{first}, after {delay:?} {second} as well"),
            _ => members.join(", then "),
        };
        match self.attempts {
            1 => who,
            attempts => format!("{who}; each asked up to {attempts} times"),
        }
    }

    /// What a reader has to understand: of chains that cost the same, the smallest is taken.
    pub(super) fn size(&self) -> (usize, bool, u32) {
        (
            self.members.len(),
            self.hedge_delay.is_some(),
            self.attempts,
        )
    }
}

/// Every chain of the solvers that can be `members`: each alone, every order of up to three, and every two with the
/// second asked after a quantile of the first one's latency; each with and without a retry.
pub(super) fn candidates(samples: &[Samples], members: &[usize]) -> Vec<Candidate> {
    let mut shapes: Vec<(Vec<usize>, Option<Duration>)> = Vec::new();
    let mut orders: Vec<Vec<usize>> = members.iter().map(|&one| vec![one]).collect();
    for _ in 0..LONGEST {
        shapes.extend(orders.iter().map(|order| (order.clone(), None)));
        let longer = |order: &Vec<usize>| {
            let rest = members.iter().filter(|one| !order.contains(one));
            let extended = rest.map(|&next| [&order[..], &[next]].concat());
            extended.collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    let pairs: Vec<Vec<usize>> = shapes
        .iter()
        .filter(|(order, _)| order.len() == 2)
        .map(|(order, _)| order.clone())
        .collect();
    for pair in pairs {
        for delay in delays(&samples[pair[0]]) {
            shapes.push((pair.clone(), Some(delay)));
        }
    }
    let with_attempts = |(members, hedge_delay): (Vec<usize>, Option<Duration>)| {
        ATTEMPTS.map(|attempts| Candidate {
            members: members.clone(),
            hedge_delay,
            attempts,
        })
    };
    shapes.into_iter().flat_map(with_attempts).collect()
}

/// How long a hedge waits for this one, in tenths of seconds: more digits would be noise.
fn delays(samples: &Samples) -> Vec<Duration> {
    let answers = samples.seconds_of_answers();
    let mut delays = Vec::new();
    for q in DELAYS {
        let Some(delay) = quantile(&answers, q) else {
            continue;
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let tenths = (delay.value * 10.0).ceil() as u64;
        let delay = Duration::from_millis(tenths.saturating_mul(100));
        if !delays.contains(&delay) {
            delays.push(delay);
        }
    }
    delays
}
