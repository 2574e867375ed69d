//! What a combinator around several solvers is called, and who answers to a name.

use drag_solver_core::{DragChallenge, DragSolver, Solution};

const SEPARATOR: char = '|';

/// `"a|b"` for the solvers `a` and `b`: each name once.
pub(crate) fn joined<S: DragSolver>(solvers: &[S]) -> String {
    each_once(solvers.iter().map(DragSolver::name))
}

/// `"a|b"` for an answer that the solvers `a` and `b` agreed on.
pub(crate) fn of_parts(parts: &[Solution]) -> String {
    each_once(parts.iter().map(Solution::provider))
}

fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for name in names.flat_map(|name| name.split(SEPARATOR)) {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once.join("|")
}

/// Whether a solver called `name` is, or is a combinator around, the one called `provider`; or all of
/// them, if several are called together.
pub(crate) fn answers_to(name: &str, provider: &str) -> bool {
    let is_inside = |wanted: &str| name.split(SEPARATOR).any(|part| part == wanted);
    name == provider || provider.split(SEPARATOR).all(is_inside)
}

/// Indices of `solvers` in the order to ask them: those with a job to resume first, because that
/// buys nothing; apart from that, as they are listed.
pub(crate) fn resuming_first<S: DragSolver>(
    solvers: &[S],
    challenge: &DragChallenge,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..solvers.len()).collect();
    put_resuming_first(&mut order, solvers, challenge);
    order
}

/// Moves those with a job to resume to the front.
pub(crate) fn put_resuming_first<S: DragSolver>(
    order: &mut [usize],
    solvers: &[S],
    challenge: &DragChallenge,
) {
    if !challenge.paid_jobs().is_empty() {
        order.sort_by_key(|&child| !has_job(solvers[child].name(), challenge));
    }
}

/// Whether the solver called `name`, or one inside it, has a job to resume.
pub(crate) fn has_job(name: &str, challenge: &DragChallenge) -> bool {
    let mut jobs = challenge.paid_jobs().iter();
    jobs.any(|job| answers_to(name, &job.provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_combinator_answers_to_every_name_inside() {
        assert!(answers_to("a", "a"));
        assert!(answers_to("a|b|c", "b"));
        assert!(answers_to("a|b|c", "a|c"), "a quorum's answer");
        assert!(!answers_to("a|bc", "b"));
        assert!(!answers_to("a", "a|b"));
    }
}
