//! The rules of the house that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &Path) -> Table {
    let file = folder.join("Cargo.toml");
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    text.parse()
        .unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// Every crate under `crates/`, by name.
fn crates() -> Vec<(String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                path,
            )
        })
        .collect();
    found.sort();
    assert!(found.len() >= 7, "found only {found:?}");
    found
}

fn members() -> Vec<(String, PathBuf)> {
    let mut all = crates();
    for folder in ["examples", "benches", "tests"] {
        all.push((folder.to_owned(), root().join(folder)));
    }
    all
}

/// The normal dependencies of a package that are ours.
fn our_dependencies(manifest: &Table) -> Vec<String> {
    manifest
        .get("dependencies")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::keys)
        .filter(|name| name.starts_with("drag-solver"))
        .cloned()
        .collect()
}

#[test]
fn every_member_inherits_lints_and_versions() {
    for (name, folder) in members() {
        let manifest = manifest(&folder);
        let lints = &manifest["lints"]["workspace"];
        assert_eq!(
            lints.as_bool(),
            Some(true),
            "{name}: [lints] workspace = true"
        );
        for key in ["version", "edition", "rust-version", "license"] {
            let inherited = manifest["package"][key]
                .get("workspace")
                .and_then(Value::as_bool);
            assert_eq!(inherited, Some(true), "{name}: {key}.workspace = true");
        }
    }
}

#[test]
fn libraries_and_commands_have_no_libtest_bench() {
    for (name, folder) in crates() {
        let manifest = manifest(&folder);
        let mut targets: Vec<&Value> = manifest.get("lib").into_iter().collect();
        if let Some(bins) = manifest.get("bin").and_then(Value::as_array) {
            targets.extend(bins);
        }
        assert!(
            !targets.is_empty(),
            "{name} states neither [lib] nor [[bin]]"
        );
        for target in targets {
            let bench = target.get("bench").and_then(Value::as_bool);
            assert_eq!(bench, Some(false), "{name}: bench = false");
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    let allowed = |name: &str| -> &[&str] {
        match name {
            "drag-solver-core" => &[],
            "drag-solver-combinators"
            | "drag-solver-http"
            | "drag-solver-image"
            | "drag-solver-mock" => &["drag-solver-core"],
            "drag-solver" | "drag-solver-cli" => &["*"],
            _provider => &["drag-solver-core", "drag-solver-http"],
        }
    };
    for (name, folder) in crates() {
        for dependency in our_dependencies(&manifest(&folder)) {
            let rule = allowed(&name);
            let fine = rule == ["*"] || rule.contains(&dependency.as_str());
            assert!(fine, "{name} must not depend on {dependency}");
        }
    }
    for folder in ["examples", "benches", "tests"] {
        let ours = our_dependencies(&manifest(&root().join(folder)));
        assert!(
            ours.is_empty(),
            "{folder}: {ours:?} belong under [dev-dependencies]"
        );
    }
}

/// The crates that talk to a provider: those that build on the HTTP plumbing, the facade apart.
fn provider_crates() -> Vec<(String, PathBuf)> {
    let mut providers = crates();
    providers.retain(|(name, folder)| {
        !["drag-solver", "drag-solver-cli"].contains(&name.as_str())
            && our_dependencies(&manifest(folder)).contains(&"drag-solver-http".to_owned())
    });
    assert!(!providers.is_empty());
    providers
}

#[test]
fn every_provider_crate_runs_the_contract_suite() {
    for (name, folder) in provider_crates() {
        let runs_it = fs::read_dir(folder.join("tests"))
            .into_iter()
            .flatten()
            .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
            .any(|test| test.contains("contract::"));
        assert!(
            runs_it,
            "{name}: no file in its tests/ runs drag_solver_mock::contract"
        );
    }
}

#[test]
fn every_provider_crate_is_behind_a_feature_of_the_facade() {
    let facade = manifest(&root().join("crates/drag-solver"));
    for (name, _) in provider_crates() {
        let feature = name.trim_start_matches("drag-solver-");
        let listed = facade["features"].get(feature).is_some();
        assert!(
            listed,
            "crates/drag-solver has no feature `{feature}` for {name}"
        );
    }
}

/// So the command line knows it too: it has no list of its own.
#[test]
fn every_provider_crate_is_in_the_registry_and_has_its_page() {
    let registry = drag_solver::config::Registry::standard();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (name, _) in provider_crates() {
        let feature = name.trim_start_matches("drag-solver-");
        let kind = registry.find(feature);
        let kind = kind.unwrap_or_else(|| panic!("{name} is not in Registry::standard"));
        let page = format!("docs/providers/{feature}.md");
        let row = format!("({page}) | `{feature}` |");
        assert!(readme.contains(&row), "README.md has no row with {row}");
        let text = fs::read_to_string(root().join(&page)).unwrap();
        for variable in kind.variables() {
            assert!(text.contains(variable.name), "{page}: {}", variable.name);
        }
        // An unknown key is refused with all that are known: the page must name them.
        let refusal = drag_solver::config::ProviderConfig::new(feature).with("%", true);
        let refusal = registry.open(&refusal).unwrap_err().to_string();
        let (_, known) = refusal.split_once(": there are ").unwrap();
        for key in known.split(", ").map(|key| key.trim_matches('`')) {
            let is_policy = !text.contains(&format!("\n| `{key}` |"));
            let policies = [
                "budget",
                "circuit_breaker",
                "concurrency_limit",
                "fit",
                "kind",
                "price",
                "rate_limit",
                "retry",
                "timeout",
                "validate",
            ];
            assert_eq!(is_policy, policies.contains(&key), "{page}: `{key}`");
        }
        for word in ["report", "balance", "asked for the result", "pictures"] {
            assert!(text.contains(word), "{page} says nothing of `{word}`");
        }
    }
    assert_eq!(registry.kinds().count(), provider_crates().len());
}

#[test]
fn test_helpers_stay_out_of_normal_dependencies() {
    for (name, folder) in members() {
        let manifest = manifest(&folder);
        let Some(dependencies) = manifest.get("dependencies").and_then(Value::as_table) else {
            continue;
        };
        let features = dependencies
            .get("tokio")
            .and_then(|tokio| tokio.get("features"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for feature in features {
            assert_ne!(
                feature, "test-util",
                "{name}: only tests may stop the clock"
            );
            assert_ne!(
                feature, "full",
                "{name}: name the parts of tokio that are used"
            );
        }
    }
}

/// README and CONTRIBUTING promise it.
#[test]
fn a_provider_of_your_own_is_one_trait_in_under_a_hundred_lines() {
    let file = root().join("examples/custom_provider.rs");
    let code = fs::read_to_string(file).unwrap();
    let (_, from) = code.split_once("\nimpl JobApi for ").unwrap();
    let (implementation, _) = from.split_once("\n}\n").unwrap();
    let lines = implementation.lines().count() + 1;
    assert!(lines < 100, "{lines} lines");
    assert_eq!(code.matches("\nimpl JobApi for ").count(), 1);
    assert!(code.contains("contract::run("));
}
