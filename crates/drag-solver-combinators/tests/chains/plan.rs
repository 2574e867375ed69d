//! A random chain, what its providers do, and who calls it: as plain data, so that it can be printed
//! and made smaller.

use std::time::Duration;

use drag_solver_core::ErrorKind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::{option, sample};

/// All durations are counted in these, so that many things happen at the same instant.
pub(crate) fn ticks(count: u64) -> Duration {
    Duration::from_millis(100) * u32::try_from(count).unwrap()
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) chain: Node,
    pub(crate) callers: Vec<Caller>,
    /// How many more answers the budget is good for than one call of a provider needs.
    pub(crate) spare_answers: u32,
    /// Counts the budget per period, and not in all.
    pub(crate) period: Option<u64>,
    /// A second budget around the whole chain.
    pub(crate) outer_budget: bool,
    /// Whether answers say what they cost.
    pub(crate) costs_known: bool,
    /// A deadline around the whole chain. Only then may providers ignore theirs.
    pub(crate) deadline: Option<u64>,
    pub(crate) report_takes: u64,
    pub(crate) seed: u64,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Provider {
        acts: Vec<Act>,
        layers: Vec<Layer>,
        /// Before which of the layers the budget is put.
        budget: usize,
    },
    /// Whether it is ordered by recent success.
    Fallback(Vec<Node>, bool),
    /// The delay, and whether it is a quantile of the latencies once there are some.
    Hedge(Vec<Node>, u64, bool),
    Quorum(Vec<Node>, bool),
    Wrapped(Box<Node>, Layer),
}

/// What a provider does when it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act {
    pub(crate) accepts_after: u64,
    pub(crate) takes: u64,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Answer,
    /// A good answer that disagrees with the others.
    OtherAnswer,
    OffThePicture,
    Unsolvable,
    /// A bill for an answer without coordinates.
    Garbage,
    /// Fails while the job continues.
    LosesTheJob,
    /// Refuses to sell.
    Refused(ErrorKind, Option<u64>),
    /// The request to buy never reached it.
    NotSent,
    /// The answer to the request to buy was lost.
    Lost,
    Hangs,
    IgnoresDeadline,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Layer {
    Validate {
        report: bool,
    },
    Timeout(u64),
    Breaker {
        min_samples: u32,
        open_for: u64,
        slow: u64,
        probes: u32,
    },
    Concurrency {
        max_in_flight: u32,
        max_waiting: u32,
        max_wait: u64,
    },
    Rate {
        interval: u64,
        burst: u32,
        max_wait: u64,
    },
    Retry {
        attempts: u32,
        backoff: u64,
        max_retry_after: u64,
        resume: bool,
        unknown: bool,
        budget: Option<u32>,
    },
    Priced,
    Instrument,
    Inspect,
}

#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) starts: u64,
    pub(crate) calls: Vec<Call>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) deadline: Option<u64>,
    pub(crate) cut: Cut,
    /// Whether it continues with the jobs that the caller's last call left unfinished.
    pub(crate) resumes: bool,
}

/// When a caller drops the call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    Never,
    At(u64),
    /// At the first point at which it has nothing to do, the second, ..
    AfterPolls(u32),
}

fn ends() -> impl Strategy<Value = End> {
    let kinds = sample::select(vec![
        ErrorKind::Unavailable,
        ErrorKind::RateLimited,
        ErrorKind::Unauthorized,
        ErrorKind::Protocol,
        ErrorKind::Unsupported,
        ErrorKind::InvalidChallenge,
    ]);
    prop_oneof![
        5 => Just(End::Answer),
        1 => Just(End::OtherAnswer),
        2 => Just(End::OffThePicture),
        1 => Just(End::Unsolvable),
        1 => Just(End::Garbage),
        1 => Just(End::LosesTheJob),
        3 => (kinds, option::of(0..12_u64)).prop_map(|(kind, wait)| End::Refused(kind, wait)),
        1 => Just(End::NotSent),
        1 => Just(End::Lost),
        2 => Just(End::Hangs),
        1 => Just(End::IgnoresDeadline),
    ]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (prop_oneof![3 => Just(0), 1 => 0..4_u64], 0..20_u64, ends());
    vec(
        act.prop_map(|(accepts_after, takes, end)| Act {
            accepts_after,
            takes,
            end,
        }),
        1..6,
    )
}

fn layers() -> impl Strategy<Value = Layer> {
    let retry = (
        1..4_u32,
        0..6_u64,
        0..16_u64,
        any::<bool>(),
        any::<bool>(),
        option::of(1..4_u32),
    );
    prop_oneof![
        2 => any::<bool>().prop_map(|report| Layer::Validate { report }),
        1 => (1..25_u64).prop_map(Layer::Timeout),
        2 => (1..3_u32, 1..20_u64, 1..40_u64, 1..3_u32).prop_map(
            |(min_samples, open_for, slow, probes)| Layer::Breaker { min_samples, open_for, slow, probes }
        ),
        2 => (1..3_u32, 0..3_u32, 1..30_u64).prop_map(
            |(max_in_flight, max_waiting, max_wait)| Layer::Concurrency {
                max_in_flight, max_waiting, max_wait
            }
        ),
        2 => (1..20_u64, 1..3_u32, 0..40_u64).prop_map(
            |(interval, burst, max_wait)| Layer::Rate { interval, burst, max_wait }
        ),
        2 => retry.prop_map(
            |(attempts, backoff, max_retry_after, resume, unknown, budget)| Layer::Retry {
                attempts, backoff, max_retry_after, resume, unknown, budget
            }
        ),
        1 => sample::select(vec![Layer::Priced, Layer::Instrument, Layer::Inspect]),
    ]
}

fn nodes() -> impl Strategy<Value = Node> {
    let provider =
        (acts(), vec(layers(), 0..5), any::<usize>()).prop_map(|(acts, layers, budget)| {
            Node::Provider {
                acts,
                budget: budget % (layers.len() + 1),
                layers,
            }
        });
    provider.prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            2 => (vec(inner.clone(), 1..4), any::<bool>()).prop_map(|(n, o)| Node::Fallback(n, o)),
            2 => (vec(inner.clone(), 2..4), 0..15_u64, any::<bool>())
                .prop_map(|(n, delay, quantile)| Node::Hedge(n, delay, quantile)),
            2 => (vec(inner.clone(), 2..4), any::<bool>()).prop_map(|(n, all)| Node::Quorum(n, all)),
            3 => (inner, layers()).prop_map(|(node, layer)| Node::Wrapped(Box::new(node), layer)),
        ]
    })
}

fn callers() -> impl Strategy<Value = Vec<Caller>> {
    let cut = prop_oneof![
        3 => Just(Cut::Never),
        1 => (0..40_u64).prop_map(Cut::At),
        1 => (0..12_u32).prop_map(Cut::AfterPolls),
    ];
    let call =
        (option::of(0..60_u64), cut, any::<bool>()).prop_map(|(deadline, cut, resumes)| Call {
            deadline,
            cut,
            resumes,
        });
    let caller = (0..10_u64, vec(call, 1..4)).prop_map(|(starts, calls)| Caller { starts, calls });
    vec(caller, 1..5)
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    (
        nodes(),
        callers(),
        0..8_u32,
        option::weighted(0.3, 1..60_u64),
        any::<bool>(),
        any::<bool>(),
        option::of(1..80_u64),
        0..12_u64,
        any::<u64>(),
    )
        .prop_map(
            |(
                chain,
                callers,
                spare_answers,
                period,
                outer_budget,
                costs_known,
                deadline,
                report_takes,
                seed,
            )| Plan {
                chain,
                callers,
                spare_answers,
                period,
                outer_budget,
                costs_known,
                deadline,
                report_takes,
                seed,
            },
        )
}
