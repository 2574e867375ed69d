//! What is on record of an earlier evaluation.

use std::fmt::Write as _;
use std::time::Duration;

use drag_solver_core::DragChallenge;
use drag_solver_store::{ChallengeRecord, Status, StoreHandle, picture_digest};

use crate::call::{Answered, about_us, told};

/// How much longer than it says a call may have been under way, on record, and still have been one: clocks differ.
const SLACK: Duration = Duration::from_secs(1);

/// The challenge under the name that it has on record when the solver called `name` is asked about it: the same picture,
/// region and instruction are the same question.
pub(crate) fn named(challenge: DragChallenge, name: &str) -> DragChallenge {
    let digest = picture_digest(challenge.screenshot());
    let mut id = format!("evaluate-{name}-");
    for byte in &digest[..16] {
        let _ = write!(id, "{byte:02x}"); // to a String it cannot fail
    }
    if let Some(region) = challenge.region() {
        let _ = write!(id, "-{region}");
    }
    if let Some(instruction) = challenge.instruction() {
        let _ = write!(id, "-{instruction}");
    }
    challenge.with_id(id)
}

/// What an earlier evaluation found out. A failure is a finding, too: to ask again until there is an answer would make
/// every solver look better than it is.
pub(crate) async fn recall(store: &StoreHandle, challenge: &DragChallenge) -> Option<Answered> {
    // A store that cannot be read says so when something is about to be bought.
    let record = store.find(challenge.id()?).await.ok().flatten()?;
    let answer = match &record.status {
        Status::Solved { solution } => Ok(solution.clone()),
        Status::Failed { error } if about_us(error).is_none() => Err(error.clone()),
        _ => return None,
    };
    let took = told(&answer).filter(|took| !was_interrupted(&record, *took));
    Some(Answered {
        answer,
        took,
        from_store: true,
    })
}

/// Whether more than the last call worked on it: it was begun long before that.
fn was_interrupted(record: &ChallengeRecord, took: Duration) -> bool {
    let Some(begun) = record.purchases.iter().map(|purchase| purchase.begun).min() else {
        return false;
    };
    let span = record.updated.duration_since(begun);
    Duration::try_from(span).is_ok_and(|span| span > took.saturating_add(SLACK))
}
