//! How much may be spent of a budget in a store.

use std::time::Duration;

use drag_solver_core::{CheckSettings, ConfigError, Usd, human_duration, setters};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Limit, Shortage};

/// The most that may be spent of a [`StoredBudget`](super::StoredBudget): in all, in any stretch of time, on any
/// day. Each limit that is set holds.
///
/// ```
/// use drag_solver_store::StoredBudgetPolicy;
///
/// let from_file: StoredBudgetPolicy = serde_json::from_str(
///     r#"{"total": "100", "per_day": "5", "time_zone": "Asia/Ho_Chi_Minh"}"#,
/// )?;
/// assert_eq!(from_file.per_day, Some("5".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StoredBudgetPolicy {
    /// The most in all, in US dollars, for as long as there is the store. Default: no such limit. With a
    /// limit of zero or less, every call is refused, also with those below.
    pub total: Option<Usd>,
    /// The most in any [`period`](Self::period), in US dollars. Default: no such limit.
    pub per_period: Option<Usd>,
    /// The length of the rolling period: what was spent this long ago no longer counts. Default: 24 h.
    #[serde(with = "human_duration")]
    pub period: Duration,
    /// The most on one day of the calendar, in US dollars. Default: no such limit.
    pub per_day: Option<Usd>,
    /// Whose days they are: a name like `"Asia/Ho_Chi_Minh"`. Default: UTC, which is the same everywhere.
    #[serde(serialize_with = "write_zone", deserialize_with = "read_zone")]
    pub time_zone: TimeZone,
}

impl StoredBudgetPolicy {
    setters! { total: some Usd, per_period: some Usd, period: Duration, per_day: some Usd }

    /// Sets [`time_zone`](Self::time_zone).
    #[must_use]
    pub fn time_zone(mut self, time_zone: TimeZone) -> Self {
        self.time_zone = time_zone;
        self
    }

    /// What is checked at this time.
    pub(super) fn limits(&self, now: Timestamp) -> Vec<Limit> {
        let mut limits = Vec::new();
        if let Some(most) = self.total {
            limits.push(Limit { since: None, most });
        }
        if let Some(most) = self.per_day {
            let since = Some(self.day_since(now));
            limits.push(Limit { since, most });
        }
        if let Some(most) = self.per_period {
            let since = Some(self.period_since(now));
            limits.push(Limit { since, most });
        }
        limits
    }

    /// What was spent after this was spent today.
    pub(super) fn day_since(&self, now: Timestamp) -> Timestamp {
        just_before(self.start_of(self.today(now)).unwrap_or(Timestamp::MIN))
    }

    /// What was spent after this was spent in the period that ends now.
    pub(super) fn period_since(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.period).unwrap_or(Timestamp::MIN)
    }

    fn today(&self, now: Timestamp) -> Date {
        self.time_zone.to_datetime(now).date()
    }

    /// Midnight, or where clocks skip it, the first instant after.
    fn start_of(&self, day: Date) -> Option<Timestamp> {
        self.time_zone.to_timestamp(day.at(0, 0, 0, 0)).ok()
    }

    /// What a shortage means: which limit it is, in words, and when there is money again.
    pub(super) fn explain(
        &self,
        shortage: &Shortage,
        now: Timestamp,
    ) -> (String, Option<Duration>) {
        let mut all = Vec::new();
        if let Some(most) = self.total {
            all.push((format!("${most} in all"), None));
        }
        if let Some(most) = self.per_day {
            let zone = zone_name(&self.time_zone);
            let tomorrow = self.today(now).tomorrow().ok();
            let free_at = tomorrow.and_then(|day| self.start_of(day));
            all.push((format!("${most} a day ({zone})"), free_at));
        }
        if let Some(most) = self.per_period {
            let period = human_duration::display(self.period);
            let frees_at = shortage
                .frees_at
                .and_then(|at| at.checked_add(self.period).ok());
            all.push((format!("${most} in {period}"), frees_at));
        }
        let (what, free_at) = all.into_iter().nth(shortage.limit).unwrap_or_default();
        let wait = free_at.map(|at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
        (what, wait)
    }
}

/// What counts is what comes after a limit's time; of a day, its first instant does.
fn just_before(start: Timestamp) -> Timestamp {
    start.checked_sub(Duration::from_millis(1)).unwrap_or(start)
}

fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

fn write_zone<S: Serializer>(zone: &TimeZone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone_name(zone))
}

fn read_zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    TimeZone::get(&name).map_err(|_| {
        serde::de::Error::custom(
            "is not the name of a time zone that this system knows: write it like \"Asia/Ho_Chi_Minh\" or \"UTC\"",
        )
    })
}

impl Default for StoredBudgetPolicy {
    fn default() -> Self {
        Self {
            total: None,
            per_period: None,
            period: Duration::from_secs(24 * 60 * 60),
            per_day: None,
            time_zone: TimeZone::UTC,
        }
    }
}

impl CheckSettings for StoredBudgetPolicy {
    fn check(&self) -> Result<(), ConfigError> {
        let limits = [
            ("total", self.total),
            ("per_period", self.per_period),
            ("per_day", self.per_day),
        ];
        for (key, limit) in limits {
            if let Some(limit) = limit.filter(|&limit| limit <= Usd::ZERO) {
                let problem = format!("must be more than nothing, not ${limit}");
                return Err(ConfigError::new(key, problem));
            }
        }
        if limits.iter().all(|(_, limit)| limit.is_none()) {
            let problem = "must be set, or else per_period or per_day: a budget without a limit limits nothing";
            return Err(ConfigError::new("total", problem));
        }
        if self.period.is_zero() {
            return Err(ConfigError::new("period", "must be longer than zero"));
        }
        Ok(())
    }
}
