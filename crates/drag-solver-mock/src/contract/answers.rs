//! What a solver says: its name, its answers, its errors.

use std::error::Error;

use drag_solver_core::{
    Charge, DragChallenge, ErrorKind, Rect, Solution, SolveError, Verdict, WorstCase,
};
use tokio::time::timeout;

use super::drive::{solve, solve_with};
use super::{Finding, Subject};

/// What breaks a request that is put together by hand.
const ODD_TEXT: &str = "Kéo \"mảnh ghép\"\\ \u{0}\n</script> {} %s \u{1F9E9}\u{202E}";

/// Longest name, in characters: it is a label in every log line and metric.
const MAX_NAME: usize = 64;

/// The name is short, stable and lower case: it labels errors, logs and metrics. Visible ASCII
/// characters, as in `omocaptcha` or, for a chain, `a|b`.
pub fn the_name_is_a_label(subject: &Subject<'_>) -> Finding {
    let name = subject.solver.name();
    let is_label = |c: char| c.is_ascii_graphic() && !c.is_ascii_uppercase();
    let result = if name.is_empty() || name.len() > MAX_NAME {
        Err(format!("`{name}` must have 1 to {MAX_NAME} characters"))
    } else if let Some(odd) = name.chars().find(|&c| !is_label(c)) {
        Err(format!(
            "`{name}` has {odd:?} in it: use visible lower-case ASCII characters"
        ))
    } else if subject.solver.name() != name {
        Err(format!("`{name}` was another name when asked again"))
    } else {
        Ok(())
    };
    Finding::from_result(result)
}

/// `Debug`, plain and pretty, shows none of the secrets. Skipped if there are none.
pub fn debug_hides_secrets(subject: &Subject<'_>) -> Finding {
    if !subject.has_secrets() {
        return Finding::Skipped("no secret was named with `hiding`".to_owned());
    }
    let solver = subject.solver;
    Finding::from_result(
        subject
            .check_hidden("Debug", &format!("{solver:?}"))
            .and_then(|()| subject.check_hidden("pretty Debug", &format!("{solver:#?}"))),
    )
}

/// The solvable challenge is solved: by the solver itself, with a drag on the picture, at no
/// negative cost and within its own worst case, and with the expected drag if one is known.
pub async fn a_known_challenge_is_solved(subject: &Subject<'_>) -> Finding {
    let result = match solve(subject, &subject.solvable).await {
        Ok(Ok(solution)) => check_solution(subject, &subject.solvable, &solution),
        Ok(Err(error)) => Err(format!("it failed: {error}")),
        Err(stuck) => Err(stuck),
    };
    Finding::from_result(result)
}

/// What every solution must be.
pub(super) fn check_solution(
    subject: &Subject<'_>,
    challenge: &DragChallenge,
    solution: &Solution,
) -> Result<(), String> {
    let shot = challenge.screenshot();
    let drag = solution.drag();
    drag.check(shot.width(), shot.height(), 0.0)
        .map_err(|error| error.to_string())?;
    check_provider(subject, "the solution", solution.provider())?;
    subject.check_hidden("the Debug of a solution", &format!("{solution:?}"))?;
    if let Some(cost) = solution.cost() {
        let worst: WorstCase = subject.solver.worst_case();
        if cost.is_negative() {
            return Err(format!("it cost {cost} dollars, less than nothing"));
        }
        if worst.cost.is_some_and(|worst| cost > worst) {
            return Err(format!(
                "it cost {cost} dollars, more than its worst case ({worst})"
            ));
        }
    }
    let Some((expected, tolerance)) = &subject.expected else {
        return Ok(());
    };
    let off = drag.start.distance(expected.start);
    let off = off.max(drag.end.distance(expected.end));
    if off > *tolerance {
        return Err(format!(
            "it answered {drag}, and the answer is {expected}: {off:.1} px off"
        ));
    }
    Ok(())
}

fn check_provider(subject: &Subject<'_>, what: &str, provider: &str) -> Result<(), String> {
    if subject.providers.iter().any(|name| name == provider) {
        return Ok(());
    }
    Err(format!(
        "{what} says it is from `{provider}`, and only {:?} may answer",
        subject.providers
    ))
}

/// What else a challenge says (an instruction in any characters, a region that is the whole
/// picture) keeps it from nothing: it is solved as without.
pub async fn an_instruction_and_a_region_do_no_harm(subject: &Subject<'_>) -> Finding {
    let shot = subject.solvable.screenshot();
    let whole = Rect::new(0.0, 0.0, shot.width().into(), shot.height().into());
    let challenge = subject.solvable.clone().with_instruction(ODD_TEXT);
    let result = match challenge.with_region(whole) {
        Ok(challenge) => match solve(subject, &challenge).await {
            Ok(Ok(solution)) => check_solution(subject, &challenge, &solution),
            Ok(Err(error)) => Err(format!("it failed: {error}")),
            Err(stuck) => Err(stuck),
        },
        Err(error) => Err(error.to_string()),
    };
    Finding::from_result(result)
}

/// A report about a solution is taken, or refused with [`ErrorKind::Unsupported`]. Skipped, once it
/// has said that, as there is nothing else to see.
pub async fn reports_are_answered(subject: &Subject<'_>) -> Finding {
    let solution = match solve(subject, &subject.solvable).await {
        Ok(Ok(solution)) => solution,
        Ok(Err(error)) => return Finding::Violated(format!("there is nothing to report: {error}")),
        Err(stuck) => return Finding::Violated(stuck),
    };
    for verdict in [Verdict::Correct, Verdict::Incorrect] {
        let report = subject.solver.report(&solution, verdict);
        match timeout(subject.patience, report).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.kind() == ErrorKind::Unsupported => {
                let checked = check_error(subject, &error);
                return match checked {
                    Ok(()) => Finding::Skipped(format!("no report of {verdict:?} is taken")),
                    Err(what) => Finding::Violated(what),
                };
            }
            Ok(Err(error)) => {
                return Finding::Violated(format!("a report of {verdict:?} failed: {error}"));
            }
            Err(_) => return Finding::Violated("a report was stuck".to_owned()),
        }
    }
    Finding::from_result(check_stranger(subject, &solution).await)
}

/// A solution that was read from a file, with a route that leads nowhere and somebody else's name
/// on it, is nothing to report on. It may be refused or ignored, with any error that is sensible.
async fn check_stranger(subject: &Subject<'_>, solution: &Solution) -> Result<(), String> {
    let nobody = Solution::new(*solution.drag(), "nobody");
    let routes = [0, 1, usize::MAX].map(|child| nobody.clone().routed_via(child));
    for stranger in [nobody].into_iter().chain(routes) {
        let report = subject.solver.report(&stranger, Verdict::Correct);
        match timeout(subject.patience, report).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => check_error(subject, &error)?,
            Err(_) => return Err("a report on nobody's solution was stuck".to_owned()),
        }
    }
    Ok(())
}

/// The error of each challenge that cannot be solved is of the kind that was named for it, names
/// the solver, says something, hides the secrets, and agrees with itself about money. Skipped if no
/// such challenge was named.
pub async fn errors_are_sensible(subject: &Subject<'_>) -> Finding {
    if subject.failures.is_empty() {
        return Finding::Skipped("no challenge was named with `failing`".to_owned());
    }
    for failure in &subject.failures {
        let expected = failure.kind.map_or("any error", ErrorKind::as_str);
        let solver = failure.elsewhere.unwrap_or(subject.solver);
        let result = match solve_with(subject, solver, &failure.challenge).await {
            Ok(Err(error)) if failure.kind.is_some_and(|kind| kind != error.kind()) => {
                Err(format!("the error is not {expected}: {error}"))
            }
            Ok(Err(error)) => check_error(subject, &error),
            Ok(Ok(solution)) => Err(format!(
                "in place of {expected} it was solved after all: {}",
                solution.drag()
            )),
            Err(stuck) => Err(stuck),
        };
        if let Err(what) = result {
            return Finding::Violated(what);
        }
    }
    Finding::Passed
}

/// What every error must be.
pub(super) fn check_error(subject: &Subject<'_>, error: &SolveError) -> Result<(), String> {
    match error.provider() {
        Some(provider) => check_provider(subject, "the error", provider)?,
        // Nobody in particular failed if all did.
        None if error.kind() == ErrorKind::AllFailed => {}
        None => return Err(format!("the error does not say who it is from: {error}")),
    }
    if error.message().is_empty() {
        return Err(format!("the error does not say what happened: {error}"));
    }
    if error.kind().is_local_refusal() && error.charge() != Charge::No {
        return Err(format!("nothing was sent, so nothing was charged: {error}"));
    }
    if error.job().is_some() && error.charge() == Charge::No {
        return Err(format!("an unfinished job was paid for: {error}"));
    }
    let texts = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    for text in texts.map(ToString::to_string) {
        subject.check_hidden("an error", &text)?;
    }
    subject.check_hidden("the Debug of an error", &format!("{error:?}"))
}
