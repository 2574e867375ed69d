//! The table of features in the documentation.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::collections::BTreeSet;
use std::fs;

#[test]
fn the_documentation_lists_every_feature_and_no_other() {
    let root = env!("CARGO_MANIFEST_DIR");
    let manifest = fs::read_to_string(format!("{root}/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let features = manifest["features"].as_table().unwrap().keys();
    let features: BTreeSet<&str> = features.map(String::as_str).collect();
    assert_eq!(manifest["features"]["default"].as_array().unwrap().len(), 0);

    let docs = fs::read_to_string(format!("{root}/src/lib.rs")).unwrap();
    let rows = docs.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let listed = rows.map(|row| row.split_once("` | ").unwrap().0);
    let listed: BTreeSet<&str> = listed.chain(["default"]).collect();
    assert_eq!(listed, features);
}
