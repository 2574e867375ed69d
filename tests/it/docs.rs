//! What the pages for people say, held against the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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
