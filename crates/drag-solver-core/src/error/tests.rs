use super::*;
use crate::JobId;

fn failed(kind: ErrorKind, solver: &str) -> SolveError {
    SolveError::new(kind, format!("{kind} here"))
        .with_solver(solver)
        .with_elapsed(Duration::from_secs(1))
}

fn job(solver: &str, id: u64) -> PaidJob {
    PaidJob::new(solver, JobId::from(id))
}

#[test]
fn display_says_what_it_cost_and_how_to_go_on() {
    let error = SolveError::new(ErrorKind::Timeout, "no answer in 60 s")
        .with_solver("omocaptcha")
        .with_unfinished_jobs([job("omocaptcha", 123_456)])
        .with_source(std::io::Error::other("the socket"));
    assert_eq!(
        error.to_string(),
        "omocaptcha: no answer in 60 s (timeout; it may have cost money; \
         job 123456 is unfinished and can be resumed)"
    );
    assert!(!error.to_string().contains("socket"));
    assert_eq!(error.source().unwrap().to_string(), "the socket");
}

#[test]
fn nobodys_text_can_forge_log_lines() {
    let error = SolveError::new(ErrorKind::Protocol, "bad\n2026 INFO solved\x1b[2J")
        .with_solver("a\x1b[2J\nforged");
    assert_eq!(
        error.to_string(),
        "a [2J forged: bad 2026 INFO solved [2J (protocol)"
    );
}

#[test]
fn all_failed_takes_the_mildest_recovery_and_the_worst_bill() {
    let retry = failed(ErrorKind::Unavailable, "a").with_retry_after(Duration::from_secs(7));
    let paid = failed(ErrorKind::Protocol, "b").with_billed(Billed::Yes);
    let all = SolveError::all_failed(vec![retry, paid]);
    assert_eq!(all.kind(), ErrorKind::AllFailed);
    assert_eq!(all.recovery(), Recovery::Retry);
    assert_eq!(all.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(all.billed(), Billed::Yes);
    let kinds: Vec<_> = all.attempts().iter().map(|attempt| attempt.kind).collect();
    assert_eq!(kinds, [ErrorKind::Unavailable, ErrorKind::Protocol]);
    assert!(all.source().unwrap().to_string().starts_with("b: "));
}

#[test]
fn all_failed_is_due_when_its_first_part_is() {
    let later = failed(ErrorKind::RateLimited, "a").with_retry_after(Duration::from_secs(7));
    let now = failed(ErrorKind::Unavailable, "b");
    assert_eq!(SolveError::all_failed(vec![later, now]).retry_after(), None);
}

#[test]
fn an_exhausted_error_is_not_retried_by_anybody_outside() {
    let error = failed(ErrorKind::Unavailable, "a").mark_exhausted();
    assert_eq!(error.recovery(), Recovery::Switch);
    let all = SolveError::all_failed(vec![error]);
    assert_eq!(all.recovery(), Recovery::Switch);
    assert!(all.is_exhausted());
}

#[test]
fn nested_failures_keep_one_flat_history() {
    let inner = SolveError::all_failed(vec![
        failed(ErrorKind::Unavailable, "a"),
        failed(ErrorKind::Protocol, "b"),
    ]);
    let outer = SolveError::all_failed(vec![inner, failed(ErrorKind::Timeout, "c")]);
    let attempts = outer.attempts();
    let names: Vec<_> = attempts
        .iter()
        .filter_map(|a| a.solver.as_deref())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(
        outer.message(),
        "all 3 attempts failed: a unavailable, b protocol, c timeout"
    );
}

#[test]
fn the_own_attempt_keeps_its_time_when_earlier_ones_are_added() {
    let earlier = failed(ErrorKind::Unavailable, "a").attempts();
    let error = failed(ErrorKind::Timeout, "a")
        .with_failed_attempts(earlier)
        .with_elapsed(Duration::from_secs(9))
        .with_default_elapsed(Duration::from_secs(20));
    assert_eq!(error.elapsed(), Duration::from_secs(9));
    let attempts = error.attempts();
    let times: Vec<_> = attempts.iter().map(|a| a.elapsed.as_secs()).collect();
    assert_eq!(times, [1, 1]);
}

#[test]
fn unfinished_jobs_are_found_in_every_attempt_once_however_many_one_solver_has() {
    let first = failed(ErrorKind::Timeout, "a").with_unfinished_jobs([job("a", 1)]);
    let again = failed(ErrorKind::Timeout, "a")
        .with_unfinished_jobs([job("a", 1), job("a", 2)])
        .with_failed_attempts(first.attempts());
    assert_eq!(again.unfinished_jobs(), [job("a", 1), job("a", 2)]);
    assert_eq!(first.billed(), Billed::Maybe);
    let other = failed(ErrorKind::Timeout, "b").with_unfinished_jobs([job("b", 2)]);
    let all = SolveError::all_failed(vec![again, other]);
    assert_eq!(all.unfinished_jobs().len(), 3);
    assert_eq!(
        all.message(),
        "all 3 attempts failed: a timeout (job 1 is unfinished), \
         a timeout (jobs 1 and 2 are unfinished), b timeout (job 2 is unfinished)"
    );
}

#[test]
fn a_job_that_a_later_attempt_goes_on_with_is_that_ones_bill() {
    let mut attempt = failed(ErrorKind::Timeout, "a")
        .with_unfinished_jobs([job("a", 1), job("a", 2)])
        .attempts()
        .remove(0);
    attempt.hand_over(&[job("a", 1)]);
    assert_eq!((attempt.billed, attempt.jobs.len()), (Billed::Maybe, 1));
    attempt.hand_over(&[job("a", 2)]);
    assert_eq!((attempt.billed, attempt.jobs.len()), (Billed::No, 0));
}

#[test]
fn what_was_spent_is_the_sum_of_all_attempts_at_their_price_where_no_cost_is_named() {
    let cents = |micros| Usd::from_micros(micros);
    let named = failed(ErrorKind::InvalidAnswer, "a")
        .with_billed(Billed::Yes)
        .with_cost(cents(700));
    let unnamed = failed(ErrorKind::Timeout, "b").with_billed(Billed::Maybe);
    let free = failed(ErrorKind::Unavailable, "c");
    let all = SolveError::all_failed(vec![named, unnamed, free]);
    assert_eq!(all.spent(), None);
    assert_eq!(all.with_price(cents(900)).spent(), Some(cents(1_600)));
}

#[test]
fn it_goes_through_serde_both_ways() {
    let refused = SolveError::new(ErrorKind::Unavailable, "refused")
        .with_solver("a")
        .with_source(std::io::Error::other("line\none"));
    let timeout = failed(ErrorKind::Timeout, "b")
        .with_unfinished_jobs([job("b", 1)])
        .with_retry_after(Duration::from_millis(1_500))
        .with_failed_attempts(refused.attempts())
        .mark_exhausted();
    let all = SolveError::all_failed(vec![refused.clone(), timeout.clone()]);
    for error in [refused, timeout, all] {
        let json = serde_json::to_value(&error).unwrap();
        let back: SolveError = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&back).unwrap(), json);
        assert_eq!(back.to_string(), error.to_string());
        assert_eq!(back.recovery(), error.recovery());
        assert_eq!(back.attempts(), error.attempts());
    }
    let text = r#"{"kind": "unavailable", "message": "x", "billed": "no", "recovery": "retry", "elapsed_ms": 1}"#;
    assert_eq!(
        serde_json::from_str::<SolveError>(text)
            .unwrap()
            .attempts()
            .len(),
        1
    );
}

#[test]
fn causes_are_kept_as_text() {
    let error = SolveError::new(ErrorKind::Unavailable, "refused")
        .with_source(std::io::Error::other("line\none"));
    let json = serde_json::to_value(&error).unwrap();
    assert_eq!(json["causes"][0], "line one");
    let back: SolveError = serde_json::from_value(json).unwrap();
    assert_eq!(back.source().unwrap().to_string(), "line one");
}

#[test]
fn a_bad_screenshot_is_an_invalid_challenge() {
    let error = SolveError::from(ScreenshotError::Empty);
    assert_eq!(error.kind(), ErrorKind::InvalidChallenge);
    assert_eq!(error.recovery(), Recovery::Stop);
    let missing = crate::Screenshot::from_file("/does/not/exist.png").unwrap_err();
    let error = SolveError::from(missing);
    assert!(error.message().contains("/does/not/exist.png"));
    assert!(error.source().is_some());
}

#[test]
fn it_is_one_pointer_wide() {
    assert_eq!(size_of::<SolveError>(), size_of::<usize>());
}
