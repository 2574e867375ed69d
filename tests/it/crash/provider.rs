//! An emulated provider that knows what was bought for which picture, and what must be true after a crash.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use drag_solver::prelude::*;
use drag_solver::store::{PictureDigest, Status, StoredBudget, StoredBudgetPolicy, picture_digest};
use drag_solver::testing::emulator::{Emulator, EmulatorBuilder, Protocol};
use drag_solver::testing::fixtures;

use super::child::BUDGET;
use super::place::Address;
use crate::support::TOKEN;

pub(super) fn price() -> Usd {
    "0.0009".parse().unwrap()
}

/// The challenge of this seed: the same picture and the same id in each process. Each picture has a size of its own.
pub(super) fn challenge(seed: u64) -> DragChallenge {
    let width = 100 + u16::try_from(seed).unwrap();
    fixtures::challenge_sized(width, 300).with_id(id(seed))
}

/// The right answer: to the right edge.
fn answer(challenge: &DragChallenge) -> Drag {
    let right = f64::from(challenge.screenshot().width() - 1);
    Drag::new(Point::new(10.0, 20.0), Point::new(right, 20.0))
}

fn id(seed: u64) -> String {
    format!("challenge {seed}")
}

/// Workers that count how often they see each picture.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<Mutex<BTreeMap<PictureDigest, usize>>>);

#[async_trait]
impl DragSolver for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    async fn solve(&self, challenge: &DragChallenge) -> Result<Solution, SolveError> {
        let digest = picture_digest(challenge.screenshot());
        *self.0.lock().unwrap().entry(digest).or_default() += 1;
        Ok(Solution::new(answer(challenge), self.name()))
    }
}

pub(super) struct Provider {
    pub(super) emulator: Emulator,
    seen: Counting,
}

impl Provider {
    pub(super) async fn start(set_up: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let seen = Counting::default();
        let emulator = Emulator::builder().solver(seen.clone()).token(TOKEN);
        let emulator = emulator.balance("1000".parse().unwrap()).price(price());
        let emulator = set_up(emulator).start().await.unwrap();
        Self { emulator, seen }
    }

    pub(super) fn url(&self) -> String {
        self.emulator.url(Protocol::OmocaptchaV1)
    }

    /// How many answers were bought for the picture of this seed.
    fn bought(&self, seed: u64) -> usize {
        let digest = picture_digest(challenge(seed).screenshot());
        self.seen
            .0
            .lock()
            .unwrap()
            .get(&digest)
            .copied()
            .unwrap_or(0)
    }

    /// Holds the store against the provider's books, when the last process has ended by itself. Returns how many
    /// challenges nobody can know about.
    pub(super) async fn reconcile(&self, store: &Address, seeds: &[u64]) -> usize {
        let store = store.open();
        let (mut on_record, mut solved, mut unsure) = (0, 0, 0);
        for &seed in seeds {
            let record = store.find(&id(seed)).await.unwrap().unwrap();
            let bought = self.bought(seed);
            on_record += record.purchases.len();
            assert!(bought <= 1, "bought {bought} times: {record:?}");
            assert!(record.purchases.len() <= 1, "{record:?}");
            assert_eq!(
                record.open_jobs().count(),
                0,
                "a paid job was not fetched: {record:?}"
            );
            if let Status::Solved { solution } = &record.status {
                assert_eq!(bought, 1, "{record:?}");
                assert_eq!(*solution.drag(), answer(&challenge(seed)));
                solved += 1;
            } else {
                assert_eq!(record.unconfirmed().count(), 1, "{record:?}");
                assert!(record.picture.is_none(), "no job needs it: {seed}");
                unsure += 1;
            }
        }
        assert_eq!(solved + unsure, seeds.len());
        // Of each that is solved, and of each that may be bought, the money is spent; of one whose process was killed
        // between its two lines on record, it may be free.
        let budget = StoredBudget::new(&store, BUDGET, StoredBudgetPolicy::default());
        let state = budget.state(None).await.unwrap();
        let spent = |count: usize| price() * u32::try_from(count).unwrap();
        assert!(
            spent(solved) <= state.spent && state.spent <= spent(on_record),
            "{state:?}"
        );
        assert!(
            self.emulator.stats().spent <= state.spent,
            "bought more than the budget knows"
        );
        assert_eq!(state.reserved, Usd::ZERO);
        unsure
    }
}
