//! What a combinator around several solvers is called, and who answers to a name.

use drag_solver_core::DragSolver;

const SEPARATOR: char = '|';

/// `"a|b"` for the solvers `a` and `b`: each name once.
pub(crate) fn joined<S: DragSolver>(solvers: &[S]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in solvers.iter().flat_map(|s| s.name().split(SEPARATOR)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join("|")
}

/// Whether a solver called `name` is, or is a combinator around, the one called `provider`.
pub(crate) fn answers_to(name: &str, provider: &str) -> bool {
    name == provider || name.split(SEPARATOR).any(|part| part == provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_combinator_answers_to_every_name_inside() {
        assert!(answers_to("a", "a"));
        assert!(answers_to("a|b|c", "b"));
        assert!(!answers_to("a|bc", "b"));
        assert!(!answers_to("a", "a|b"));
    }
}
