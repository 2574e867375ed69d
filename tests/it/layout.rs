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
    assert!(found.len() >= 11, "found only {found:?}");
    found
}

/// Packages that nothing depends on, and that are never published.
const UNPUBLISHED: [&str; 3] = ["examples", "benches", "tests"];

fn members() -> Vec<(String, PathBuf)> {
    let mut all = crates();
    for folder in UNPUBLISHED {
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

/// Whether the arrows of ARCHITECTURE.md allow it.
fn may_depend_on(crate_name: &str, other: &str) -> bool {
    let core = "drag-solver-core";
    match crate_name {
        "drag-solver-core" => false,
        "drag-solver-combinators"
        | "drag-solver-http"
        | "drag-solver-image"
        | "drag-solver-mock"
        | "drag-solver-operators"
        | "drag-solver-wire" => other == core,
        "drag-solver-emulator" => [core, "drag-solver-wire"].contains(&other),
        // It times out its calls, and behind a feature keeps what it bought.
        "drag-solver-evaluate" => {
            [core, "drag-solver-combinators", "drag-solver-store"].contains(&other)
        }
        // Its sandbox is an emulator that knows the test pictures, and it tries declared services.
        "drag-solver-cli" => [
            "drag-solver",
            "drag-solver-declared",
            "drag-solver-emulator",
            "drag-solver-gateway",
            "drag-solver-mock",
        ]
        .contains(&other),
        "drag-solver-gateway" => {
            let tests = "drag-solver-mock";
            [core, "drag-solver", "drag-solver-wire", tests].contains(&other)
        }
        // Behind a feature it makes doubles of services, and tries them.
        "drag-solver-declared" => [
            core,
            "drag-solver-emulator",
            "drag-solver-http",
            "drag-solver-mock",
        ]
        .contains(&other),
        "drag-solver" => !["drag-solver-cli", "drag-solver-gateway"].contains(&other),
        _provider => [core, "drag-solver-http"].contains(&other),
    }
}

#[test]
fn dependencies_point_one_way() {
    for (name, folder) in crates() {
        for dependency in our_dependencies(&manifest(&folder)) {
            let fine = may_depend_on(&name, &dependency);
            assert!(fine, "{name} must not depend on {dependency}");
        }
    }
    for folder in UNPUBLISHED {
        let ours = our_dependencies(&manifest(&root().join(folder)));
        assert!(
            ours.is_empty(),
            "{folder}: {ours:?} belong under [dev-dependencies]"
        );
    }
}

/// Each crate can be published as it is, but for the address of the repository.
#[test]
fn every_crate_has_what_a_registry_shows() {
    let workspace = manifest(&root());
    let shared = workspace["workspace"]["package"].as_table().unwrap();
    assert!(shared.contains_key("repository"));
    for (name, folder) in crates() {
        let package = &manifest(&folder)["package"];
        let description = package["description"].as_str().unwrap();
        assert!(description.ends_with('.'), "{name}: {description}");
        for key in ["license", "repository", "keywords"] {
            assert_eq!(
                package[key]["workspace"].as_bool(),
                Some(true),
                "{name}: {key}"
            );
        }
        assert!(package.get("categories").is_some(), "{name}: categories");
        assert!(
            package.get("publish").is_none(),
            "{name}: is to be published"
        );
        let docs = &package["metadata"]["docs"]["rs"];
        assert_eq!(docs["all-features"].as_bool(), Some(true), "{name}");
        assert_eq!(package["readme"].as_str(), Some("README.md"), "{name}");
        for file in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let theirs = fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(theirs == fs::read(root().join(file)).unwrap(), "{name}");
        }
    }
    for folder in UNPUBLISHED {
        let publish = &manifest(&root().join(folder))["package"]["publish"];
        assert_eq!(publish.as_bool(), Some(false), "{folder}");
    }
}

/// A registry and docs.rs have the crate and nothing around it: no link may leave it by a path.
#[test]
fn no_crate_links_to_files_outside_of_it() {
    let mut looked_at = 0;
    for (name, folder) in crates() {
        let readme = folder.join("README.md");
        let text = fs::read_to_string(&readme).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(text.starts_with(&format!("# {name}\n")), "{name}");
        let mut pages = vec![readme];
        pages.extend(files_in(&folder.join("src")));
        for page in pages {
            let text = fs::read_to_string(&page).unwrap();
            let docs = text
                .lines()
                .map(str::trim_start)
                .filter(|line| page.extension() != Some("rs".as_ref()) || line.starts_with("//"));
            for link in docs.flat_map(|line| line.split("](").skip(1)) {
                let is_path = link.starts_with("..") || link.starts_with('/');
                let file = Path::new(link.split([')', '#']).next().unwrap());
                let is_file = file.extension() == Some("md".as_ref());
                let page = page.display();
                assert!(
                    !is_path && (!is_file || link.contains("://")),
                    "{page}: {link}"
                );
                looked_at += 1;
            }
            let code = !text.contains("include_str!(\"../../");
            assert!(
                code,
                "{}: includes a file of the repository",
                page.display()
            );
        }
    }
    assert!(looked_at > 100, "found only {looked_at} links");
}

/// All files in a folder and in those below it.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_in(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The crates that talk to a provider: those that build on the HTTP plumbing, the facade apart.
fn provider_crates() -> Vec<(String, PathBuf)> {
    let mut providers = crates();
    providers.retain(|(name, folder)| {
        // The facade, and what makes providers of files.
        !["drag-solver", "drag-solver-declared"].contains(&name.as_str())
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
        let mut text = fs::read_to_string(root().join(&page)).unwrap();
        if text.contains("(options.md)") {
            text += &fs::read_to_string(root().join("docs/providers/options.md")).unwrap();
        }
        for variable in &kind.variables {
            assert!(text.contains(&*variable.name), "{page}: {}", variable.name);
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
