//! The store of a chain, and the parts that are kept in it.

use super::{ChainParts, ProviderParts};
use crate::ConfigError;
use crate::config::budget::BudgetConfig;
use crate::config::calls::{name_in_store, note};
use crate::config::chain_config::ChainConfig;
use crate::config::provider::ProviderConfig;
use crate::config::store::stored;
use crate::http::Context;
use crate::store::{StoreHandle, StoredBudget};

/// A part that was given, or that the file has. One that is given takes the place of the file's.
#[derive(Clone, Debug)]
pub(in crate::config) enum Origin<T> {
    Given(T),
    File(T),
}

impl<T> Origin<T> {
    fn part(&self) -> &T {
        match self {
            Self::Given(part) | Self::File(part) => part,
        }
    }

    fn is_given(&self) -> bool {
        matches!(self, Self::Given(_))
    }
}

/// What a whole chain has of a store.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct ChainStored {
    /// What outlives the process.
    pub(super) store: Option<Origin<StoreHandle>>,
    /// What all providers spend from, if the file names a budget of the store.
    pub(super) budget: Option<Origin<StoredBudget>>,
    /// What all providers spend from besides what the file says.
    pub(super) other_budget: Option<StoredBudget>,
}

/// What a provider has of the store.
#[derive(Clone, Debug, Default)]
pub(in crate::config) struct ProviderStored {
    /// What it alone spends from, if the file names a budget of the store.
    pub(super) budget: Option<Origin<StoredBudget>>,
    /// Whether what is on record of it is of other settings, and not read.
    pub(in crate::config) begins_anew: bool,
    /// Whether its track record told the store of the chain before of each call.
    was_noted: bool,
}

impl ChainStored {
    pub(in crate::config) fn store(&self) -> Option<&StoreHandle> {
        self.store.as_ref().map(Origin::part)
    }

    pub(in crate::config) fn budget(&self) -> Option<&StoredBudget> {
        self.budget.as_ref().map(Origin::part)
    }

    pub(super) fn completed(
        self,
        config: &ChainConfig,
        context: &Context,
    ) -> Result<Self, ConfigError> {
        let store = match (self.store, &config.store) {
            (None, Some(own)) => {
                let opened = own.open(context).map_err(|error| error.in_key("store"));
                Some(Origin::File(opened?))
            }
            (store, _) => store,
        };
        let opened = store.as_ref().map(Origin::part);
        Ok(Self {
            budget: completed(self.budget, config.budget.as_ref(), opened)?,
            other_budget: self.other_budget,
            store,
        })
    }

    pub(super) fn kept(&self, old: &ChainConfig, new: &ChainConfig) -> Self {
        let store = self.store.clone();
        Self {
            // The file's is opened anew if it is another one.
            store: store.filter(|store| store.is_given() || old.store == new.store),
            budget: kept(self.budget.clone(), new.budget.as_ref()),
            other_budget: self.other_budget.clone(),
        }
    }
}

impl ProviderStored {
    pub(in crate::config) fn budget(&self) -> Option<&StoredBudget> {
        self.budget.as_ref().map(Origin::part)
    }

    pub(super) fn kept(&self, new: &ProviderConfig, same: bool, had_store: bool) -> Self {
        Self {
            budget: kept(self.budget.clone(), new.keys.budget.as_ref()),
            begins_anew: self.begins_anew || !same,
            was_noted: had_store,
        }
    }
}

impl ChainParts {
    /// The budgets of the store that the provider with these parts spends from, from the inside out.
    pub(in crate::config) fn stored_budgets_with<'a>(
        &'a self,
        own: &'a ProviderParts,
    ) -> impl Iterator<Item = &'a StoredBudget> {
        let all = self.stored.budget().into_iter();
        let all = all.chain(&self.stored.other_budget);
        own.stored.budget().into_iter().chain(all)
    }
}

impl ProviderParts {
    /// The same, with the provider's budget in the store, if it has one there.
    pub(super) fn with_stored(
        mut self,
        provider: &ProviderConfig,
        store: Option<&StoreHandle>,
    ) -> Result<Self, ConfigError> {
        let given = self.stored.budget.take();
        self.stored.budget = completed(given, provider.keys.budget.as_ref(), store)?;
        Ok(self)
    }

    /// Has the store told of its calls, or none any more.
    pub(super) fn note_calls(&self, provider: &ProviderConfig, store: Option<&StoreHandle>) {
        match (&self.track_record, store) {
            (Some(record), Some(store)) => note(name_in_store(provider), record, store),
            (Some(record), None) if self.stored.was_noted => record.set_observer(None),
            _ => {}
        }
    }
}

/// The budget that is given, or else the file's, which is always made anew, with its limits.
fn completed(
    budget: Option<Origin<StoredBudget>>,
    config: Option<&BudgetConfig>,
    store: Option<&StoreHandle>,
) -> Result<Option<Origin<StoredBudget>>, ConfigError> {
    let named = config.and_then(|config| Some((config, config.name.as_deref()?)));
    match (budget.filter(Origin::is_given), named) {
        (Some(_), None) => {
            let problem = "is not in the file, and a budget of a store is given: write it there, or leave \
                           that out";
            Err(ConfigError::new("name", problem).in_key("budget"))
        }
        (None, Some((config, name))) => {
            let budget = stored(config, name, store).map_err(|error| error.in_key("budget"))?;
            Ok(Some(Origin::File(budget)))
        }
        (given, _) => Ok(given),
    }
}

/// The budget, if the new file still names one.
fn kept(
    budget: Option<Origin<StoredBudget>>,
    new: Option<&BudgetConfig>,
) -> Option<Origin<StoredBudget>> {
    let is_named = new.is_some_and(|budget| budget.name.is_some());
    budget.filter(|_| is_named)
}
