//! What is accepted, and how much of it.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::subject::{PICTURE, failure, name, opening, said, solution};
use super::{Checked, StoreUnderTest};
use crate::{Accepted, KeyLimits, KeyRate, Opening, Query};

/// A new challenge of this label.
fn of_label(label: &str) -> Opening {
    let mut opening = opening(&name("limited"));
    opening.label = Some(label.to_owned());
    opening
}

impl StoreUnderTest<'_> {
    async fn accept(&self, opening: &Opening, limits: &KeyLimits) -> Result<Accepted, String> {
        let picture = Bytes::from_static(PICTURE);
        let accepted = self.store.accept(opening, &picture, limits).await;
        accepted.map_err(said)
    }

    pub(super) async fn no_more_are_accepted_than_may_be_open(&self) -> Checked {
        let (label, other) = (name("label"), name("label"));
        let limits = KeyLimits {
            parallel: NonZeroU32::new(2),
            ..KeyLimits::default()
        };
        let openings: Vec<Opening> = (0..5).map(|_| of_label(&label)).collect();
        let all = openings.iter().map(|opening| self.accept(opening, &limits));
        let mut open = Vec::new();
        for (opening, accepted) in openings.iter().zip(join_all(all).await) {
            match accepted? {
                Accepted::New => open.push(opening),
                Accepted::TooMany => {}
                other => return Err(format!("it is new, or too many are open: {other:?}")),
            }
        }
        ensure_eq!(open.len(), 2, "accepted at once");
        let [first, second] = open[..] else {
            return Err("there are not two".to_owned());
        };
        let again = self.accept(first, &limits).await?;
        ensure!(
            matches!(again, Accepted::Known(_)),
            "it is known: {again:?}"
        );
        let other = self.accept(&of_label(&other), &limits).await?;
        ensure!(
            matches!(other, Accepted::New),
            "of another label: {other:?}"
        );
        let (claim, _) = self.claim_as(first).await?;
        let third = self.accept(&of_label(&label), &limits).await?;
        let is_refused = matches!(third, Accepted::TooMany);
        ensure!(is_refused, "one that a call has is open: {third:?}");
        self.finish(claim, Some(Ok(solution("a")))).await?;
        let third = self.accept(&of_label(&label), &limits).await?;
        ensure!(matches!(third, Accepted::New), "one has ended: {third:?}");
        let (claim, _) = self.claim_as(second).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        let again = self.accept(second, &limits).await?;
        ensure!(
            matches!(again, Accepted::New),
            "one that failed is open again: {again:?}"
        );
        let refused = self.accept(&of_label(&label), &limits).await?;
        let is_refused = matches!(refused, Accepted::TooMany);
        ensure!(is_refused, "that counts: {refused:?}");
        Ok(())
    }

    pub(super) async fn none_is_accepted_before_its_turn(&self) -> Checked {
        let label = name("label");
        let count = NonZeroU32::new(3).unwrap_or(NonZeroU32::MIN);
        let per = Duration::from_secs(30);
        let limits = KeyLimits {
            rate: Some(KeyRate { count, per }),
            ..KeyLimits::default()
        };
        let first = of_label(&label);
        for (wait, accepted) in [(0, 3), (9, 0), (1, 1), (20, 2), (600, 3)] {
            self.wait(wait);
            for turn in 0..=accepted {
                let opening = if wait == 0 && turn == 0 {
                    first.clone()
                } else {
                    of_label(&label)
                };
                let told = self.accept(&opening, &limits).await?;
                let is_right = match told {
                    Accepted::New => turn < accepted,
                    Accepted::TooFast => turn == accepted,
                    _ => false,
                };
                ensure!(
                    is_right,
                    "{wait} s later, {turn} were accepted, and then {told:?}"
                );
            }
        }
        let again = self.accept(&first, &limits).await?;
        ensure!(
            matches!(again, Accepted::Known(_)),
            "what is known takes no turn: {again:?}"
        );
        let other = self.accept(&of_label(&name("label")), &limits).await?;
        ensure!(
            matches!(other, Accepted::New),
            "of another label: {other:?}"
        );
        Ok(())
    }

    pub(super) async fn what_no_call_has_is_listed(&self) -> Checked {
        let label = name("label");
        let unheld = Query::default().label(&*label).unheld(true);
        let listed = async || -> Result<usize, String> {
            Ok(self.store.list(&unheld).await.map_err(said)?.len())
        };
        let opening = of_label(&label);
        self.accept(&opening, &KeyLimits::default()).await?;
        ensure_eq!(listed().await?, 1, "one that waits");
        let (claim, _) = self.claim_as(&opening).await?;
        ensure_eq!(listed().await?, 0, "one that a call has");
        self.finish(claim, None).await?;
        ensure_eq!(listed().await?, 1, "one that was given back");
        let (claim, _) = self.claim(&opening.id).await?;
        self.finish(claim, Some(Ok(solution("a")))).await?;
        ensure_eq!(listed().await?, 0, "one that is solved");
        Ok(())
    }
}
