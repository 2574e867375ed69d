//! The providers this command knows.

use std::sync::LazyLock;

use drag_solver::config::{ProviderKind, Registry};
use drag_solver::operators::{Desk, DeskPolicy};

use crate::sandbox::Sandbox;

/// The kind of people, who answer only where their page is served.
pub(crate) const PERSON: &str = "person";

/// Every provider: those of the library, the sandbox, people, and the services of the gallery.
static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    Registry::standard()
        .with::<Sandbox>()
        .with_operators(desk())
        .with_gallery()
});

/// Where the people of every chain of this process sit.
static DESK: LazyLock<Desk> = LazyLock::new(|| Desk::new(DeskPolicy::default()));

pub(crate) fn desk() -> &'static Desk {
    &DESK
}

pub(crate) fn registry() -> &'static Registry {
    &REGISTRY
}

/// Those that are asked without being named, if there are credentials: what is only declared, and was not
/// tried on the real service, is not.
pub(crate) fn built_in() -> impl Iterator<Item = &'static ProviderKind> {
    registry().kinds().filter(|kind| kind.declared.is_none())
}

/// The one that goes by `name`.
pub(crate) fn find(name: &str) -> Option<&'static ProviderKind> {
    registry().find(name)
}

/// The variable that holds the credentials, for all but the sandbox.
pub(crate) fn credentials(kind: &ProviderKind) -> Option<&str> {
    kind.variables.first().map(|variable| &*variable.name)
}

/// All variables that have to be set: a service that is declared may have others beside its key.
pub(crate) fn all_credentials_of(kind: &ProviderKind) -> Vec<&str> {
    let has_to_be = |index: usize, has_default: bool| match kind.declared {
        Some(_) => !has_default,
        None => index == 0,
    };
    let all = kind.variables.iter().enumerate();
    all.filter(|(index, one)| has_to_be(*index, one.default.is_some()))
        .map(|(_, one)| &*one.name)
        .collect()
}

/// The variable that says where the provider is.
pub(crate) fn base_url(kind: &ProviderKind) -> Option<&str> {
    let mut names = kind.variables.iter().map(|variable| &*variable.name);
    names.find(|name| name.ends_with("_BASE_URL"))
}

/// The variables that hold credentials, in words: `A, B or C`.
pub(crate) fn all_credentials() -> String {
    let names: Vec<_> = built_in().filter_map(credentials).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox;

    #[test]
    fn every_name_and_alias_is_one_providers_alone() {
        let goes_by =
            |kind: &ProviderKind, name: &str| kind.name == name || kind.aliases.contains(&name);
        for kind in registry().kinds() {
            for name in [&*kind.name].iter().chain(kind.aliases) {
                let owners = registry().kinds().filter(|other| goes_by(other, name));
                assert_eq!(owners.count(), 1, "{name}");
                assert_eq!(find(name).map(|found| &found.name), Some(&kind.name));
            }
        }
    }

    #[test]
    fn credentials_are_listed_in_words() {
        assert_eq!(
            all_credentials(),
            "OMOCAPTCHA_API_TOKEN, TWOCAPTCHA_API_KEY or ANTICAPTCHA_API_KEY"
        );
    }

    #[test]
    fn every_provider_elsewhere_has_the_variables_that_hints_name() {
        for kind in registry().kinds() {
            let is_here = [sandbox::NAME, PERSON].contains(&&*kind.name);
            assert_eq!(credentials(kind).is_none(), is_here, "{kind:?}");
            assert_eq!(base_url(kind).is_none(), is_here, "{kind:?}");
            assert!(!kind.about.is_empty(), "{kind:?}");
        }
    }
}
