//! Who has a challenge, and what became of it.

use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::{Billed, ErrorKind, JobId, Rect};

use super::subject::{PICTURE, bought, failure, name, opening, purchase, said, solution};
use super::{Checked, StoreUnderTest};
use crate::key::new_key;
use crate::{Accepted, Ended, Fact, KeyLimits, PurchaseState, Status, StoreErrorKind, TakenUp};

impl StoreUnderTest<'_> {
    pub(super) async fn a_challenge_is_taken_up_by_one_call(&self) -> Checked {
        let id = name("one call");
        ensure_eq!(
            self.store.find(&id).await.map_err(said)?.is_none(),
            true,
            "it is unknown"
        );
        let (claim, record) = self.claim(&id).await?;
        let is_open = matches!(record.status, Status::Open { held: true });
        ensure!(is_open, "it is not open and held: {record:?}");
        for _ in 0..2 {
            let again = self.store.take_up(&opening(&id)).await.map_err(said)?;
            ensure!(matches!(again, TakenUp::Held), "it is held, not {again:?}");
        }
        self.finish(claim, None).await?;
        let found = self.find(&id).await?;
        let is_free = matches!(found.status, Status::Open { held: false });
        ensure!(is_free, "it was given back: {found:?}");
        let (second, _) = self.claim(&id).await?;
        ensure!(second.key != claim.key, "each claim has a key of its own");
        ensure_eq!(
            second.challenge,
            claim.challenge,
            "the challenge is the same"
        );
        Ok(())
    }

    pub(super) async fn a_challenge_keeps_what_it_was_taken_up_with(&self) -> Checked {
        let mut opening = opening(&name("ünïcode 🧩"));
        let begun = self.store.now();
        opening.label = Some("tenant".to_owned());
        (opening.width, opening.height) = (590, 1280);
        opening.instruction = Some("drag 'it'; --".to_owned());
        opening.region = Some(Rect::new(0.5, 2.0, 300.25, 400.0));
        opening.deadline = begun.checked_add(Duration::from_millis(60_001)).ok();
        self.claim_as(&opening).await?;
        let record = self.find(&opening.id).await?;
        ensure_eq!(record.id, opening.id, "id");
        ensure_eq!(record.label, opening.label, "label");
        ensure_eq!(record.instruction, opening.instruction, "instruction");
        ensure_eq!(record.region, opening.region, "region");
        ensure_eq!(record.digest, opening.digest, "digest");
        let size = (opening.width, opening.height);
        ensure_eq!((record.width, record.height), size, "size of its picture");
        ensure_eq!(record.verdict, None, "verdict");
        ensure_eq!(record.note, None, "note");
        ensure_eq!(
            record.deadline.map(jiff::Timestamp::as_millisecond),
            opening.deadline.map(jiff::Timestamp::as_millisecond),
            "deadline"
        );
        ensure_eq!(
            record.created.as_millisecond(),
            begun.as_millisecond(),
            "created"
        );
        Ok(())
    }

    pub(super) async fn another_picture_is_refused(&self) -> Checked {
        let mut opening = opening(&name("picture"));
        let (claim, _) = self.claim_as(&opening).await?;
        opening.digest = [8; 32];
        for _ in 0..2 {
            let other = self.store.take_up(&opening).await.map_err(said)?;
            let is_refused = matches!(other, TakenUp::OtherPicture);
            ensure!(is_refused, "it is another picture, not {other:?}");
            self.finish(claim, Some(Ok(solution("a")))).await?;
        }
        Ok(())
    }

    pub(super) async fn a_solved_challenge_stays_solved(&self) -> Checked {
        let id = name("solved");
        let (claim, _) = self.claim(&id).await?;
        let answer = solution("a").with_elapsed(Duration::from_millis(1_234));
        self.wait(1);
        self.finish(claim, Some(Ok(answer.clone()))).await?;
        self.finish(claim, Some(Ok(solution("b")))).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        let again = self.store.take_up(&opening(&id)).await.map_err(said)?;
        let is_same = matches!(&again, TakenUp::Solved(solution) if *solution == answer);
        ensure!(is_same, "it is solved, by the first answer, not {again:?}");
        let record = self.find(&id).await?;
        let is_same = matches!(&record.status, Status::Solved { solution } if *solution == answer);
        ensure!(is_same, "the answer is on record: {record:?}");
        ensure!(
            record.updated > record.created,
            "its status changed later: {record:?}"
        );
        Ok(())
    }

    pub(super) async fn a_failed_challenge_is_taken_up_again(&self) -> Checked {
        let id = name("failed");
        let (claim, _) = self.claim(&id).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        let record = self.find(&id).await?;
        let is_failed = matches!(
            &record.status,
            Status::Failed { error } if error.kind() == ErrorKind::Unsolvable && error.solver() == Some("a")
        );
        ensure!(is_failed, "the error is on record: {record:?}");
        let (second, record) = self.claim(&id).await?;
        let is_open = matches!(record.status, Status::Open { held: true });
        ensure!(is_open, "it is open again: {record:?}");
        self.finish(second, Some(Ok(solution("a")))).await
    }

    pub(super) async fn what_was_accepted_and_failed_is_opened_by_accepting_it_alone(
        &self,
    ) -> Checked {
        let opening = opening(&name("accepted"));
        let accept = async || {
            let (picture, limits) = (Bytes::from_static(PICTURE), KeyLimits::default());
            let told = self.store.accept(&opening, &picture, &limits).await;
            told.map_err(said).map(|told| matches!(told, Accepted::New))
        };
        ensure!(accept().await?, "it is new");
        let (claim, _) = self.claim_as(&opening).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        // A call that read it before that, and comes now.
        let mut late = opening.clone();
        late.claim = new_key();
        let told = self.store.take_up(&late).await.map_err(said)?;
        let is_failed =
            matches!(&told, TakenUp::Failed(error) if error.kind() == ErrorKind::Unsolvable);
        ensure!(is_failed, "its failure is told: {told:?}");
        self.record(Fact::GivenBack {
            id: opening.id.clone(),
            claim: late.claim,
        })
        .await?;
        let record = self.find(&opening.id).await?;
        let is_failed = matches!(record.status, Status::Failed { .. });
        ensure!(is_failed, "it stays as it is: {record:?}");

        ensure!(accept().await?, "it is accepted again");
        let (claim, _) = self.claim_as(&late).await?;
        let key = self.begin(claim).await?;
        let job = JobId::from(7);
        self.record(bought(claim, key, job)).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        let (claim, record) = self.claim(&opening.id).await?;
        ensure_eq!(record.open_jobs().count(), 1, "jobs to fetch");
        self.finish(claim, Some(Ok(solution("a")))).await
    }

    pub(super) async fn a_lost_claim_buys_nothing_and_ends_nothing(&self) -> Checked {
        let id = name("lost");
        let (lost, _) = self.claim(&id).await?;
        let keys = [self.begin(lost).await?, self.begin(lost).await?];
        let [key, without_job] = keys;
        let job = JobId::from(7);
        self.record(bought(lost, key, job)).await?;
        self.finish(lost, None).await?;
        let (claim, _) = self.claim(&id).await?;
        let Err(error) = self.store.begin_purchase(purchase(lost)).await else {
            return Err("it bought with a claim that was lost".to_owned());
        };
        ensure_eq!(error.kind(), StoreErrorKind::ClaimLost, "kind of error");

        let ended = keys.map(|key| Ended {
            key,
            billed: Billed::Yes,
            cost: None,
        });
        for outcome in [Some(Err(failure())), None, Some(Ok(solution("a")))] {
            self.finish_lost(lost, outcome, ended.to_vec()).await?;
            let record = self.find(&id).await?;
            let is_held = matches!(record.status, Status::Open { held: true });
            ensure!(is_held, "a lost claim ended the other: {record:?}");
            ensure_eq!(record.purchases.len(), 2, "purchases");
            ensure_eq!(
                record.open_jobs().count(),
                1,
                "jobs for the other call to fetch"
            );
            ensure_eq!(
                record.unconfirmed().count(),
                0,
                "what is known to be billed"
            );
        }
        let record = self.find(&id).await?;
        let of = |key| record.purchases.iter().find(|purchase| purchase.key == key);
        let state = of(without_job).map(|purchase| purchase.state);
        ensure_eq!(
            state,
            Some(PurchaseState::Settled),
            "what cannot be fetched"
        );
        self.finish(claim, Some(Ok(solution("b")))).await?;
        self.finish_lost(lost, Some(Ok(solution("a"))), ended.to_vec())
            .await?;
        let record = self.find(&id).await?;
        let is_same =
            matches!(&record.status, Status::Solved { solution } if solution.solver() == "b");
        ensure!(is_same, "the answer is the one of who had it: {record:?}");
        Ok(())
    }

    pub(super) async fn a_claim_that_nobody_heard_of_is_given_back(&self) -> Checked {
        let opening = opening(&name("given back"));
        let give_back = |claim| {
            let id = opening.id.clone();
            self.record(Fact::GivenBack { id, claim })
        };
        give_back(opening.claim).await?; // it never came to that
        self.claim_as(&opening).await?;
        let (again, _) = self.claim_as(&opening).await?;
        ensure_eq!(again.key, opening.claim, "the same call has it");
        give_back(new_key()).await?;
        let is_held =
            |record: &crate::ChallengeRecord| matches!(record.status, Status::Open { held: true });
        ensure!(
            is_held(&self.find(&opening.id).await?),
            "it was another one's"
        );
        give_back(opening.claim).await?;
        ensure!(
            !is_held(&self.find(&opening.id).await?),
            "it was given back"
        );
        let bought = self.store.begin_purchase(purchase(again)).await;
        ensure!(
            bought.is_err(),
            "it bought with a claim that was given back"
        );
        self.claim(&opening.id).await.map(drop)
    }
}
