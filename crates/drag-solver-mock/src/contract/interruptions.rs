//! How a solver takes deadlines, being dropped, and being asked by many at once.

use std::sync::Arc;
use std::time::Duration;

use drag_solver_core::{Charge, ErrorKind};
use tokio::time::{Instant, timeout};

use super::answers::{check_error, check_solution};
use super::drive::{Purchases, all, poll_times, solve};
use super::{Finding, Subject};

/// Most polls of one call after which it is dropped. A call that takes more is dropped at the first
/// so many awaits only.
const MAX_POLLS: usize = 100;

/// How long the challenge that is never answered has: on a paused clock long enough for any provider
/// to begin, and otherwise no longer than a test may take.
const LONG_IF_PAUSED: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// A challenge whose deadline has passed is refused with [`ErrorKind::DeadlineExceeded`], and
/// nothing is bought. On a paused clock also: at once.
pub async fn an_expired_challenge_is_refused(subject: &Subject<'_>) -> Finding {
    let purchases = Arc::new(Purchases::default());
    let started = Instant::now();
    let expired = subject
        .solvable
        .clone()
        .without_paid_jobs()
        .with_deadline(started)
        .with_listener(Arc::clone(&purchases) as _);
    let error = match solve(subject, &expired).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) => return Finding::Violated("it was solved after its deadline".to_owned()),
        Err(stuck) => return Finding::Violated(stuck),
    };
    let result = if error.kind() != ErrorKind::DeadlineExceeded {
        Err(format!("the error is not deadline_exceeded: {error}"))
    } else if purchases.any() || error.charge() != Charge::No {
        Err(format!("something was bought after the deadline: {error}"))
    } else if subject.paused && Instant::now() != started {
        Err(format!("it took {:?} to say so", started.elapsed()))
    } else {
        check_error(subject, &error)
    };
    Finding::from_result(result)
}

/// A call that gets no answer fails with [`ErrorKind::DeadlineExceeded`] once the deadline passes, or
/// earlier if the solver sees that it cannot be met; or with [`ErrorKind::Timeout`] before it, if the
/// solver has a shorter limit of its own. On a paused clock also: not an instant later.
/// Skipped if no such challenge was named.
pub async fn a_deadline_ends_the_wait(subject: &Subject<'_>) -> Finding {
    let Some(endless) = &subject.endless else {
        return Finding::Skipped("no challenge was named with `never_answering`".to_owned());
    };
    let limit = if subject.paused {
        LONG_IF_PAUSED
    } else {
        SHORT
    };
    let due = Instant::now() + limit;
    let challenge = endless.clone().with_deadline(due);
    let call = subject.solver.solve(&challenge);
    let error = match timeout(limit + subject.patience, call).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) => return Finding::Violated("it was answered after all".to_owned()),
        Err(_) => {
            let patience = subject.patience;
            return Finding::Violated(format!("stuck {patience:?} after the deadline"));
        }
    };
    let now = Instant::now();
    let own_limit = error.kind() == ErrorKind::Timeout && now < due;
    let result = if error.kind() != ErrorKind::DeadlineExceeded && !own_limit {
        Err(format!("the error is not deadline_exceeded: {error}"))
    } else if subject.paused && now > due {
        Err(format!("it came {:?} after the deadline", now - due))
    } else {
        check_error(subject, &error)
    };
    Finding::from_result(result)
}

/// A call dropped at any of its awaits leaves nothing behind that keeps the next from being solved.
pub async fn dropped_calls_leave_nothing_behind(subject: &Subject<'_>) -> Finding {
    for polls in 1..=MAX_POLLS {
        let call = poll_times(subject.solver.solve(&subject.solvable), polls);
        match timeout(subject.patience, call).await {
            Ok(None) => {}
            Ok(Some(Ok(_))) => break,
            Ok(Some(Err(error))) => {
                return Finding::Violated(format!("after {} drops: {error}", polls - 1));
            }
            Err(_) => return Finding::Violated(format!("stuck after {} drops", polls - 1)),
        }
    }
    let result = match solve(subject, &subject.solvable).await {
        Ok(Ok(solution)) => check_solution(subject, &subject.solvable, &solution),
        Ok(Err(error)) => Err(format!("after drops at every await: {error}")),
        Err(stuck) => Err(format!("after drops at every await: {stuck}")),
    };
    Finding::from_result(result)
}

/// As many calls at once as [set](Subject::with_calls_at_once) are all solved.
pub async fn many_calls_at_once_are_solved(subject: &Subject<'_>) -> Finding {
    let calls = (0..subject.at_once).map(|_| solve(subject, &subject.solvable));
    let mut bad = all(calls)
        .await
        .into_iter()
        .filter_map(|outcome| match outcome {
            Ok(Ok(solution)) => check_solution(subject, &subject.solvable, &solution).err(),
            Ok(Err(error)) => Some(error.to_string()),
            Err(stuck) => Some(stuck),
        });
    Finding::from_result(match bad.next() {
        None => Ok(()),
        Some(first) => Err(format!(
            "{} of {} calls at once failed, the first with: {first}",
            bad.count() + 1,
            subject.at_once
        )),
    })
}
