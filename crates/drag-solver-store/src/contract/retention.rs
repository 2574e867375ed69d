//! What is forgotten.

use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::{Billed, ErrorKind, JobId, SolveError};

use super::subject::{self, name, opening, said, solution, usd};
use super::{Checked, StoreUnderTest};
use crate::Ended;
use crate::{Fact, KeyLimits, Query, Retention, SpendingBy, SpendingQuery};
use jiff::tz::TimeZone;

const DAY: u64 = 24 * 3_600;

fn days(challenges: u64, money: u64) -> Retention {
    let length = |days| Duration::from_secs(days * DAY);
    Retention::default()
        .challenges(length(challenges))
        .money(length(money))
}

impl StoreUnderTest<'_> {
    async fn spent_by(&self, by: SpendingBy, name: &str) -> Result<usize, String> {
        let (now, year) = (self.store.now(), Duration::from_secs(365 * DAY));
        let query = SpendingQuery::last(year, by, now, TimeZone::UTC);
        let spent = self.store.spending(&query).await.map_err(said)?;
        Ok(spent.iter().filter(|part| part.name == name).count())
    }

    pub(super) async fn old_challenges_are_forgotten_and_totals_are_not(&self) -> Checked {
        let (id, label, budget) = (name("old"), name("label"), name("budget"));
        let mut opening = opening(&id);
        opening.label = Some(label.clone());
        let (claim, _) = self.claim_as(&opening).await?;
        let key = self.begin(claim).await?;
        let cost = Some(usd("0.5"));
        let billed = Billed::Yes;
        let ended = Ended { key, billed, cost };
        let challenge = claim.challenge;
        self.record(Fact::Settled { challenge, ended }).await?;
        self.finish(claim, Some(Ok(solution("a")))).await?;
        let charged = self.charge(&budget, "0.5", None, &[]).await?;
        ensure!(charged.is_ok(), "without a limit there is always money");

        self.wait(31 * DAY);
        let pruned = self.store.prune(&days(30, 100)).await.map_err(said)?;
        ensure!(pruned.challenges >= 1, "{pruned:?}");
        let found = self.store.find(&id).await.map_err(said)?;
        ensure!(found.is_none(), "it is still on record: {found:?}");
        for (by, name) in [(SpendingBy::Label, &label), (SpendingBy::Budget, &budget)] {
            let spent = self.spent_by(by, name).await?;
            ensure_eq!(spent, 1, format!("days of spending by {by:?}"));
        }

        self.wait(70 * DAY);
        let pruned = self.store.prune(&days(30, 100)).await.map_err(said)?;
        ensure!(pruned.money >= 2, "{pruned:?}");
        let spent = self.spent_by(SpendingBy::Label, &label).await?;
        let charged = self.spent_by(SpendingBy::Budget, &budget).await?;
        ensure_eq!((spent, charged), (0, 0), "days of spending");
        ensure_eq!(self.state(&budget).await?.spent, usd("0.5"), "the total");
        // The same id is a new challenge.
        let (_, record) = self.claim(&id).await?;
        ensure!(record.purchases.is_empty(), "{record:?}");
        Ok(())
    }

    pub(super) async fn what_is_not_finished_is_kept_as_long_as_money(&self) -> Checked {
        let (bought, unheard, accepted) = (name("bought"), name("unheard"), name("accepted"));
        let (claim, _) = self.claim(&bought).await?;
        let key = self.begin(claim).await?;
        let job = JobId::from(7);
        self.record(subject::bought(claim, key, job)).await?;
        let error = SolveError::new(ErrorKind::Timeout, "late");
        self.finish(claim, Some(Err(error))).await?;
        let (claim, _) = self.claim(&unheard).await?;
        self.begin(claim).await?;
        self.finish(claim, None).await?;
        let picture = Bytes::from_static(b"a picture");
        let opening = opening(&accepted);
        let waiting = self
            .store
            .accept(&opening, &picture, &KeyLimits::default())
            .await;
        waiting.map_err(said)?;
        self.wait(99 * DAY);
        self.store.prune(&days(30, 100)).await.map_err(said)?;
        for id in [&bought, &unheard, &accepted] {
            self.find(id).await?;
        }
        self.wait(2 * DAY);
        self.store.prune(&days(30, 100)).await.map_err(said)?;
        for id in [&bought, &unheard, &accepted] {
            let found = self.store.find(id).await.map_err(said)?;
            ensure!(found.is_none(), "it is still on record: {found:?}");
        }
        Ok(())
    }

    pub(super) async fn what_is_recent_is_not_forgotten(&self) -> Checked {
        let label = name("label");
        let recent = name("recent");
        let mut opening = opening(&recent);
        opening.label = Some(label.clone());
        let (claim, _) = self.claim_as(&opening).await?;
        self.wait(29 * DAY);
        self.finish(claim, Some(Ok(solution("a")))).await?;
        let again = name("again");
        opening.id.clone_from(&again);
        let (claim, _) = self.claim_as(&opening).await?;
        let key = self.begin(claim).await?;
        self.finish(claim, None).await?;
        self.wait(2 * DAY);
        self.store.prune(&days(30, 100)).await.map_err(said)?;
        let listed = self.store.list(&Query::default().label(&*label)).await;
        let listed = listed.map_err(said)?;
        let ids: Vec<_> = listed.iter().map(|record| &record.id).collect();
        ensure_eq!(ids, [&recent, &again], "on record");
        // What was bought is kept for as long as the challenge.
        self.wait(200 * DAY);
        self.claim(&again).await?;
        self.store.prune(&days(30, 100)).await.map_err(said)?;
        let record = self.find(&again).await?;
        let keys: Vec<_> = record.purchases.iter().map(|one| one.key).collect();
        ensure_eq!(keys, [key], "purchases");
        Ok(())
    }
}
