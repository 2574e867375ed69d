//! What is bought.

use drag_solver_core::{Billed, Frame, JobId, PaidJob, Rect};

use super::subject::{PICTURE, bought, failure, name, opening, purchase, said, solution, usd};
use super::{Checked, StoreUnderTest};
use crate::key::new_key;
use crate::{Claim, Ended, Fact, PurchaseRecord, PurchaseState};

fn settled(claim: Claim, key: i64) -> Fact {
    Fact::Settled {
        challenge: claim.challenge,
        ended: Ended {
            key,
            billed: Billed::Yes,
            cost: Some(usd("0.0009")),
        },
    }
}

fn not_bought(claim: Claim, key: i64) -> Fact {
    let challenge = claim.challenge;
    Fact::NotBought { challenge, key }
}

impl StoreUnderTest<'_> {
    async fn only_purchase(&self, id: &str) -> Result<PurchaseRecord, String> {
        let mut record = self.find(id).await?;
        match record.purchases.pop() {
            Some(purchase) if record.purchases.is_empty() => Ok(purchase),
            _ => Err(format!("there is not one purchase on record: {record:?}")),
        }
    }

    pub(super) async fn a_purchase_is_on_record_at_each_step(&self) -> Checked {
        let id = name("purchase");
        let (claim, _) = self.claim(&id).await?;
        let frame = Frame {
            left: 1,
            top: 2,
            width: 30,
            height: 40,
            sent_width: 15,
            sent_height: 20,
        };
        let mut purchase = purchase(claim);
        purchase.frame = Some(frame);
        let key = purchase.key;
        self.store.begin_purchase(purchase).await.map_err(said)?;
        let record = self.find(&id).await?;
        ensure_eq!(record.picture.as_deref(), Some(PICTURE), "picture");
        ensure_eq!(record.unconfirmed().count(), 1, "unconfirmed");
        let begun = self.only_purchase(&id).await?;
        ensure_eq!(begun.key, key, "key");
        ensure_eq!(begun.solver, "a", "solver");
        ensure_eq!(begun.state, PurchaseState::Buying, "state");
        ensure_eq!(begun.billed, Billed::Maybe, "billed");
        ensure_eq!(begun.frame, Some(frame), "frame");

        let job = JobId::from(7);
        self.record(bought(claim, key, job.clone())).await?;
        let record = self.find(&id).await?;
        let open: Vec<_> = record.open_jobs().collect();
        ensure_eq!(open, [PaidJob::new("a", job.clone())], "open jobs");
        ensure_eq!(record.unconfirmed().count(), 0, "unconfirmed");

        self.wait(1);
        self.record(settled(claim, key)).await?;
        let ended = self.only_purchase(&id).await?;
        ensure_eq!(ended.state, PurchaseState::Settled, "state");
        ensure_eq!(ended.job, Some(job), "job");
        ensure_eq!(ended.billed, Billed::Yes, "billed");
        ensure_eq!(ended.cost, Some(usd("0.0009")), "cost");
        ensure!(
            ended.ended.is_some_and(|at| at > ended.begun),
            "it ended later: {ended:?}"
        );
        self.finish(claim, Some(Ok(solution("a")))).await
    }

    pub(super) async fn what_was_not_bought_leaves_nothing(&self) -> Checked {
        let id = name("not bought");
        let (claim, _) = self.claim(&id).await?;
        let key = self.begin(claim).await?;
        self.record(not_bought(claim, key)).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        let record = self.find(&id).await?;
        ensure!(record.purchases.is_empty(), "it is on record: {record:?}");
        ensure!(record.picture.is_none(), "its picture is kept");
        Ok(())
    }

    pub(super) async fn facts_are_written_in_order_also_if_no_caller_waits(&self) -> Checked {
        let id = name("in order");
        let (claim, _) = self.claim(&id).await?;
        let purchase = purchase(claim);
        let (key, job) = (purchase.key, JobId::from(7));
        self.store.begin_purchase(purchase).await.map_err(said)?;
        let outcome = Some(Ok(solution("a")));
        // Each only means what it says after the one before.
        for fact in [
            bought(claim, key, job),
            not_bought(claim, key),
            settled(claim, key),
            Fact::Finished {
                claim,
                outcome,
                ended: Vec::new(),
            },
        ] {
            drop(self.store.record(fact));
        }
        self.store.flush().await.map_err(said)?;
        let purchase = self.only_purchase(&id).await?;
        ensure_eq!(purchase.job, Some(JobId::from(7)), "job");
        ensure_eq!(purchase.state, PurchaseState::Settled, "state");
        let record = self.find(&id).await?;
        ensure!(record.picture.is_none(), "its picture is kept");
        Ok(())
    }

    pub(super) async fn facts_can_be_repeated(&self) -> Checked {
        let id = name("repeated");
        let (claim, _) = self.claim(&id).await?;
        let key = self.begin(claim).await?;
        let bought = |id: u64| bought(claim, key, JobId::from(id));
        self.record(bought(7)).await?;
        self.record(bought(7)).await?;
        self.record(bought(8)).await?;
        let named = self.only_purchase(&id).await?.job;
        ensure_eq!(named, Some(JobId::from(7)), "a job has one name");
        self.record(settled(claim, key)).await?;
        let once = self.only_purchase(&id).await?;
        self.record(settled(claim, key)).await?;
        self.record(bought(7)).await?;
        self.record(not_bought(claim, key)).await?;
        ensure_eq!(self.only_purchase(&id).await?, once, "the second time");
        // Of what is not on record, or no longer, nothing is known.
        self.record(settled(claim, new_key())).await?;
        self.record(not_bought(claim, new_key())).await?;
        self.finish(claim, None).await
    }

    pub(super) async fn what_was_found_is_on_record_once(&self) -> Checked {
        let id = name("found");
        let (claim, _) = self.claim(&id).await?;
        let purchase = PurchaseRecord {
            key: new_key(),
            solver: "a".to_owned(),
            job: Some(JobId::from(9)),
            state: PurchaseState::Bought,
            billed: Billed::Maybe,
            cost: None,
            frame: None,
            begun: self.store.now(),
            ended: None,
        };
        for _ in 0..2 {
            self.record(Fact::Found {
                challenge: claim.challenge,
                purchase: purchase.clone(),
            })
            .await?;
        }
        let found = self.only_purchase(&id).await?;
        ensure_eq!(found.job, purchase.job, "job");
        ensure_eq!(found.open_job().is_some(), true, "it is open");
        self.record(settled(claim, purchase.key)).await?;
        let ended = self.only_purchase(&id).await?;
        ensure_eq!(ended.state, PurchaseState::Settled, "state");
        Ok(())
    }

    pub(super) async fn a_picture_is_kept_while_a_job_needs_it(&self) -> Checked {
        let id = name("pictures");
        let (claim, _) = self.claim(&id).await?;
        let key = self.begin(claim).await?;
        let job = JobId::from(7);
        self.record(bought(claim, key, job)).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        let picture = self.find(&id).await?.picture;
        ensure_eq!(picture.as_deref(), Some(PICTURE), "of an open job");
        let (claim, _) = self.claim(&id).await?;
        self.record(settled(claim, key)).await?;
        self.finish(claim, Some(Err(failure()))).await?;
        ensure!(
            self.find(&id).await?.picture.is_none(),
            "it is kept although no job needs it"
        );
        Ok(())
    }

    pub(super) async fn a_region_stays_while_a_job_needs_it(&self) -> Checked {
        let mut opening = opening(&name("region"));
        let [first, second] = [1.0, 2.0].map(|left| Some(Rect::new(left, 0.0, 5.0, 5.0)));
        opening.region = first;
        let (claim, _) = self.claim_as(&opening).await?;
        let key = self.begin(claim).await?;
        let job = JobId::from(7);
        self.record(bought(claim, key, job)).await?;
        self.finish(claim, None).await?;
        opening.region = second;
        let (claim, record) = self.claim_as(&opening).await?;
        ensure_eq!(record.region, first, "what the job was bought with");
        self.record(settled(claim, key)).await?;
        self.finish(claim, None).await?;
        let (_, record) = self.claim_as(&opening).await?;
        ensure_eq!(record.region, second, "what is bought next");
        Ok(())
    }
}
