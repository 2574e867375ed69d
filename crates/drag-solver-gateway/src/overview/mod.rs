//! Everything that the administrator's page shows.

mod figures;

use std::sync::Arc;
use std::time::Duration;

use drag_solver::store::jiff::Timestamp;
use drag_solver::store::jiff::tz::TimeZone;
use drag_solver::store::{KeyRecord, Spending, SpendingBy, SpendingQuery, StoreError, StoreHandle};
use drag_solver::{DragSolver as _, Usd};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

pub(crate) use self::figures::{End, Figures};
use crate::Gateway;

/// Days of which the spending is shown.
const DAYS: u64 = 14;

/// How long what was read of money is shown: a store may have much to add up.
const MONEY_IS_FRESH: Duration = Duration::from_secs(10);

/// What only this process knows, and what was read last.
pub(crate) struct Overview {
    started: Timestamp,
    money: Mutex<Option<(Instant, MoneyRead)>>,
}

/// What was read of money, or why it could not be.
type MoneyRead = Result<Arc<Money>, String>;

/// What the store says of money and keys.
struct Money {
    by_solver: Vec<Spending>,
    by_key: Vec<Spending>,
    keys: Vec<(KeyRecord, bool, Usd, Usd)>,
    today: String,
}

impl Overview {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            started: now,
            money: Mutex::default(),
        }
    }

    /// As JSON; what cannot be read of the store is left out, and said.
    pub(crate) async fn of(&self, gateway: &Gateway) -> Value {
        let jobs = gateway.jobs();
        let (money, trouble) = match self.money(gateway).await {
            Ok(money) => (Some(money), None),
            Err(why) => (None, Some(format!("the store cannot be read: {why}"))),
        };
        let money = money.as_deref();
        let live = jobs.lines();
        let working = jobs.working();
        let operators = gateway.operators().map(|(desk, _)| {
            json!({"there": desk.operators(), "waiting": desk.waiting(), "in_hand": desk.in_hand()})
        });
        let refusals = jobs.figures().refusals();
        let refusals = refusals
            .into_iter()
            .map(|(reason, count)| json!({"reason": reason, "count": count}));
        json!({
            "now": jobs.store().now(),
            "started": self.started,
            "version": env!("CARGO_PKG_VERSION"),
            "stopping": jobs.is_stopping(),
            "chain": gateway.chain().name(),
            "jobs": {
                "open": jobs.open(),
                "working": working,
                "live": live,
                "ended": jobs.figures().ended_jobs(),
            },
            "solvers": solvers(gateway, money),
            "keys": money.map(Money::keys).unwrap_or_default(),
            "days": money.map(|money| days(&money.by_solver, "solver")).unwrap_or_default(),
            "key_days": money.map(|money| days(&money.by_key, "key")).unwrap_or_default(),
            "refusals": refusals.collect::<Vec<_>>(),
            "operators": operators,
            "trouble": trouble,
        })
    }

    async fn money(&self, gateway: &Gateway) -> MoneyRead {
        // Held while it is read: those who ask meanwhile get the same, also if it cannot be read.
        let mut known = self.money.lock().await;
        if let Some((read, money)) = &*known
            && read.elapsed() < MONEY_IS_FRESH
        {
            return money.clone();
        }
        let money = Money::read(gateway).await;
        let money = money.map(Arc::new).map_err(|error| error.to_string());
        *known = Some((Instant::now(), money.clone()));
        money
    }
}

impl Money {
    async fn read(gateway: &Gateway) -> Result<Self, StoreError> {
        let store = gateway.jobs().store();
        let budget = gateway.keys().budget();
        let now = store.now();
        let mut keys = Vec::new();
        for key in store.keys().await? {
            let spent = budget.summary(Some(&key.name)).await?;
            let is_valid = key.is_valid(now);
            keys.push((key, is_valid, spent.spent_today, spent.spent));
        }
        Ok(Self {
            by_solver: spending(store, SpendingBy::Solver, now).await?,
            by_key: spending(store, SpendingBy::Label, now).await?,
            keys,
            today: TimeZone::UTC.to_datetime(now).date().to_string(),
        })
    }

    fn keys(&self) -> Vec<Value> {
        let keys = self.keys.iter();
        let keys = keys.map(|(key, is_valid, spent_today, spent)| {
            json!({
                "name": key.name,
                "role": key.role,
                "valid": is_valid,
                "per_day_usd": key.limits.per_day,
                "total_usd": key.limits.total,
                "spent_today_usd": spent_today,
                "spent_usd": spent,
            })
        });
        keys.collect()
    }

    /// What was spent at a solver: today, and in all days that are shown.
    fn at(&self, solver: &str) -> (Usd, Usd) {
        let own = || self.by_solver.iter().filter(|one| one.name == solver);
        let is_today = |one: &&Spending| one.day.to_string() == self.today;
        let today = own().filter(is_today).map(|one| one.spent).sum();
        (today, own().map(|one| one.spent).sum())
    }
}

/// By day, UTC, as the limits of keys are.
async fn spending(
    store: &StoreHandle,
    by: SpendingBy,
    now: Timestamp,
) -> Result<Vec<Spending>, StoreError> {
    let length = Duration::from_secs(DAYS * 24 * 60 * 60);
    let query = SpendingQuery::last(length, by, now, TimeZone::UTC);
    store.spending(&query).await
}

fn days(spending: &[Spending], by: &str) -> Vec<Value> {
    let days = spending.iter().map(|one| {
        json!({"day": one.day, by: one.name, "spent_usd": one.spent, "purchases": one.purchases})
    });
    days.collect()
}

/// Each solver of the chain, as it is doing.
fn solvers(gateway: &Gateway, money: Option<&Money>) -> Vec<Value> {
    let health = gateway.chain().health();
    let figures = gateway.jobs().figures();
    let solvers = health.providers.into_iter().map(|one| {
        let (today, all) = money.map(|money| money.at(&one.name)).unwrap_or_default();
        let last_error = one.last_error.map(|error| {
            json!({"kind": error.kind, "message": error.message, "ago_seconds": error.seconds_ago})
        });
        let mut value = json!(figures.of(&one.name));
        if let Value::Object(value) = &mut value {
            let more = json!({
                "name": one.name,
                "kind": one.kind,
                "in_flight": one.in_flight,
                "circuit": one.circuit.map(|circuit| circuit.state),
                "probes_in_seconds": one.circuit.and_then(|circuit| circuit.probes_in_seconds),
                "last_error": last_error,
                "spent_today_usd": today,
                "spent_usd": all,
            });
            if let Value::Object(more) = more {
                value.extend(more);
            }
        }
        value
    });
    solvers.collect()
}
