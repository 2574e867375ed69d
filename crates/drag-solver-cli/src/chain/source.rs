//! What makes a chain: a file, or the options.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use drag_solver::ConfigError;
use drag_solver::config::{Chain, ChainConfig, ChainParts, Registry};
use drag_solver::http::CallbackReceiver;

use super::file;
use super::gateway::GatewayConfig;
use super::record;
use super::registry::registry;
use super::store::{StoreArgs, StorePlace};
use crate::ui::text::file_name;

/// What makes a chain, and what is around it: what a file says, or what options have filled in its place.
#[derive(Debug)]
pub(crate) struct ChainSource {
    pub(crate) config: ChainConfig,
    /// What makes it.
    pub(crate) registry: Registry,
    /// What is around it in `drag-solver serve`.
    pub(crate) gateway: GatewayConfig,
    /// How the file is called, if there is one.
    file: Option<String>,
    /// Where the file is, which is where its paths begin.
    folder: PathBuf,
    /// The option that can take the place of what the file says.
    store: StoreArgs,
}

impl ChainSource {
    /// The chain in the file at `path`, with the store of the option in place of its own.
    pub(crate) fn of_file(path: &Path, store: &StoreArgs) -> anyhow::Result<Self> {
        let (mut config, registry, gateway) = file::parse(path)?;
        store.put_into(&mut config)?;
        Ok(Self {
            config,
            registry,
            gateway,
            file: Some(file_name(path)),
            folder: path.parent().map(Path::to_owned).unwrap_or_default(),
            store: store.clone(),
        })
    }

    /// What options have filled, and the store of the option.
    pub(crate) fn of_options(mut config: ChainConfig, store: &StoreArgs) -> anyhow::Result<Self> {
        store.put_into(&mut config)?;
        Ok(Self {
            config,
            registry: registry().clone().with_context(record::context()),
            gateway: GatewayConfig::default(),
            file: None,
            folder: PathBuf::new(),
            store: store.clone(),
        })
    }

    /// The same, with providers that call this receiver, if there is one.
    pub(crate) fn with_callbacks(mut self, receiver: Option<&CallbackReceiver>) -> Self {
        if let Some(receiver) = receiver {
            self.registry = self.registry.with_callbacks(receiver);
        }
        self
    }

    /// Where the store is, for a hint: that of the option, or else that of the file.
    pub(crate) fn store_place(&self) -> Option<StorePlace> {
        let of_file = || {
            let store = self.config.store.as_ref()?;
            let path = store.path.as_ref().map(|path| self.folder.join(path));
            Some(path.map_or(StorePlace::Unnamed, |path| StorePlace::file(&path)))
        };
        self.store.shown().or_else(of_file)
    }

    /// Makes the chain. Nothing is sent.
    ///
    /// # Errors
    ///
    /// One line that names the file and the key in it, or the option.
    pub(crate) fn build(&self) -> anyhow::Result<Chain> {
        self.build_with(ChainParts::default())
    }

    /// The same with parts that others share.
    pub(crate) fn build_with(&self, parts: ChainParts) -> anyhow::Result<Chain> {
        let built = self.config.build_with(&self.registry, parts);
        built.map_err(|error| self.in_place(error))
    }

    /// The same chain again, with what `old` knows.
    pub(crate) fn rebuild(&self, old: &Chain) -> anyhow::Result<Chain> {
        self.build_with(old.parts_for(&self.config))
    }

    /// A mistake in an option is told as one of the option, and one in the file with its name.
    fn in_place(&self, error: ConfigError) -> anyhow::Error {
        let error = self.store.named(error);
        match &self.file {
            Some(file) => anyhow!(error).context(file.clone()),
            // Here there is no file that the path would lead into.
            None if error.path().ends_with(".timeout") => anyhow!(error.renamed("--timeout")),
            None => anyhow!(error),
        }
    }
}
