//! What stays when the file changes, and how it takes the new settings.

use super::complete::{in_memory, needed_by};
use super::{ChainParts, ProviderParts};
use crate::config::chain_config::ChainConfig;
use crate::config::provider::ProviderConfig;
use crate::config::strategy::Strategy;

/// Sets the policy of each part that is there, if the file has one for it.
macro_rules! set_policies {
    ($($part:expr => $policy:expr),+ $(,)?) => {$(
        if let (Some(part), Some(policy)) = (&$part, $policy) {
            part.set_policy(policy);
        }
    )+};
}

impl ChainParts {
    /// Makes the settings of the file those of the parts.
    pub(in crate::config) fn apply(&self, config: &ChainConfig) {
        set_policies! {
            self.budget => in_memory(config.budget.as_ref()),
            self.retry_budget => config.retry_budget,
        }
        for provider in &config.providers {
            if let Some(parts) = self.providers.get(provider.label()) {
                parts.apply(provider);
                #[cfg(feature = "store")]
                parts.note_calls(provider, self.stored.store());
            }
        }
    }

    /// Those that keep their meaning in a chain of `new` settings, where they were parts of one of `old`
    /// ones.
    pub(in crate::config) fn kept(&self, old: &ChainConfig, new: &ChainConfig) -> Self {
        let parts = self.clone();
        let kept = |provider: &ProviderConfig| {
            let label = provider.label();
            let before = old.providers.iter().find(|old| old.label() == label)?;
            let own = self.providers.get(label)?;
            let same_kind = before.kind() == provider.kind();
            // What was learnt with a wrong address or a wrong token says nothing about the right one.
            let declared = |config: &ChainConfig| config.services.get(provider.kind()).cloned();
            let same = same_kind
                && before.settings() == provider.settings()
                && declared(old) == declared(new);
            let kept = own.kept(provider, new.strategy, same_kind, same);
            #[cfg(feature = "store")]
            let kept = ProviderParts {
                stored: own
                    .stored
                    .kept(provider, same, self.stored.store().is_some()),
                ..kept
            };
            Some((label.to_owned(), kept))
        };
        Self {
            budget: keep(parts.budget, in_memory(new.budget.as_ref()), true),
            retry_budget: keep(parts.retry_budget, new.retry_budget, true),
            providers: new.providers.iter().filter_map(kept).collect(),
            #[cfg(feature = "store")]
            stored: self.stored.kept(old, new),
            // Series that were begun are there, also if the file does not say so now.
            labels: parts.labels,
        }
    }
}

impl ProviderParts {
    fn apply(&self, provider: &ProviderConfig) {
        let keys = &provider.keys;
        set_policies! {
            self.budget => in_memory(keys.budget.as_ref()),
            self.circuit => keys.circuit_breaker,
            self.permits => keys.concurrency_limit,
            self.rate_limiter => keys.rate_limit,
        }
    }

    /// Those for a provider of these settings, but for what is in the store: `same_kind` as before, and of the `same`
    /// settings.
    fn kept(&self, new: &ProviderConfig, strategy: Strategy, same_kind: bool, same: bool) -> Self {
        let keys = &new.keys;
        let (hedge, ordered) = needed_by(strategy);
        let parts = self.clone();
        let activity = Some(parts.activity).filter(|_| same_kind);
        Self {
            budget: keep(parts.budget, in_memory(keys.budget.as_ref()), true),
            circuit: keep(parts.circuit, keys.circuit_breaker, same),
            permits: keep(parts.permits, keys.concurrency_limit, same_kind),
            rate_limiter: keep(parts.rate_limiter, keys.rate_limit, same_kind),
            latencies: keep(parts.latencies, hedge, same),
            track_record: keep(parts.track_record, ordered, same),
            activity: activity.unwrap_or_default(),
            #[cfg(feature = "store")]
            stored: parts.stored,
        }
    }
}

/// The part, if it `stays` and the new file still has a place for it.
fn keep<T, P>(part: Option<T>, policy: Option<P>, stays: bool) -> Option<T> {
    let both = part.zip(policy).filter(|_| stays);
    both.map(|(part, _)| part)
}
