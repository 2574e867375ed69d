use super::*;

fn failed(kind: ErrorKind, provider: &str) -> (SolveError, Duration) {
    let error = SolveError::new(kind, format!("{kind} here")).with_provider(provider);
    (error, Duration::from_secs(1))
}

#[test]
fn display_says_what_it_cost_and_how_to_go_on() {
    let error = SolveError::new(ErrorKind::Timeout, "no answer in 60 s")
        .with_provider("omocaptcha")
        .with_charge(Charge::Unknown)
        .with_job(JobId::from(123_456))
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
fn a_providers_text_cannot_forge_log_lines() {
    let error = SolveError::new(ErrorKind::Protocol, "bad\n2026 INFO solved\x1b[2J");
    assert_eq!(error.message(), "bad 2026 INFO solved [2J");
}

#[test]
fn all_failed_takes_the_mildest_recovery_and_the_worst_charge() {
    let (retry, elapsed) = failed(ErrorKind::Unavailable, "a");
    let (paid, _) = failed(ErrorKind::Protocol, "b");
    let all = SolveError::all_failed(vec![
        (retry.with_retry_after(Duration::from_secs(7)), elapsed),
        (paid.with_charge(Charge::Yes), elapsed),
    ]);
    assert_eq!(all.kind(), ErrorKind::AllFailed);
    assert_eq!(all.recovery(), Recovery::Retry);
    assert_eq!(all.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(all.charge(), Charge::Yes);
    let kinds: Vec<_> = all.attempts().iter().map(|attempt| attempt.kind).collect();
    assert_eq!(kinds, [ErrorKind::Unavailable, ErrorKind::Protocol]);
    assert!(all.source().unwrap().to_string().starts_with("b: "));
}

#[test]
fn all_failed_is_due_when_its_first_part_is() {
    let (later, elapsed) = failed(ErrorKind::RateLimited, "a");
    let now = failed(ErrorKind::Unavailable, "b");
    let later = (later.with_retry_after(Duration::from_secs(7)), elapsed);
    assert_eq!(SolveError::all_failed(vec![later, now]).retry_after(), None);
}

#[test]
fn an_exhausted_error_is_not_retried_by_anybody_outside() {
    let (error, elapsed) = failed(ErrorKind::Unavailable, "a");
    let error = error.exhausted();
    assert_eq!(error.recovery(), Recovery::Switch);
    let all = SolveError::all_failed(vec![(error, elapsed)]);
    assert_eq!(all.recovery(), Recovery::Switch);
    assert!(all.is_exhausted());
}

#[test]
fn nested_failures_keep_one_flat_history() {
    let inner = SolveError::all_failed(vec![
        failed(ErrorKind::Unavailable, "a"),
        failed(ErrorKind::Protocol, "b"),
    ]);
    let outer = SolveError::all_failed(vec![
        (inner, Duration::from_secs(2)),
        failed(ErrorKind::Timeout, "c"),
    ]);
    let names: Vec<_> = outer
        .attempts()
        .iter()
        .filter_map(|attempt| attempt.provider.as_deref())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(
        outer.message(),
        "all 3 attempts failed: a unavailable, b protocol, c timeout"
    );
}

#[test]
fn unfinished_jobs_are_found_in_every_attempt_once() {
    let (error, elapsed) = failed(ErrorKind::Timeout, "a");
    let with_job = error.with_job(JobId::from(1));
    let history = with_job.history(elapsed);
    let again = with_job.with_attempts(history);
    assert_eq!(again.unfinished_jobs(), [PaidJob::new("a", JobId::from(1))]);
    let (other, _) = failed(ErrorKind::Timeout, "b");
    let all = SolveError::all_failed(vec![
        (again, elapsed),
        (other.with_job(JobId::from(2)), elapsed),
    ]);
    assert_eq!(all.unfinished_jobs().len(), 2);
    assert_eq!(
        all.message(),
        "all 2 attempts failed: a timeout (job 1 is unfinished), b timeout (job 2 is unfinished)"
    );
}

#[test]
fn it_serialises_for_logs() {
    let error = SolveError::new(ErrorKind::Unavailable, "refused")
        .with_provider("a")
        .with_source(std::io::Error::other("line\none"));
    let json = serde_json::to_value(&error).unwrap();
    assert_eq!(json["kind"], "unavailable");
    assert_eq!(json["charge"], "no");
    assert_eq!(json["causes"][0], "line one");
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
