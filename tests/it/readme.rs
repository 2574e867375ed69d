//! README, and its Vietnamese translation: what is code is the same in both, and what it shows works.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use drag_solver::DragSolver;
use drag_solver::config::{ChainConfig, Registry};

fn page(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(name)).unwrap()
}

/// Code blocks with their language, and the text around them.
fn split(page: &str) -> (Vec<String>, String) {
    let (mut blocks, mut text) = (Vec::new(), String::new());
    for (index, part) in page.split("```").enumerate() {
        if index % 2 == 1 {
            blocks.push(part.to_owned());
        } else {
            text.push_str(part);
        }
    }
    (blocks, text)
}

/// What stands between two `marks`, in order.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(close)?.0))
        .collect()
}

fn code_spans(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// How many lines of each kind there are: headings and rows of tables, with what they begin with.
fn shape(text: &str) -> Vec<&str> {
    let begin = |line: &'_ str| -> Option<&'static str> {
        match line {
            _ if line.starts_with("## ") => Some("## "),
            _ if line.starts_with("# ") => Some("# "),
            _ if line.starts_with('|') => Some("|"),
            _ if line.starts_with("- ") => Some("- "),
            _ => None,
        }
    };
    text.lines().filter_map(begin).collect()
}

#[test]
fn the_translation_has_the_same_code_links_and_shape() {
    let (english, vietnamese) = (page("README.md"), page("README.vi.md"));
    let ((blocks, text), (their_blocks, their_text)) = (split(&english), split(&vietnamese));
    for (ours, theirs) in blocks.iter().zip(&their_blocks) {
        assert_eq!(ours, theirs, "a code block of README.vi.md is another");
    }
    assert_eq!(blocks.len(), their_blocks.len());
    assert_eq!(code_spans(&text), code_spans(&their_text));
    let links = |text| -> BTreeSet<_> { between(text, "](", ")").into_iter().collect() };
    assert_eq!(links(&text), links(&their_text));
    assert_eq!(shape(&text), shape(&their_text));
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in ["README.md", "README.vi.md"] {
        let (_, text) = split(&page(name));
        for link in between(&text, "](", ")") {
            let is_here = link.starts_with("http") || root.join(link).exists();
            assert!(is_here, "{name}: {link}");
        }
    }
}

#[test]
fn the_chain_it_shows_can_be_built() {
    let (blocks, _) = split(&page("README.md"));
    let chain = blocks.iter().find(|block| block.contains("[[providers]]"));
    let text = chain.unwrap().strip_prefix("toml").unwrap();
    let config: ChainConfig = toml::from_str(text).unwrap();
    let registry = Registry::standard().with_variables(|name| {
        ["OMOCAPTCHA_API_TOKEN", "TWOCAPTCHA_API_KEY"]
            .contains(&name)
            .then(|| "hunter2".into())
    });
    let chain = config.build(&registry).unwrap();
    assert_eq!(chain.name(), "first|twocaptcha");
    assert_eq!(chain.profile().worst_case.purchases, Some(4));
    assert_eq!(
        chain.profile().worst_case.cost,
        Some("0.0039".parse().unwrap())
    );
}
