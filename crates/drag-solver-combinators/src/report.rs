//! How a report finds its way through a combinator around several solvers.

use drag_solver_core::{DragSolver, ErrorKind, Solution, SolveError, Verdict};

use crate::names::answers_to;

/// Forwards a report to the solver that gave the answer, and nowhere else.
///
/// The solution knows the way. Where it does not (it was made by hand), or where another solver
/// stands there now (the chain was changed after the solution was logged), the report goes to the
/// solvers that answer to its provider's name; the first that accepts it ends the search.
pub(crate) async fn forward<S: DragSolver>(
    solvers: &[S],
    name: &str,
    solution: &Solution,
    verdict: Verdict,
) -> Result<(), SolveError> {
    let answers = |solver: &&S| answers_to(solver.name(), solution.provider());
    if let Some((child, inner)) = routed(solvers, solution) {
        return solvers[child].report(&inner, verdict).await;
    }
    let lost = without_route(solution);
    let mut refusal = None;
    for solver in solvers.iter().filter(answers) {
        match solver.report(&lost, verdict).await {
            Ok(()) => return Ok(()),
            Err(error) => refusal = Some(error),
        }
    }
    Err(refusal.unwrap_or_else(|| stranger(name, solution)))
}

/// The solver that gave the answer, and the solution as that one made it, if the solution knows.
pub(crate) fn routed<S: DragSolver>(
    solvers: &[S],
    solution: &Solution,
) -> Option<(usize, Solution)> {
    let (child, inner) = solution.unrouted()?;
    let solver = solvers.get(child)?;
    answers_to(solver.name(), solution.provider()).then_some((child, inner))
}

fn without_route(solution: &Solution) -> Solution {
    let mut inner = solution.clone();
    while let Some((_, deeper)) = inner.unrouted() {
        inner = deeper;
    }
    inner
}

fn stranger(name: &str, solution: &Solution) -> SolveError {
    SolveError::new(
        ErrorKind::Unsupported,
        format!(
            "this chain did not get the answer: it was found by {}, which is not in it",
            solution.provider()
        ),
    )
    .with_provider(name)
}
