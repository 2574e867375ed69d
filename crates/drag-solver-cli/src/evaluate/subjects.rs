//! Who is measured, and what that may cost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};
use drag_solver::config::{Chain, ChainConfig, human_duration};
use drag_solver::evaluate::Evaluation;
use drag_solver::evaluate::propose::ProviderEntry;
use drag_solver::{Budget, BudgetPolicy, DragSolver, DragSolverExt as _, Usd};

use crate::chain::options::{check_credentials, kinds, names, provider};
use crate::chain::registry::PERSON;
use crate::chain::source::ChainSource;
use crate::chain::store::StoreArgs;
use crate::parse::{poll_interval, price};
use crate::ui::text::{file_name, one_line};

/// The options that say who is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct SubjectArgs {
    /// A provider to measure, by itself and asked once for each picture, also one that `drag-solver services` lists; any
    /// number. Without it and --config: those whose credentials are in the environment, else the sandbox
    #[arg(long = "provider", value_name = "NAME", value_parser = names())]
    names: Vec<String>,

    /// A chain to measure as it is, in this file; any number. It is called by the file's name
    #[arg(long = "config", value_name = "TOML")]
    configs: Vec<PathBuf>,

    /// The most that an answer of a provider costs, in US dollars, as in omocaptcha=0.0009; of a chain, its file says it
    #[arg(long = "price", value_name = "NAME=USD", value_parser = price)]
    prices: Vec<(String, Usd)>,

    /// Time between two questions whether a job is done, instead of the providers' own advice
    #[arg(long, value_name = "DURATION", value_parser = poll_interval)]
    poll_interval: Option<Duration>,
}

/// One that is measured.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    solver: Arc<dyn DragSolver>,
    /// The kind of a provider that is measured by itself; none of a chain.
    kind: Option<&'static str>,
    /// The most that one purchase costs, in US dollars.
    price: Option<Usd>,
    /// The most that one call costs.
    worst: Option<Usd>,
}

/// All that are measured.
#[derive(Debug)]
pub(crate) struct Subjects {
    all: Vec<Subject>,
    poll_interval: Option<Duration>,
}

impl SubjectArgs {
    /// Makes them ready. Nothing is sent.
    pub(crate) fn subjects(&self, limit: Duration) -> anyhow::Result<Subjects> {
        let mut prices: BTreeMap<&str, Usd> = BTreeMap::new();
        for (name, usd) in &self.prices {
            let twice = prices.insert(name, *usd).is_some();
            ensure!(!twice, "--price {} is given twice", one_line(name));
        }
        let mut all = Vec::new();
        if self.configs.is_empty() || !self.names.is_empty() {
            let kinds = kinds(&self.names)?;
            ensure!(
                !kinds.contains(&PERSON),
                "--provider person: people answer on the page of `drag-solver serve`, and cannot be measured here"
            );
            check_credentials(&kinds)?;
            for kind in kinds {
                let price = prices.remove(kind);
                let chain = self.provider(kind, price, limit)?;
                all.push(Subject::new(kind.to_owned(), Some(kind), chain));
            }
        }
        for path in &self.configs {
            all.push(Subject::new(name_of(path), None, file_chain(path)?));
        }
        if let Some((name, _)) = prices.first_key_value() {
            bail!(
                "--price {}: no provider of that name is measured by itself; the price of one in a chain is in its file",
                one_line(name)
            );
        }
        Ok(Subjects {
            all,
            poll_interval: self.poll_interval,
        })
    }

    fn provider(&self, kind: &str, price: Option<Usd>, limit: Duration) -> anyhow::Result<Chain> {
        let mut provider = provider(kind, limit, self.poll_interval)?;
        if let Some(price) = price {
            provider = provider.price(price);
        }
        ChainSource::of_options(ChainConfig::new([provider]), &StoreArgs::default())?.build()
    }
}

/// What a chain is called: its file, without folders and ending.
fn name_of(path: &Path) -> String {
    let name = path.file_stem().unwrap_or(path.as_os_str());
    one_line(&name.to_string_lossy())
}

fn file_chain(path: &Path) -> anyhow::Result<Chain> {
    let chain = ChainSource::of_file(path, &StoreArgs::default())?.build()?;
    let is_person = chain.providers().iter().any(|one| one.kind == PERSON);
    ensure!(
        !is_person,
        "{} asks people, who answer on the page of `drag-solver serve`, and cannot be measured here",
        file_name(path)
    );
    Ok(chain)
}

impl Subject {
    fn new(name: String, kind: Option<&'static str>, chain: Chain) -> Self {
        // Of each provider, what one answer costs at most; of a chain, the most expensive.
        let of_provider = |solver: &dyn DragSolver| {
            let worst = solver.profile().worst_case;
            let purchases = worst.purchases?.try_into().ok()?;
            Some(worst.cost? / purchases)
        };
        let prices = chain
            .providers()
            .iter()
            .map(|one| of_provider(&*one.solver));
        let prices: Option<Vec<Usd>> = prices.collect();
        Self {
            name,
            kind,
            price: prices.and_then(|prices| prices.into_iter().max()),
            worst: chain.profile().worst_case.cost,
            solver: Arc::new(chain),
        }
    }

    fn is_free(&self) -> bool {
        self.worst == Some(Usd::ZERO)
    }
}

/// What measuring may cost at most.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AtMost {
    /// So much, in US dollars.
    Usd(Usd),
    /// It is not known of these.
    Unknown(Vec<String>),
}

impl Subjects {
    /// What so many calls of each may cost at most.
    pub(crate) fn at_most(&self, calls: &[u64]) -> AtMost {
        let asked = self.all.iter().zip(calls).filter(|(_, calls)| **calls > 0);
        let (mut sum, mut unknown) = (Usd::ZERO, Vec::new());
        for (subject, calls) in asked {
            match subject.worst {
                Some(worst) => sum = sum + worst * u32::try_from(*calls).unwrap_or(u32::MAX),
                None => unknown.push(subject.name.clone()),
            }
        }
        if unknown.is_empty() {
            AtMost::Usd(sum)
        } else {
            AtMost::Unknown(unknown)
        }
    }

    /// Puts all of them into the evaluation, each spending from the budget if there is one.
    ///
    /// # Errors
    ///
    /// There is a budget, and what one of them costs is not known.
    pub(crate) fn put_into(
        &self,
        evaluation: Evaluation,
        budget: Option<Usd>,
    ) -> anyhow::Result<Evaluation> {
        let budget = budget.map(|usd| Budget::new(BudgetPolicy::default().total(usd)));
        let mut evaluation = evaluation;
        for subject in &self.all {
            let solver = Arc::clone(&subject.solver);
            evaluation = match (&budget, subject.price) {
                (Some(_), _) if subject.is_free() => evaluation.solver(&*subject.name, solver),
                (None, _) => evaluation.solver(&*subject.name, solver),
                (Some(budget), Some(price)) => {
                    evaluation.solver(&*subject.name, solver.budget(budget, price))
                }
                (Some(_), None) => bail!("--budget needs to know what {}", subject.price_missing()),
            };
        }
        Ok(evaluation)
    }

    /// Those that a chain can be made of: the providers that are measured by themselves.
    pub(crate) fn members(&self) -> Vec<usize> {
        let all = self.all.iter().enumerate();
        all.filter(|(_, one)| one.kind.is_some())
            .map(|(index, _)| index)
            .collect()
    }

    /// Refuses to propose a chain of those whose price is not known.
    pub(crate) fn check_proposable(&self) -> anyhow::Result<()> {
        let members = self.members();
        ensure!(
            !members.is_empty(),
            "--propose makes a chain of providers that are measured by themselves: add --provider"
        );
        let mut members = members.iter().filter_map(|&index| self.all.get(index));
        match members.find(|one| one.price.is_none()) {
            Some(subject) => bail!("--propose needs to know what {}", subject.price_missing()),
            None => Ok(()),
        }
    }

    /// How one of them is written in a chain's file.
    pub(crate) fn entry(&self, index: usize) -> ProviderEntry {
        let subject = self.all.get(index);
        let mut policies = vec!["validate = true".to_owned(), "fit = true".to_owned()];
        if let Some(interval) = self.poll_interval {
            let interval = human_duration::display(interval);
            policies.push(format!(
                "poll = {{ first = \"{interval}\", every = \"{interval}\" }}"
            ));
        }
        ProviderEntry {
            kind: subject
                .and_then(|one| one.kind)
                .unwrap_or_default()
                .to_owned(),
            name: None,
            price: subject
                .filter(|one| !one.is_free())
                .and_then(|one| one.price),
            policies,
        }
    }
}

impl Subject {
    fn price_missing(&self) -> String {
        let name = &self.name;
        match self.kind {
            Some(_) => format!("an answer of {name} costs: add --price {name}=USD"),
            None => format!("a call of {name} costs: set `price` of each provider in its file"),
        }
    }
}
