//! Finds the provider of an answer or a job that an earlier run bought.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use drag_solver::config::{Chain, ProviderHandle};

use super::options::{ChainOptions, refuse_poll_interval};
use super::registry;
use super::source::ChainSource;
use super::store::StoreArgs;
use crate::ui::text::one_line;

/// The providers that answers can be asked about by name: those of a chain's file, or those that the
/// environment has settings for.
#[derive(Debug)]
pub(crate) struct ProviderLookup {
    file: Option<Chain>,
    poll_interval: Option<Duration>,
    /// Those of the environment, made when they are first needed.
    made: RefCell<Vec<ProviderHandle>>,
}

impl ProviderLookup {
    /// # Errors
    ///
    /// The file of the chain cannot be used, or not with a poll interval beside it.
    pub(crate) fn new(
        config: Option<&Path>,
        poll_interval: Option<Duration>,
    ) -> anyhow::Result<Self> {
        let file = config.map(|path| {
            refuse_poll_interval(path, poll_interval)?;
            ChainSource::of_file(path, &StoreArgs::default())?.build()
        });
        Ok(Self {
            file: file.transpose()?,
            poll_interval,
            made: RefCell::default(),
        })
    }

    /// The provider called `name`.
    pub(crate) fn find(&self, name: &str) -> anyhow::Result<ProviderHandle> {
        let unknown = || format!("no provider of the chain is called `{}`", one_line(name));
        if let Some(chain) = &self.file {
            return chain.provider(name).cloned().with_context(unknown);
        }
        if let Some(made) = self.made.borrow().iter().find(|one| one.name() == name) {
            return Ok(made.clone());
        }
        let Some(kind) = registry::find(name) else {
            let name = one_line(name);
            bail!("there is no provider `{name}`: if it is in a chain's file, add --config");
        };
        let mut options = ChainOptions::new(vec![&*kind.name]);
        options.poll_interval = self.poll_interval;
        let chain = options.source(&StoreArgs::default())?.build()?;
        let provider = chain.provider(name).cloned();
        let provider = provider.with_context(unknown)?;
        self.made.borrow_mut().push(provider.clone());
        Ok(provider)
    }
}
