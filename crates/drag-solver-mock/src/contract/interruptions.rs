//! How a solver takes deadlines, being dropped, and being asked by many at once.

use std::time::Duration;

use drag_solver_core::{Charge, DragChallenge, ErrorKind};
use tokio::time::{Instant, timeout};

use super::answers::{check_error, check_solution};
use super::drive::{all, poll_times, solve};
use super::ledger::Ledger;
use super::{Finding, Subject};

/// Most polls of one call after which it is dropped. A call that takes more is dropped at the first
/// so many awaits only.
pub(super) const MAX_POLLS: usize = 100;

/// How long the challenge that is never answered has: on a paused clock long enough for any provider
/// to begin, and otherwise no longer than a test may take.
const LONG_IF_PAUSED: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// A challenge whose deadline has passed is refused with [`ErrorKind::DeadlineExceeded`], and
/// nothing is bought. On a paused clock also: at once.
pub async fn an_expired_challenge_is_refused(subject: &Subject<'_>) -> Finding {
    let started = Instant::now();
    let expired = subject.solvable.clone().without_paid_jobs();
    let (expired, ledger) = Ledger::listen_to(&expired.with_deadline(started));
    let error = match solve(subject, &expired).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) => return Finding::Violated("it was solved after its deadline".to_owned()),
        Err(stuck) => return Finding::Violated(stuck),
    };
    let result = if error.kind() != ErrorKind::DeadlineExceeded {
        Err(format!("the error is not deadline_exceeded: {error}"))
    } else if ledger.purchases() > 0 || error.charge() != Charge::No {
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
    let (challenge, limit) = never_answered(subject, endless, Instant::now());
    let due = Instant::now() + limit;
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

/// `endless` with the deadline it is given, and how long that is from `now`.
pub(super) fn never_answered(
    subject: &Subject<'_>,
    endless: &DragChallenge,
    now: Instant,
) -> (DragChallenge, Duration) {
    let limit = if subject.paused {
        LONG_IF_PAUSED
    } else {
        SHORT
    };
    (endless.clone().with_deadline(now + limit), limit)
}

/// A deadline that is years away is none: no sum of times overflows, and the challenge is solved.
pub async fn a_far_deadline_is_met(subject: &Subject<'_>) -> Finding {
    let mut far = Duration::from_secs(u64::MAX);
    // As far as the clock goes, give or take half.
    let deadline = loop {
        match Instant::now().checked_add(far) {
            Some(deadline) => break deadline,
            None => far /= 2,
        }
    };
    let challenge = subject.solvable.clone().with_deadline(deadline);
    Finding::from_result(match solve(subject, &challenge).await {
        Ok(Ok(solution)) => check_solution(subject, &challenge, &solution),
        Ok(Err(error)) => Err(format!("with {far:?} to go: {error}")),
        Err(stuck) => Err(stuck),
    })
}

/// A call dropped at any of its awaits leaves nothing behind that keeps the next from being solved.
pub async fn dropped_calls_leave_nothing_behind(subject: &Subject<'_>) -> Finding {
    Finding::from_result(drop_calls(subject, 1).await)
}

/// As many calls at once as [set](Subject::with_calls_at_once), all dropped at the same await, leave
/// nothing behind: not a permit of many, no place in a queue, no money set aside.
pub async fn many_dropped_calls_leave_nothing_behind(subject: &Subject<'_>) -> Finding {
    Finding::from_result(drop_calls(subject, subject.at_once()).await)
}

/// Drops calls at every await of the solvable challenge and, on a paused clock, of the one that is
/// never answered. The next is solved.
async fn drop_calls(subject: &Subject<'_>, at_once: usize) -> Result<(), String> {
    drop_at_every_await(subject, at_once).await?;
    if let Some(endless) = subject.endless.as_ref().filter(|_| subject.paused) {
        drop_while_waiting(subject, at_once, endless).await;
    }
    match solve(subject, &subject.solvable).await {
        Ok(Ok(solution)) => check_solution(subject, &subject.solvable, &solution),
        Ok(Err(error)) => Err(format!("after drops at every await: {error}")),
        Err(stuck) => Err(format!("after drops at every await: {stuck}")),
    }
}

/// Drops calls at their first await, their second, and so on, until they are solved.
async fn drop_at_every_await(subject: &Subject<'_>, at_once: usize) -> Result<(), String> {
    for polls in 1..=MAX_POLLS {
        let call = || poll_times(subject.solver.solve(&subject.solvable), polls);
        let calls = all((0..at_once).map(|_| call()));
        let Ok(ended) = timeout(subject.patience, calls).await else {
            return Err(format!("stuck after {} drops", polls - 1));
        };
        let mut ended_by_themselves = ended.iter().flatten();
        if let Some(error) = ended_by_themselves.find_map(|outcome| outcome.as_ref().err()) {
            return Err(format!("after {} drops: {error}", polls - 1));
        }
        if ended.iter().all(Option::is_some) {
            break;
        }
    }
    Ok(())
}

/// Drops calls that are never answered at each of their awaits, and at last while they wait for what
/// will not come. The solver may end them earlier, if it has a limit of its own.
async fn drop_while_waiting(subject: &Subject<'_>, at_once: usize, endless: &DragChallenge) {
    for polls in 1..=MAX_POLLS {
        let call = || poll_times(subject.solver.solve(endless), polls);
        let calls = all((0..at_once).map(|_| call()));
        match timeout(LONG_IF_PAUSED, calls).await {
            Ok(ended) if ended.iter().any(Option::is_none) => {}
            _ => break,
        }
    }
}

/// As many calls at once as [set](Subject::with_calls_at_once) are all solved.
pub async fn many_calls_at_once_are_solved(subject: &Subject<'_>) -> Finding {
    let calls = (0..subject.at_once()).map(|_| solve(subject, &subject.solvable));
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
            subject.at_once()
        )),
    })
}
