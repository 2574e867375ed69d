//! Failures, explained to a person: what happened, what it cost, what to do next.

use std::error::Error as _;
use std::fmt::Write as _;

use drag_solver::store::OtherPicture;
use drag_solver::{Attempt, Billed, ErrorKind, SolveError};

use super::hints::{Asked, hints, how_to_resume};
use super::text::{billed, file_name, one_line, with_sources};
use crate::task::{Failure, Task};

/// All that a person reads about a task that came to nothing, without a line break at its end.
///
/// `asked` is what it was asked with.
pub(crate) fn explanation(task: &Task, failure: &Failure, asked: &Asked) -> String {
    let mut text = match failure {
        Failure::Unusable(error) => format!("error: {}; nothing was sent", error.message()),
        Failure::Misconfigured(error) if error.kind() != ErrorKind::AllFailed => {
            format!("error: {}", error.message())
        }
        Failure::Misconfigured(error) | Failure::Unsolved(error) => {
            return unsolved(task, error, asked);
        }
        Failure::Interrupted(error) => return interrupted(task, error, asked),
    };
    push_jobs(&mut text, task, failure.error(), asked);
    text
}

fn interrupted(task: &Task, error: &SolveError, asked: &Asked) -> String {
    let mut text = format!("interrupted: {}", file_name(&task.path));
    if error.billed() == Billed::No {
        text.push_str(": nothing was bought");
    }
    push_jobs(&mut text, task, error, asked);
    for attempt in error.attempts() {
        let outcome = match attempt.billed {
            Billed::Maybe if attempt.jobs.is_empty() => {
                "was being sent the picture and may have taken the order: only the account there \
                 shows whether it costs money"
            }
            Billed::Yes => "gave an answer that could not be used, and it cost money",
            _ => continue,
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {} {outcome}", solver(&attempt));
    }
    text
}

fn push_jobs(text: &mut String, task: &Task, error: &SolveError, asked: &Asked) {
    for job in error.unfinished_jobs() {
        let how = how_to_resume(task, &job, asked);
        let job = one_line(&job.to_string());
        let _ = write!(
            text,
            "\n  {job} is unfinished, and may cost money\n  hint: {how}"
        );
    }
}

/// The providers that were asked did not solve it.
fn unsolved(task: &Task, error: &SolveError, asked: &Asked) -> String {
    let mut attempts = error.attempts();
    let mut own_message = None;
    // One that no solver had a part in is no attempt, and a single one needs no list.
    if error.kind() != ErrorKind::AllFailed && (attempts.len() == 1 || error.solver().is_none()) {
        attempts.pop();
        let solver = error.solver().map(|solver| format!("{solver}: "));
        own_message = Some(solver.unwrap_or_default() + error.message());
    }
    let mut text = format!("error: {} was not solved", file_name(&task.path));
    if attempts.len() > 1 {
        let _ = write!(text, " in {} attempts", attempts.len());
    }
    if let Some(message) = own_message {
        let _ = write!(text, ": {message}");
    }
    let _ = write!(text, " ({}, {})", error.kind(), billed(error.billed()));
    for (number, attempt) in attempts.iter().enumerate() {
        let _ = write!(text, "\n  {}. {}", number + 1, attempt_line(attempt));
    }
    if let Some(cause) = cause(error) {
        let _ = write!(text, "\n  caused by: {cause}");
    }
    for hint in hints(task, error, asked) {
        let _ = write!(text, "\n  hint: {hint}");
    }
    text
}

fn solver(attempt: &Attempt) -> String {
    one_line(attempt.solver.as_deref().unwrap_or("no provider"))
}

fn attempt_line(attempt: &Attempt) -> String {
    let seconds = attempt.elapsed.as_secs_f64();
    let (kind, cost) = (attempt.kind, billed(attempt.billed));
    let mut line = format!(
        "{}, {seconds:.1} s: {} ({kind}, {cost}",
        solver(attempt),
        attempt.message
    );
    for job in &attempt.jobs {
        let _ = write!(line, ", job {} unfinished", job.id);
    }
    line.push(')');
    line
}

/// What is underneath. A chain's source is its last part, which is among its attempts already.
fn cause(error: &SolveError) -> Option<String> {
    let source = error.source()?;
    match source.downcast_ref::<SolveError>() {
        Some(part) => cause(part),
        // It is in the message, too.
        None if source.is::<OtherPicture>() => None,
        None => Some(with_sources(source)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use drag_solver::{JobId, PaidJob, Rect};

    use super::*;
    use crate::sandbox;

    fn task() -> Task {
        Task {
            path: PathBuf::from("phone.png"),
            id: None,
            region: None,
            paid_jobs: Vec::new(),
        }
    }

    fn unsolved(error: SolveError) -> String {
        explanation(&task(), &Failure::Unsolved(error), &Asked::default())
    }

    fn error(kind: ErrorKind, message: &str) -> SolveError {
        SolveError::new(kind, message)
            .with_solver("omocaptcha")
            .with_elapsed(Duration::from_millis(200))
    }

    fn slow(job: u64) -> SolveError {
        error(ErrorKind::Timeout, "no answer in 60s")
            .with_unfinished_jobs([PaidJob::new("omocaptcha", JobId::from(job))])
            .with_elapsed(Duration::from_secs(60))
    }

    #[test]
    fn one_failure_says_what_happened_what_it_cost_and_what_to_do() {
        let refused = error(ErrorKind::Unauthorized, "Invalid api token.")
            .with_source(std::io::Error::other("HTTP 401"));
        assert_eq!(
            unsolved(refused),
            "error: phone.png was not solved: omocaptcha: Invalid api token. \
             (unauthorized, cost nothing)\n  \
             caused by: HTTP 401\n  \
             hint: check OMOCAPTCHA_API_TOKEN"
        );
    }

    #[test]
    fn a_chain_tells_every_attempt_in_order_and_its_cause_once() {
        let down = error(ErrorKind::Unavailable, "connection refused");
        let slow = slow(7).with_source(std::io::Error::other("the socket"));
        assert_eq!(
            unsolved(SolveError::all_failed(vec![down, slow])),
            "error: phone.png was not solved in 2 attempts \
             (all_failed, may have cost money)\n  \
             1. omocaptcha, 0.2 s: connection refused (unavailable, cost nothing)\n  \
             2. omocaptcha, 60.0 s: no answer in 60s (timeout, may have cost money, job 7 unfinished)\n  \
             caused by: the socket\n  \
             hint: omocaptcha job 7 is unfinished; to wait for it instead of buying another: \
             drag-solver solve phone.png --resume omocaptcha:7\n  \
             hint: check the network and OMOCAPTCHA_BASE_URL, or name another provider with --provider\n  \
             hint: allow more time with --timeout"
        );
    }

    #[test]
    fn every_attempt_of_a_retry_is_told_once() {
        let first = error(ErrorKind::RateLimited, "busy");
        let last = error(ErrorKind::RateLimited, "still busy");
        assert_eq!(
            unsolved(last.with_failed_attempts(first.attempts())),
            "error: phone.png was not solved in 2 attempts (rate_limited, cost nothing)\n  \
             1. omocaptcha, 0.2 s: busy (rate_limited, cost nothing)\n  \
             2. omocaptcha, 0.2 s: still busy (rate_limited, cost nothing)\n  \
             hint: wait a little, or ask for less at a time with --concurrency"
        );
    }

    #[test]
    fn a_deadline_that_ended_a_chain_is_told_beside_the_attempts_before_it() {
        let down = error(ErrorKind::Unavailable, "connection refused");
        let late = SolveError::new(ErrorKind::DeadlineExceeded, "too late to ask sandbox");
        let text = unsolved(late.with_failed_attempts(down.attempts()));
        assert!(
            text.starts_with(
                "error: phone.png was not solved: too late to ask sandbox \
                 (deadline_exceeded, cost nothing)\n  1. omocaptcha, 0.2 s: connection refused"
            ),
            "{text}"
        );
        assert!(text.contains("--timeout"), "{text}");
    }

    #[test]
    fn the_sandbox_says_what_it_can_solve() {
        let gave_up = SolveError::new(ErrorKind::Unsolvable, "Job failed");
        let text = unsolved(gave_up.with_solver(sandbox::NAME));
        assert!(text.contains("`drag-solver challenge`"), "{text}");
        assert!(text.contains("OMOCAPTCHA_API_TOKEN"), "{text}");
    }

    #[test]
    fn what_is_pasted_asks_about_the_same_picture_in_the_same_way() {
        let task = Task {
            path: PathBuf::from("my phone.png"),
            id: Some("order 7".to_owned()),
            region: Some(Rect::new(0.0, 380.5, 510.0, 400.0)),
            paid_jobs: Vec::new(),
        };
        let asked = &Asked {
            config: Some(PathBuf::from("chain.toml")),
            ..Asked::default()
        };
        let command = "drag-solver solve --config chain.toml 'my phone.png' \
                       --id 'order 7' --region 0,380.5,510,400 --resume omocaptcha:7";
        for failure in [Failure::Unsolved(slow(7)), Failure::Interrupted(slow(7))] {
            let text = explanation(&task, &failure, asked);
            assert!(text.contains(command), "{text}");
        }
    }

    #[test]
    fn no_name_in_a_line_of_json_breaks_the_terminal_or_the_command() {
        let job = PaidJob::new("a\x1b[2J\n; reboot", JobId::from(7));
        let failed = SolveError::new(ErrorKind::Timeout, "x").with_unfinished_jobs([job]);
        for failure in [Failure::Unsolved(failed.clone()), Failure::Unusable(failed)] {
            let text = explanation(&task(), &failure, &Asked::default());
            assert!(
                !text.replace('\n', "").contains(char::is_control),
                "{text:?}"
            );
            assert!(
                text.contains(r"--resume $'a\033[2J\012; reboot:7'"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_interrupted_purchase_is_told_with_what_is_known_of_it() {
        let interrupted = |attempts: Vec<SolveError>| {
            let error = SolveError::new(ErrorKind::Timeout, "interrupted");
            let attempts = attempts.iter().flat_map(SolveError::attempts).collect();
            let error = error.with_failed_attempts(attempts);
            explanation(&task(), &Failure::Interrupted(error), &Asked::default())
        };
        assert_eq!(
            interrupted(Vec::new()),
            "interrupted: phone.png: nothing was bought"
        );
        let sent = error(ErrorKind::Timeout, "dropped").with_billed(Billed::Maybe);
        let wrong = error(ErrorKind::Timeout, "dropped").with_billed(Billed::Yes);
        assert_eq!(
            interrupted(vec![slow(1), slow(2), sent, wrong]),
            "interrupted: phone.png\n  \
             omocaptcha job 1 is unfinished, and may cost money\n  \
             hint: to wait for it instead of buying another: \
             drag-solver solve phone.png --resume omocaptcha:1\n  \
             omocaptcha job 2 is unfinished, and may cost money\n  \
             hint: to wait for it instead of buying another: \
             drag-solver solve phone.png --resume omocaptcha:2\n  \
             omocaptcha was being sent the picture and may have taken the order: \
             only the account there shows whether it costs money\n  \
             omocaptcha gave an answer that could not be used, and it cost money"
        );
    }
}
