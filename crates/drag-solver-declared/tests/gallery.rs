//! Every declaration of the gallery is sound, and says where it comes from.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed `unwrap` is a failed test

use std::collections::BTreeSet;
use std::fs;

use drag_solver_declared::testing::{TestOptions, test_with};
use drag_solver_declared::{Declared, Definition, Family, GALLERY};

fn services() -> impl Iterator<Item = Declared> {
    GALLERY.iter().map(|(name, text)| {
        let definition: Definition = toml::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        Declared::new(*name, definition).unwrap_or_else(|error| panic!("{name}: {error}"))
    })
}

#[test]
fn every_file_is_in_the_gallery_and_is_sound() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/services");
    let files = fs::read_dir(folder).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<_> = services()
        .map(|one| format!("{}.toml", one.name()))
        .collect();
    assert_eq!(names, files.collect());
    let mut families = BTreeSet::new();
    for service in services() {
        let definition = service.definition();
        for said in [&definition.about, &definition.source, &definition.read] {
            assert!(
                said.as_ref().is_some_and(|text| !text.is_empty()),
                "{}",
                service.name()
            );
        }
        // Nothing was tried on the real one, so something is always a guess.
        assert!(!definition.guessed.is_empty(), "{}", service.name());
        families.insert(match definition.family {
            Some(Family::CreateTask) => "createTask",
            Some(Family::CreateJob) => "createJob",
            Some(Family::InPhp) => "in.php",
            _ => "its own",
        });
    }
    assert!(names.len() >= 12 && families.len() == 4, "{families:?}");
}

#[test]
fn a_service_of_a_family_has_at_most_eight_lines_that_matter() {
    for name in ["solvecaptcha", "capguru", "azcaptcha", "captchaai", "sctg"] {
        let (_, text) = GALLERY.iter().find(|(known, _)| *known == name).unwrap();
        let is_setting = |line: &&str| !line.is_empty() && !line.starts_with('#');
        assert!(text.lines().filter(is_setting).count() <= 8, "{name}");
    }
}

#[test]
fn requests_are_shown_without_a_key() {
    for service in services() {
        let shown = service.preview();
        assert!(shown.starts_with("create: POST http"), "{shown}");
        assert!(shown.contains("[key]"), "{shown}");
    }
}

/// What `drag-solver service test` does, for one service of each shape. The gate does it for all of them,
/// with faults.
#[tokio::test]
async fn services_of_each_family_keep_the_contract() {
    let some = [
        "capzy",
        "betacaptcha",
        "solvecaptcha",
        "deathbycaptcha",
        "solvecha",
    ];
    for service in services().filter(|service| some.contains(&service.name())) {
        let few = TestOptions::default().without_faults();
        let report = test_with(&service, few).await.unwrap();
        assert!(report.passed(), "{}\n{report}", service.name());
    }
}
