//! Failures, as they are told to a person: what happened, what it cost, what to do next.

use std::error::Error as _;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use drag_solver::core::{Attempt, ErrorKind, PaidJob, SolveError};

use crate::progress::UnderWay;
use crate::text::{charge, one_line, shell_word, with_sources};
use crate::{providers, sandbox};

/// The whole story of a screenshot that was not solved, without a line break at its end.
///
/// `config` is the file of the chain that was asked.
pub(crate) fn unsolved(
    screenshot: &str,
    error: &SolveError,
    elapsed: Duration,
    config: Option<&Path>,
) -> String {
    let attempts = error.attempts();
    let mut story = format!("error: {} was not solved", one_line(screenshot));
    // Writing to a String cannot fail.
    if attempts.len() > 1 {
        let _ = write!(story, " in {} attempts", attempts.len());
    }
    if let Some(message) = own_message(error) {
        let _ = write!(story, ": {message}");
    }
    let _ = write!(story, " ({}, {})", error.kind(), charge(error.charge()));
    for (number, attempt) in attempts.iter().enumerate() {
        let _ = write!(story, "\n  {}. {}", number + 1, line(attempt));
    }
    if let Some(cause) = cause(error) {
        let _ = write!(story, "\n  caused by: {cause}");
    }
    for hint in hints(screenshot, error, elapsed, config) {
        let _ = write!(story, "\n  hint: {hint}");
    }
    story
}

/// What is told of a screenshot that was being worked on when the command was ended.
pub(crate) fn interrupted(work: &UnderWay, config: Option<&Path>) -> String {
    let mut story = format!("interrupted: {}", one_line(&work.screenshot));
    if work.paid.is_empty() && work.buying.is_none() {
        story.push_str(": nothing was bought");
    }
    for job in &work.paid {
        let _ = write!(story, "\n  {job} is unfinished, and may cost money");
        let how = how_to_resume(&work.screenshot, job, config);
        let _ = write!(story, "\n  hint: {how}");
    }
    if let Some(provider) = &work.buying {
        let _ = write!(
            story,
            "\n  {provider} was being sent the picture and may have taken the order: \
             only the account there shows whether it costs money"
        );
    }
    story
}

/// How to go on with a job that was paid for.
fn how_to_resume(screenshot: &str, job: &PaidJob, config: Option<&Path>) -> String {
    if job.provider == sandbox::NAME {
        return "the sandbox takes no money, and ends with the command".to_owned();
    }
    format!(
        "to wait for it instead of buying another: drag-solver solve{} {} --resume {}:{}",
        providers::as_options(config),
        shell_word(screenshot),
        job.provider,
        job.id
    )
}

/// What the error says that its attempts do not.
fn own_message(error: &SolveError) -> Option<String> {
    let last = error.attempts().last();
    let is_told = last.is_some_and(|last| last.message == error.message());
    if is_told || error.kind() == ErrorKind::AllFailed {
        return None;
    }
    Some(match error.provider() {
        Some(provider) => format!("{}: {}", one_line(provider), error.message()),
        None => error.message().to_owned(),
    })
}

/// One attempt, in one line.
fn line(attempt: &Attempt) -> String {
    let provider = one_line(attempt.provider.as_deref().unwrap_or("nobody"));
    let (kind, cost) = (attempt.kind, charge(attempt.charge));
    let seconds = attempt.elapsed.as_secs_f64();
    let mut line = format!(
        "{provider}, {seconds:.1} s: {} ({kind}, {cost}",
        attempt.message
    );
    if let Some(job) = &attempt.job {
        let _ = write!(line, ", job {job} unfinished");
    }
    line.push(')');
    line
}

/// What is underneath. A chain's source is its last part, which its attempts have told already.
fn cause(error: &SolveError) -> Option<String> {
    let source = error.source()?;
    match source.downcast_ref::<SolveError>() {
        Some(part) if !error.attempts().is_empty() => cause(part),
        _ => Some(with_sources(source)),
    }
}

/// What to do next: first the jobs that can be saved, then the settings that can be mended.
fn hints(
    screenshot: &str,
    error: &SolveError,
    elapsed: Duration,
    config: Option<&Path>,
) -> Vec<String> {
    let jobs = error.unfinished_jobs();
    let mut hints: Vec<String> = jobs
        .iter()
        .map(|job| {
            let how = how_to_resume(screenshot, job, config);
            format!("{job} is unfinished; {how}")
        })
        .collect();
    let history = error.history(elapsed);
    let parts = history
        .iter()
        .map(|part| (part.kind, part.provider.as_deref()));
    for (kind, provider) in parts.chain([(error.kind(), error.provider())]) {
        let hint = hint(kind, provider.unwrap_or_default(), config);
        if let Some(hint) = hint.filter(|hint| !hints.contains(hint)) {
            hints.push(hint);
        }
    }
    hints
}

/// What to do about an account that cannot be used.
pub(crate) fn hint_for_account(error: &SolveError) -> Option<String> {
    let about_account = matches!(
        error.kind(),
        ErrorKind::Unauthorized | ErrorKind::Unavailable | ErrorKind::Protocol
    );
    about_account
        .then(|| hint(error.kind(), error.provider().unwrap_or_default(), None))
        .flatten()
}

/// What to do next about an error of this kind, for the page that lists them.
#[cfg(test)]
pub(crate) fn advice(kind: ErrorKind, provider: &str) -> Option<String> {
    hint(kind, provider, None)
}

fn hint(kind: ErrorKind, provider: &str, config: Option<&Path>) -> Option<String> {
    let kind_of = providers::find(provider).filter(|_| config.is_none());
    let credentials = kind_of.and_then(providers::credentials);
    let credentials = credentials.map_or_else(|| format!("{provider}'s token"), str::to_owned);
    let base_url = kind_of.and_then(providers::base_url);
    let base_url = base_url.map_or_else(|| format!("{provider}'s base_url"), str::to_owned);
    let file = config.map(|path| one_line(&path.to_string_lossy()));
    let another = match &file {
        Some(file) => format!("add another provider to {file}"),
        None => "name another provider with --provider".to_owned(),
    };
    Some(match kind {
        ErrorKind::Unauthorized => format!("check {credentials}"),
        ErrorKind::InsufficientBalance => {
            let options = providers::as_options(config);
            format!(
                "add money to the account (`drag-solver balance{options}` shows what is left), \
                 or {another}"
            )
        }
        ErrorKind::Timeout | ErrorKind::DeadlineExceeded => match file {
            Some(file) => format!("allow more time with --timeout, or in {file}"),
            None => "allow more time with --timeout".to_owned(),
        },
        ErrorKind::RateLimited | ErrorKind::Overloaded => {
            "wait a little, or ask for less at a time with --concurrency".to_owned()
        }
        ErrorKind::Unavailable if provider != sandbox::NAME => {
            format!("check the network and {base_url}, or {another}")
        }
        ErrorKind::Unsolvable if provider == sandbox::NAME => {
            format!(
                "the sandbox solves only pictures drawn by `drag-solver challenge`; \
                 for others, set {}",
                providers::all_credentials()
            )
        }
        ErrorKind::Protocol if provider != sandbox::NAME => format!(
            "see what was sent and answered with -vv; {base_url} may be another version of the \
             service"
        ),
        ErrorKind::InvalidChallenge => {
            "give the whole screenshot, unchanged, as PNG, JPEG, WebP or GIF".to_owned()
        }
        ErrorKind::Unsupported => format!("change what it does not take, or {another}"),
        ErrorKind::CircuitOpen => {
            format!("{provider} is left alone for a while: wait, or {another}")
        }
        ErrorKind::BudgetExhausted => match file {
            Some(file) => format!("raise the budget in {file}, or wait for its period to end"),
            None => "raise the budget, or wait for its period to end".to_owned(),
        },
        ErrorKind::Unsolvable | ErrorKind::InvalidAnswer if provider != sandbox::NAME => {
            format!("ask again, with a new screenshot if the challenge has changed, or {another}")
        }
        // Its parts have said what to do.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use drag_solver::core::{Charge, JobId};

    use super::*;

    const NOW: Duration = Duration::from_millis(200);

    fn error(kind: ErrorKind, message: &str) -> SolveError {
        SolveError::new(kind, message).with_provider("omocaptcha")
    }

    #[test]
    fn one_failure_says_what_happened_what_it_cost_and_what_to_do() {
        let refused = error(ErrorKind::Unauthorized, "Invalid api token.")
            .with_source(std::io::Error::other("HTTP 401"));
        assert_eq!(
            unsolved("phone.png", &refused, NOW, None),
            "error: phone.png was not solved: omocaptcha: Invalid api token. \
             (unauthorized, cost nothing)\n  \
             caused by: HTTP 401\n  \
             hint: check OMOCAPTCHA_API_TOKEN"
        );
    }

    #[test]
    fn a_chain_tells_every_attempt_in_order_and_its_cause_once() {
        let down = error(ErrorKind::Unavailable, "connection refused");
        let slow = error(ErrorKind::Timeout, "no answer in 60s")
            .with_charge(Charge::Unknown)
            .with_job(JobId::from(7))
            .with_source(std::io::Error::other("the socket"));
        let all = SolveError::all_failed(vec![(down, NOW), (slow, Duration::from_secs(60))]);
        assert_eq!(
            unsolved("phone.png", &all, NOW, None),
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
    fn a_deadline_that_ended_a_chain_is_told_beside_the_attempts_before_it() {
        let down = error(ErrorKind::Unavailable, "connection refused");
        let late = SolveError::new(ErrorKind::DeadlineExceeded, "too late to ask sandbox");
        let story = unsolved("a.png", &late.with_attempts(down.history(NOW)), NOW, None);
        assert!(
            story.starts_with(
                "error: a.png was not solved: too late to ask sandbox \
                 (deadline_exceeded, cost nothing)\n  1. omocaptcha, 0.2 s: connection refused"
            ),
            "{story}"
        );
        assert!(story.contains("--timeout"), "{story}");
    }

    #[test]
    fn a_hint_is_given_once() {
        let all = SolveError::all_failed(vec![
            (error(ErrorKind::RateLimited, "busy"), NOW),
            (error(ErrorKind::RateLimited, "still busy"), NOW),
        ]);
        assert_eq!(
            unsolved("a.png", &all, NOW, None).matches("hint:").count(),
            1
        );
    }

    #[test]
    fn the_sandbox_says_what_it_can_solve() {
        let gave_up =
            SolveError::new(ErrorKind::Unsolvable, "Job failed").with_provider(sandbox::NAME);
        let story = unsolved("a.png", &gave_up, NOW, None);
        assert!(story.contains("`drag-solver challenge`"), "{story}");
        assert!(story.contains("OMOCAPTCHA_API_TOKEN"), "{story}");
    }
}
