//! Money that is set aside and spent.

use std::time::Duration;

use drag_solver_core::{JobId, PaidJob, Usd};
use futures_util::future::join_all;

use super::subject::{in_all, name, said, usd};
use super::{Checked, StoreUnderTest};
use crate::{Fact, Limit};

const HOUR: u64 = 3_600;

fn dollars(spent: &str, reserved: &str) -> (String, String) {
    (spent.to_owned(), reserved.to_owned())
}

impl StoreUnderTest<'_> {
    fn in_the_last_hour(&self, most: &str) -> Limit {
        let since = self.store.now().checked_sub(Duration::from_secs(HOUR)).ok();
        let most = usd(most);
        Limit { since, most }
    }

    pub(super) async fn money_is_set_aside_within_every_limit(&self) -> Checked {
        let (budget, limits) = (name("reserve"), in_all("2"));
        let first = self.reserve(&budget, "1", &limits).await?;
        let second = self.reserve(&budget, "1", &limits).await?;
        ensure!(first.is_ok() && second.is_ok(), "there was money");
        let third = self.reserve(&budget, "0.000000001", &limits).await?;
        ensure!(third.is_err(), "there was none left");
        ensure_eq!(self.money(&budget).await?, dollars("0", "2"), "money");
        let hourly = [in_all("9")[0], self.in_the_last_hour("2")];
        let third = self.reserve(&budget, "1", &hourly).await?;
        ensure_eq!(
            third.err().map(|short| short.limit),
            Some(1),
            "the other limit"
        );
        if let Ok(key) = first {
            self.record(Fact::Released(key)).await?;
            self.record(Fact::Released(key)).await?;
        }
        ensure_eq!(self.money(&budget).await?, dollars("0", "1"), "money");
        let next = self.reserve(&budget, "1", &limits).await?;
        ensure!(next.is_ok(), "what was released is free");
        let other = self.reserve(&name("another"), "1", &limits).await?;
        ensure!(other.is_ok(), "each budget has its own money");
        Ok(())
    }

    pub(super) async fn many_at_once_never_set_the_same_money_aside(&self) -> Checked {
        let (budget, limits) = (name("many"), in_all("5"));
        let calls = (0..20).map(|_| self.reserve(&budget, "1", &limits));
        let mut keys = Vec::new();
        for reserved in join_all(calls).await {
            keys.extend(reserved?.ok());
        }
        ensure_eq!(keys.len(), 5, "calls that got money");
        // Each spends what it set aside, and others nothing.
        let none = [None; 5];
        let calls = keys.into_iter().map(Some).chain(none);
        let calls = calls.map(|key| self.charge(&budget, "1", key, &limits));
        let mut charged = 0;
        for ended in join_all(calls).await {
            charged += usize::from(ended?.is_ok());
        }
        ensure_eq!(charged, 5, "calls that spent");
        ensure_eq!(self.money(&budget).await?, dollars("5", "0"), "money");
        Ok(())
    }

    pub(super) async fn a_charge_takes_what_was_set_aside(&self) -> Checked {
        let (budget, limits) = (name("charge"), in_all("3"));
        let Ok(mine) = self.reserve(&budget, "2", &limits).await? else {
            return Err("there was money".to_owned());
        };
        let other = self.charge(&budget, "1.5", None, &limits).await?;
        ensure!(other.is_err(), "what is set aside is not for others");
        ensure_eq!(self.money(&budget).await?, dollars("0", "2"), "money");
        let more = self.charge(&budget, "3.5", Some(mine), &limits).await?;
        ensure!(more.is_err(), "there is not as much");
        ensure_eq!(self.money(&budget).await?, dollars("0", "2"), "money");
        let first = self.charge(&budget, "1.5", Some(mine), &limits).await?;
        ensure!(first.is_ok(), "it was set aside");
        ensure_eq!(self.money(&budget).await?, dollars("1.5", "0.5"), "money");
        let second = self.charge(&budget, "1.5", Some(mine), &limits).await?;
        ensure!(second.is_ok(), "the rest of it, and what is left");
        ensure_eq!(self.money(&budget).await?, dollars("3", "0"), "money");
        let third = self.charge(&budget, "0.5", Some(mine), &limits).await?;
        ensure!(third.is_err(), "there is none left");
        self.record(Fact::Released(mine)).await?;
        ensure_eq!(self.money(&budget).await?, dollars("3", "0"), "money");
        Ok(())
    }

    pub(super) async fn what_was_set_aside_can_be_spent_whatever_the_limits_are_now(
        &self,
    ) -> Checked {
        let budget = name("lowered");
        let Ok(mine) = self.reserve(&budget, "2", &in_all("2")).await? else {
            return Err("there was money".to_owned());
        };
        let lowered = in_all("1");
        let charged = self.charge(&budget, "2", Some(mine), &lowered).await?;
        ensure!(charged.is_ok(), "it was set aside: {charged:?}");
        ensure_eq!(self.money(&budget).await?, dollars("2", "0"), "money");
        let more = self.charge(&budget, "0.5", Some(mine), &lowered).await?;
        ensure!(more.is_err(), "there is none left");
        Ok(())
    }

    pub(super) async fn a_shortage_says_which_limit_and_when_it_ends(&self) -> Checked {
        let budget = name("shortage");
        let first_at = self.store.now();
        for _ in 0..3 {
            let charged = self.charge(&budget, "1", None, &in_all("9")).await?;
            ensure!(charged.is_ok(), "there was money");
            self.wait(60);
        }
        let reserved = self.reserve(&budget, "0.5", &in_all("9")).await?;
        ensure!(reserved.is_ok(), "there was money");
        let limits = [in_all("9")[0], self.in_the_last_hour("4")];
        let Err(short) = self.charge(&budget, "2", None, &limits).await? else {
            return Err("there was no money".to_owned());
        };
        ensure_eq!(short.limit, 1, "limit");
        ensure_eq!(short.spent, usd("3"), "spent");
        ensure_eq!(short.reserved, usd("0.5"), "reserved");
        // 1.5 more than there is: two of the three must be old.
        let second_at = first_at.checked_add(Duration::from_secs(60)).ok();
        let millis = |at: Option<jiff::Timestamp>| at.map(jiff::Timestamp::as_millisecond);
        ensure_eq!(millis(short.frees_at), millis(second_at), "frees at");
        let Err(short) = self.charge(&budget, "9", None, &in_all("9")).await? else {
            return Err("there was no money".to_owned());
        };
        ensure_eq!(
            (short.limit, short.frees_at),
            (0, None),
            "time does not help"
        );
        self.wait(HOUR - 60);
        let limits = [self.in_the_last_hour("4")];
        let charged = self.charge(&budget, "2", None, &limits).await?;
        ensure!(charged.is_ok(), "it no longer counts: {charged:?}");
        Ok(())
    }

    pub(super) async fn what_it_really_cost_replaces_what_was_charged(&self) -> Checked {
        let (budget, limits) = (name("real cost"), in_all("9"));
        for (amount, total) in [("0.25", "0.25"), ("0", "0.25"), ("5", "5.25")] {
            let Ok(key) = self.charge(&budget, "1", None, &limits).await? else {
                return Err("there was money".to_owned());
            };
            let amount = usd(amount);
            for _ in 0..2 {
                let budget = budget.clone();
                self.record(Fact::ChargeSettled {
                    budget,
                    key,
                    amount,
                })
                .await?;
            }
            ensure_eq!(self.money(&budget).await?, dollars(total, "0"), amount);
        }
        let spent = |amount: &str| Fact::Spent {
            budget: budget.clone(),
            solver: "a".to_owned(),
            job: None,
            amount: usd(amount),
        };
        self.record(spent("100")).await?;
        ensure_eq!(self.state(&budget).await?.spent, usd("105.25"), "in full");
        self.record(spent("0.0000000000001")).await?;
        let is_more = self.state(&budget).await?.spent >= usd("105.25");
        ensure!(is_more, "what is spent is never understated");
        Ok(())
    }

    pub(super) async fn a_job_corrects_its_charge_once(&self) -> Checked {
        let (budget, limits) = (name("job"), in_all("9"));
        let Ok(key) = self.charge(&budget, "1", None, &limits).await? else {
            return Err("there was money".to_owned());
        };
        let job = PaidJob::new("a", JobId::from(u64::try_from(key).unwrap_or(0)));
        let charged_for = Fact::ChargedFor {
            budget: budget.clone(),
            key,
            job: job.clone(),
        };
        self.record(charged_for).await?;
        let settled = |solver: &str, budget: &str, amount: Option<&str>| Fact::JobSettled {
            budget: budget.to_owned(),
            job: PaidJob::new(solver, job.id.clone()),
            amount: amount.map(usd),
        };
        self.record(settled("b", &budget, Some("7"))).await?;
        self.record(settled("a", "another", Some("7"))).await?;
        ensure_eq!(self.money(&budget).await?, dollars("1", "0"), "of others");
        self.record(settled("a", &budget, Some("0.25"))).await?;
        self.record(settled("a", &budget, Some("0.5"))).await?;
        ensure_eq!(self.money(&budget).await?, dollars("0.25", "0"), "once");
        let job = Some(job.id.clone());
        self.record(Fact::Spent {
            budget: budget.clone(),
            solver: "a".to_owned(),
            job,
            amount: usd("1"),
        })
        .await?;
        self.record(settled("a", &budget, None)).await?;
        self.record(settled("a", &budget, Some("5"))).await?;
        ensure_eq!(self.money(&budget).await?, dollars("1.25", "0"), "closed");
        Ok(())
    }

    pub(super) async fn a_budget_is_known_since_any_time(&self) -> Checked {
        let budget = name("since");
        let start = self.store.now();
        for _ in 0..3 {
            self.wait(10);
            let charged = self.charge(&budget, "1", None, &[]).await?;
            ensure!(charged.is_ok(), "without a limit there is always money");
        }
        // What was spent at that very time does not count.
        let since: Vec<_> = [0, 10, 15, 30]
            .iter()
            .filter_map(|&seconds| start.checked_add(Duration::from_secs(seconds)).ok())
            .collect();
        let state = self.store.budget(&budget, &since).await.map_err(said)?;
        ensure_eq!(state.spent, usd("3"), "in all");
        let expected = ["3", "2", "2", "0"].map(usd);
        ensure_eq!(state.since, expected, "since each of the times");
        Ok(())
    }

    pub(super) async fn sums_of_money_never_overflow(&self) -> Checked {
        let budget = name("huge");
        for _ in 0..3 {
            let budget = budget.clone();
            self.record(Fact::Spent {
                budget,
                solver: "a".to_owned(),
                job: None,
                amount: Usd::MAX,
            })
            .await?;
        }
        let limits = [in_all("9")[0], self.in_the_last_hour("9")];
        let reserved = self.reserve(&budget, "1", &limits[1..]).await?;
        ensure!(reserved.is_err(), "there is no money left");
        let reserved = self.reserve(&budget, "1", &limits).await?;
        ensure!(reserved.is_err(), "there is no money left");
        let is_huge = self.state(&budget).await?.spent > usd("1000000000");
        ensure!(is_huge, "what is spent is never understated");
        Ok(())
    }
}
