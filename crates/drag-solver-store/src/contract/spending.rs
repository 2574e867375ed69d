//! What was spent on which day.

use drag_solver_core::{Billed, JobId, Usd};
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use super::subject::{name, opening, said, usd};
use super::{Checked, StoreUnderTest};
use crate::key::new_key;
use crate::{Fact, PurchaseRecord, PurchaseState, Spending, SpendingBy, SpendingQuery};

const DAY: u64 = 24 * 3_600;

impl StoreUnderTest<'_> {
    async fn spending_of(
        &self,
        query: &SpendingQuery,
        name: &str,
    ) -> Result<Vec<(Date, u64, Usd, u64)>, String> {
        let all = self.store.spending(query).await.map_err(said)?;
        let days: Vec<_> = all.iter().map(|part| part.day).collect();
        ensure!(days.is_sorted(), "the days are not in order: {days:?}");
        let of_it = |part: &&Spending| part.name == name;
        let row = |part: &Spending| (part.day, part.purchases, part.spent, part.unknown);
        Ok(all.iter().filter(of_it).map(row).collect())
    }

    pub(super) async fn spending_is_told_by_day_and_name(&self) -> Checked {
        let zone = TimeZone::fixed(Offset::constant(7));
        // Half an hour before midnight there.
        let now = zone.to_datetime(self.store.now()).time();
        let second = u64::from(now.hour().unsigned_abs()) * 3_600
            + u64::from(now.minute().unsigned_abs()) * 60
            + u64::from(now.second().unsigned_abs());
        self.wait((2 * DAY - 1_800 - second) % DAY);
        let start = self.store.now();
        let (label, solver, budget) = (name("label"), name("solver"), name("budget"));
        let mut opening = opening(&name("spending"));
        opening.label = Some(label.clone());
        let (claim, _) = self.claim_as(&opening).await?;
        let purchase = |billed, cost: Option<&str>| PurchaseRecord {
            key: new_key(),
            solver: solver.clone(),
            job: Some(JobId::from(1)),
            state: PurchaseState::Settled,
            billed,
            cost: cost.map(usd),
            frame: None,
            begun: self.store.now(),
            ended: None,
        };
        let challenge = claim.challenge;
        for _ in 0..2 {
            for purchase in [
                purchase(Billed::Yes, Some("0.5")),
                purchase(Billed::Maybe, None),
                purchase(Billed::No, None),
            ] {
                let found = Fact::Found {
                    challenge,
                    purchase,
                };
                self.record(found).await?;
            }
            let charged = self.charge(&budget, "0.25", None, &[]).await?;
            ensure!(charged.is_ok(), "without a limit there is always money");
            self.wait(3_600); // past midnight
        }
        let today = zone.to_datetime(start).date();
        let tomorrow = today.tomorrow().map_err(|error| error.to_string())?;
        let bought = |day| (day, 2, usd("0.5"), 1);
        let query = |by, time_zone: &TimeZone| SpendingQuery {
            since: start,
            time_zone: time_zone.clone(),
            by,
        };
        for (by, name) in [(SpendingBy::Solver, &solver), (SpendingBy::Label, &label)] {
            let spent = self.spending_of(&query(by, &zone), name).await?;
            ensure_eq!(spent, [bought(today), bought(tomorrow)], format!("{by:?}"));
        }
        let by_budget = query(SpendingBy::Budget, &zone);
        let spent = self.spending_of(&by_budget, &budget).await?;
        let charged = |day| (day, 1, usd("0.25"), 0);
        ensure_eq!(spent, [charged(today), charged(tomorrow)], "by budget");
        // In another place it was the same day.
        let by_solver = query(SpendingBy::Solver, &TimeZone::UTC);
        let spent = self.spending_of(&by_solver, &solver).await?;
        ensure_eq!(spent.len(), 1, "days in UTC");
        ensure_eq!((spent[0].1, spent[0].2), (4, usd("1")), "in UTC");
        let later = SpendingQuery {
            since: self.store.now(),
            ..query(SpendingBy::Solver, &zone)
        };
        let spent = self.spending_of(&later, &solver).await?;
        ensure!(spent.is_empty(), "nothing was spent since: {spent:?}");
        Ok(())
    }
}
