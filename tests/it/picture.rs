//! The picture of README's first command.

use std::fs;
use std::path::Path;

use drag_solver::DragSolver as _;
use drag_solver::prelude::*;
use drag_solver::testing::pictures::{AnswerKey, TestPicture};

/// The seed that `examples/challenge.png` is drawn from.
const SEED: u64 = 1;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_picture_is_still_what_the_code_draws() {
    let drawn = TestPicture::draw(SEED).unwrap();
    let file = fs::read(root().join("examples/challenge.png")).unwrap();
    assert!(
        file == *drawn.screenshot().bytes(),
        "draw it again: cargo run -- challenge --seed {SEED} --force --out examples/challenge.png"
    );
}

#[tokio::test]
async fn readme_shows_the_true_drag_of_the_picture() {
    let screenshot = Screenshot::from_file(root().join("examples/challenge.png")).unwrap();
    let solution = AnswerKey
        .solve(&DragChallenge::new(screenshot))
        .await
        .unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let line = format!("\n{}  sandbox ", solution.drag());
    assert!(readme.contains(&line), "README.md does not show {line}");
}
