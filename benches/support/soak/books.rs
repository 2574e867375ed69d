//! The providers' books against the client's, to the last job.

use std::fmt;

use drag_solver::Usd;
use drag_solver::testing::emulator::{Emulator, Stats, Traffic};
use drag_solver::{Budget, BudgetPolicy};

use super::account::{Spent, Totals};
use super::{Plan, Process};

/// One provider and what may be spent there.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    pub(crate) price: Usd,
    pub(crate) emulator: Emulator,
    pub(crate) budget: Budget,
}

/// What is left of it in the end.
#[derive(Debug)]
pub(crate) struct Closed {
    name: &'static str,
    price: Usd,
    stats: Stats,
    traffic: Traffic,
    spent: Usd,
    reserved: Usd,
}

impl Provider {
    pub(crate) fn open(
        name: &'static str,
        price: Usd,
        emulator: Emulator,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let budget = Budget::new(BudgetPolicy::default().total("1000000".parse()?));
        Ok(Self {
            name,
            price,
            emulator,
            budget,
        })
    }

    pub(crate) async fn close(self) -> Closed {
        let (stats, traffic) = (self.emulator.stats(), self.emulator.traffic());
        self.emulator.shutdown().await;
        Closed {
            name: self.name,
            price: self.price,
            stats,
            traffic,
            spent: self.budget.spent(),
            reserved: self.budget.reserved(),
        }
    }
}

/// What became of everything. `Display` is for people.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) plan: Plan,
    pub(super) totals: Totals,
    pub(super) providers: Vec<Closed>,
    /// Paid jobs that were unfinished when both providers were killed.
    pub(super) killed: Vec<u64>,
    pub(super) before: Process,
    /// After a quarter, in the middle, at the end.
    pub(super) samples: Vec<Process>,
    pub(super) after: Process,
}

impl Report {
    /// Everything that is not as it has to be. Empty is good.
    ///
    /// A job is *lost* if its id reached the client, and the outcome of its challenge neither comes
    /// from it nor names it. It is *abandoned early* if the outcome names it as unfinished, though
    /// its challenge still had time.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut check = |is_right: bool, what: String| {
            if !is_right {
                complaints.push(what);
            }
        };
        let totals = &self.totals;
        let ended = totals.solved + totals.failed.values().sum::<u64>();
        let planned = self.plan.challenges;
        check(ended == planned, format!("{ended} of {planned} ended"));
        for lost in &totals.lost {
            check(false, format!("lost: {lost}"));
        }
        for early in &totals.abandoned_early {
            check(false, format!("abandoned early: {early}"));
        }
        check(
            self.killed.iter().all(|unfinished| *unfinished > 0),
            format!("killed when nothing was paid for: {:?}", self.killed),
        );
        for closed in &self.providers {
            let spent = totals
                .by_provider
                .get(closed.name)
                .copied()
                .unwrap_or_default();
            closed.check(&spent, &mut check);
        }
        let (before, after) = (self.before, self.after);
        check(
            after.tasks <= before.tasks && after.files <= before.files,
            format!("left behind: {after:?}, there were {before:?}"),
        );
        complaints
    }
}

impl Closed {
    /// Jobs of which the client never heard the id.
    fn unheard(&self, spent: &Spent) -> i64 {
        signed(self.stats.jobs_created) - signed(spent.bought)
    }

    /// What the chain's budget holds for spent and the provider did not bill, in jobs: purchases that
    /// never arrived, and jobs that were refunded without the client being able to know.
    fn caution(&self, spent: &Spent) -> i64 {
        signed(spent.unknown) - self.unheard(spent) + signed(self.stats.jobs_refunded)
            - signed(spent.free)
    }

    fn check(&self, spent: &Spent, check: &mut impl FnMut(bool, String)) {
        let name = self.name;
        let stats = &self.stats;
        let unheard = self.unheard(spent);
        check(
            (0..=signed(spent.unknown)).contains(&unheard),
            format!(
                "{name}: {unheard} jobs have no id at the client, and {} purchases are unknown",
                spent.unknown
            ),
        );
        let by_client = spent.bought + spent.unknown - spent.free;
        let expected = times(self.price, signed(by_client));
        check(
            self.spent == expected,
            format!(
                "{name}: the budget says ${}, the challenges say ${expected}",
                self.spent
            ),
        );
        let billed = times(self.price, signed(stats.jobs_created - stats.jobs_refunded));
        check(
            stats.spent == billed,
            format!("{name}: {stats:?} does not add up"),
        );
        let difference = times(self.price, self.caution(spent));
        check(
            self.spent == stats.spent + difference && difference >= Usd::ZERO,
            format!(
                "{name}: the budget says ${}, the provider ${}, and {} jobs explain the difference",
                self.spent,
                stats.spent,
                self.caution(spent)
            ),
        );
        check(
            self.reserved == Usd::ZERO,
            format!("{name}: ${} are still reserved", self.reserved),
        );
        check(
            self.traffic.redirects_followed == 0,
            format!("{name}: redirects were followed"),
        );
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn times(price: Usd, count: i64) -> Usd {
    let amount = price * u32::try_from(count.unsigned_abs()).unwrap_or(u32::MAX);
    if count < 0 {
        Usd::ZERO - amount
    } else {
        amount
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        let failed: u64 = totals.failed.values().sum();
        writeln!(
            f,
            "{} challenges, {} at a time: {} solved, {failed} failed",
            self.plan.challenges, self.plan.concurrency, totals.solved
        )?;
        for (kind, count) in &totals.failed {
            writeln!(f, "  failed, the last attempt being {kind}: {count}")?;
        }
        writeln!(
            f,
            "paid jobs: {} lost, {} abandoned early, {} abandoned when time was up",
            totals.lost.len(),
            totals.abandoned_early.len(),
            totals.abandoned
        )?;
        writeln!(
            f,
            "both providers were killed for {:?}, with {:?} paid jobs unfinished",
            self.plan.outage, self.killed
        )?;
        for closed in &self.providers {
            let spent = totals
                .by_provider
                .get(closed.name)
                .copied()
                .unwrap_or_default();
            let (stats, traffic) = (&closed.stats, &closed.traffic);
            writeln!(
                f,
                "{}: {} connections, {} requests, {} faults; {} jobs created, {} refunded, {} \
                 answers sent",
                closed.name,
                traffic.connections,
                traffic.requests,
                traffic.faults,
                stats.jobs_created,
                stats.jobs_refunded,
                stats.answers_fetched
            )?;
            writeln!(
                f,
                "  the client: {} answers, {} jobs by id, {} purchases unknown, of which {} had \
                 bought",
                spent.solved,
                spent.bought,
                spent.unknown,
                closed.unheard(&spent)
            )?;
            writeln!(
                f,
                "  billed ${}, budget ${}: {} jobs too cautious",
                stats.spent,
                closed.spent,
                closed.caution(&spent)
            )?;
        }
        let memory: Vec<_> = [self.before]
            .iter()
            .chain(&self.samples)
            .chain([&self.after])
            .map(|sample| format!("{:.1}", kib_to_mib(sample.memory)))
            .collect();
        writeln!(
            f,
            "resident memory, MiB: {} (before; at 25, 50 and 100 %; after)",
            memory.join(", ")
        )?;
        write!(
            f,
            "tasks {} -> {}, open files {} -> {}",
            self.before.tasks, self.after.tasks, self.before.files, self.after.files
        )
    }
}

#[allow(clippy::cast_precision_loss)] // for people
fn kib_to_mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
