//! People, as providers of a chain.

use std::sync::Arc;

use drag_solver_core::CheckSettings as _;
use serde::Deserialize;

use super::reader::Table;
use super::registry::ProviderKind;
use super::registry::Registry;
use crate::http::Context;
use crate::operators::{Desk, Operators, OperatorsPolicy};

/// What a file calls them.
const KIND: &str = "person";

/// What a person's table says besides when they are asked.
#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

impl Registry {
    /// Adds people as `person`: those who sit at `desk`. In a file, the settings are those of an [`OperatorsPolicy`].
    ///
    /// ```
    /// use drag_solver::config::{ChainConfig, Registry};
    /// use drag_solver::operators::{Desk, DeskPolicy};
    ///
    /// let desk = Desk::new(DeskPolicy::default());
    /// let registry = Registry::empty().with_operators(&desk);
    /// let file = r#"{"providers": [{"kind": "person", "price": "0.01", "when_absent": "wait"}]}"#;
    /// let config: ChainConfig = serde_json::from_str(file)?;
    /// assert_eq!(config.build(&registry)?.to_string(), "person.priced($0.01)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_operators(self, desk: &Desk) -> Self {
        let desk = desk.clone();
        let make = move |mut settings: Table, _: &Context| {
            let policy = settings.take();
            let own: Named = settings.take_last()?;
            let policy: OperatorsPolicy = policy?;
            policy.check()?;
            let mut people = Operators::new(&desk, policy);
            if let Some(name) = own.name {
                people = people.named(name);
            }
            Ok((Arc::new(people) as _, None))
        };
        self.with_kind(ProviderKind {
            name: KIND.to_owned(),
            aliases: &[],
            about: "the people at the page /operator of `drag-solver serve`".to_owned(),
            variables: Vec::new(),
            declared: None,
            make: Arc::new(make),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::ChainConfig;
    use crate::operators::DeskPolicy;
    use crate::{ConfigError, DragSolver as _};

    fn built(person: &Value) -> Result<String, ConfigError> {
        let desk = Desk::new(DeskPolicy::default());
        let registry = Registry::empty().with_operators(&desk);
        let config = ChainConfig::read(json!({"providers": [person]}))?;
        let chain = config.build(&registry)?;
        Ok(chain.name().to_owned())
    }

    #[test]
    fn people_are_named_and_set_by_their_table() {
        assert_eq!(built(&json!({"kind": "person"})).unwrap(), "person");
        let named =
            json!({"kind": "person", "name": "night-shift", "max_wait": "10s", "price": "0.01"});
        assert_eq!(built(&named).unwrap(), "night-shift");
    }

    #[test]
    fn what_is_wrong_in_it_is_told_with_its_place() {
        for (key, value, path) in [
            ("when_absnt", json!("wait"), "providers.person"),
            (
                "when_absent",
                json!("waits"),
                "providers.person.when_absent",
            ),
            ("max_waiting", json!(0), "providers.person.max_waiting"),
            (
                "answer_timeout",
                json!("0s"),
                "providers.person.answer_timeout",
            ),
        ] {
            let mut person = json!({"kind": "person"});
            person[key] = value;
            let error = built(&person).unwrap_err().to_string();
            assert!(error.contains(path), "{key}: {error}");
        }
    }
}
