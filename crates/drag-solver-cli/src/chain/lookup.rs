//! Finds the provider of an answer or a job that an earlier run bought.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use drag_solver::config::{Chain, ProviderHandle};

use super::options::{ChainOptions, POLL_IN_FILE, refuse_beside};
use super::store::StoreArgs;
use super::{file, registry};
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
        if let Some(path) = config {
            let is_given = poll_interval.is_some();
            refuse_beside(path, is_given, "--poll-interval", POLL_IN_FILE)?;
        }
        Ok(Self {
            file: config
                .map(|path| file::load(path, &StoreArgs::default()))
                .transpose()?,
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
        let provider = options.build()?.provider(name).cloned();
        let provider = provider.with_context(unknown)?;
        self.made.borrow_mut().push(provider.clone());
        Ok(provider)
    }
}
