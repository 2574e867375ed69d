//! What the pages for people say, held against the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use drag_solver::config::{ChainConfig, Registry};
use drag_solver::prelude::*;
use drag_solver::testing::contract::{self, SolverUnderTest};
use drag_solver::testing::{MockSolver, fixtures};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The cells of every row of every table.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(str::trim).collect())
        .collect()
}

/// The words in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The names of all tests of the workspace.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![
        root().join("examples"),
        root().join("crates"),
        root().join("tests"),
        root().join("benches"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some("rs".as_ref()) {
                names.extend(tests_in(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(names.len() > 300, "found only {} tests", names.len());
    names
}

/// A `#[test]` or `#[tokio::test]`, perhaps other attributes, and then the function.
fn tests_in(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in code.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if is_test && !line.starts_with('#') && !line.starts_with("//") {
            let (_, rest) = line.split_once("fn ").unwrap_or_default();
            found.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
            is_test = false;
        }
    }
    found
}

#[test]
fn every_path_that_architecture_names_exists() {
    let page = page("ARCHITECTURE.md");
    let mut paths = quoted(&page);
    paths.retain(|path| path.starts_with("crates/"));
    assert!(paths.len() >= 30, "found only {paths:?}");
    for path in paths {
        assert!(
            root().join(path).exists(),
            "ARCHITECTURE.md: there is no {path}"
        );
    }
}

#[test]
fn every_test_that_security_names_exists() {
    let page = page("SECURITY.md");
    let known = tests();
    let mut count = 0;
    for row in rows(&page)
        .iter()
        .filter(|row| row.len() == 3 && row[2] != "shown by")
    {
        let names = quoted(row[2]);
        assert!(!names.is_empty(), "nothing shows that it cannot {}", row[1]);
        for name in names {
            assert!(
                known.contains(name),
                "SECURITY.md: there is no test `{name}`"
            );
            count += 1;
        }
    }
    assert!(count >= 20, "found only {count}");
}

#[test]
fn readme_says_of_every_kind_of_error_what_the_code_says() {
    let page = page("README.md");
    let mut listed = BTreeSet::new();
    for row in rows(&page).iter().filter(|row| row.len() == 3) {
        for name in quoted(row[0]) {
            let Some(kind) = ErrorKind::ALL.iter().find(|kind| kind.as_str() == name) else {
                continue;
            };
            let recovery = match kind.recovery() {
                _ if *kind == ErrorKind::AllFailed => "the mildest of its parts",
                Recovery::Retry => "retry",
                Recovery::Switch => "switch",
                Recovery::Stop => "stop",
            };
            assert_eq!(row[2], recovery, "README.md: {name}");
            assert!(listed.insert(name), "README.md: {name} is listed twice");
        }
    }
    let all: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(listed, all, "README.md");
}

#[tokio::test(start_paused = true)]
async fn the_page_for_providers_explains_every_check() {
    let page = page("docs/write-a-provider.md");
    let solver = MockSolver::new("mock").always(fixtures::drag());
    let subject = SolverUnderTest::new(&solver, fixtures::challenge());
    let report = contract::run(&subject).await;
    let checks: BTreeSet<_> = report.findings().iter().map(|(check, _)| *check).collect();
    let explained: BTreeSet<_> = rows(&page).iter().flat_map(|row| quoted(row[0])).collect();
    let missing: Vec<_> = checks.difference(&explained).collect();
    assert!(
        missing.is_empty(),
        "docs/write-a-provider.md does not explain {missing:?}"
    );
}

/// The keys of a declaration, its requests and its rows.
#[test]
fn the_page_on_declared_services_names_every_key_and_placeholder() {
    let page = page("docs/declared-services.md");
    let refusal = |toml: &str| {
        let chain = format!("{toml}\n[[providers]]\nkind = \"x\"");
        let error = ChainConfig::read(toml::Deserializer::parse(&chain).unwrap()).unwrap_err();
        error.to_string()
    };
    for table in [
        "", ".create", ".state", ".answer", ".limits", ".cost", ".codes", ".report",
    ] {
        let refusal = refusal(&format!("[services.x{table}]\n\"%\" = 1"));
        let (_, known) = refusal.split_once(": there are ").unwrap();
        for key in known.split(", ").map(|key| key.trim_matches('`')) {
            let is_named = page.contains(&format!("`{key}`"))
                || page.contains(&format!("{key} ="))
                || page.contains(&format!(".{key}`"));
            assert!(
                is_named,
                "docs/declared-services.md does not name {table} {key}"
            );
        }
    }
    let text = "[services.x]\nkey = \"A\"\nbase_url = \"https://x\"\ncreate = { path = \"a\", json = \"{%%%}\" }\n\
                [[providers]]\nkind = \"x\"";
    let config: ChainConfig = toml::from_str(text).unwrap();
    let refusal = config.build(&Registry::empty()).unwrap_err().to_string();
    let (_, known) = refusal.split_once(": there are ").unwrap();
    let placeholders = quoted(known);
    assert!(placeholders.len() > 10, "{refusal}");
    for name in placeholders {
        assert!(
            page.contains(&format!("`{{{name}")),
            "docs/declared-services.md does not name {name}"
        );
    }
}

/// The examples of declarations can be copied.
#[test]
fn the_declarations_on_the_pages_are_sound() {
    let mut sound = 0;
    for name in ["README.md", "docs/declared-services.md"] {
        let page = page(name);
        let blocks = page.split("```toml\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap());
        for block in blocks.filter(|block| block.contains("[services")) {
            // The file beside it is not there.
            let here: String = block
                .lines()
                .filter(|line| !line.contains("a file beside"))
                .fold(String::new(), |text, line| text + line + "\n");
            let config: ChainConfig =
                toml::from_str(&here).unwrap_or_else(|e| panic!("{name}: {e}"));
            let variables = |name: &str| name.ends_with("_KEY").then(|| "0123".into());
            let registry = Registry::standard().with_variables(variables);
            config
                .build(&registry)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            sound += 1;
        }
    }
    assert_eq!(sound, 2);
}
