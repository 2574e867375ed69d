//! How a solver deals with money: what it says of it, what it buys, what it goes on with.

use drag_solver_core::{DragChallenge, PaidJob, Solution};
use tokio::time::{Instant, timeout};

use super::drive::poll_times;
use super::interruptions::{MAX_POLLS, never_answered};
use super::ledger::{Ledger, Watched};
use super::{Finding, Subject};

/// What a solver tells its listeners is true and in order: it has started before it buys, it says
/// that it buys before money may be spent, and an answer or an error that may have cost money comes
/// of something it said it bought. Skipped if it says nothing at all, and nothing costs anything.
pub async fn progress_tells_of_money(subject: &Subject<'_>) -> Finding {
    let solvable = (subject.solver, &subject.solvable);
    let failures = subject.failures.iter();
    let failures = failures.map(|failure| {
        let solver = failure.elsewhere.unwrap_or(subject.solver);
        (solver, &failure.challenge)
    });
    let mut is_silent = true;
    for (solver, challenge) in [solvable].into_iter().chain(failures) {
        let watched = match Watched::solve(subject, solver, challenge).await {
            Ok(watched) => watched,
            Err(stuck) => return Finding::Violated(stuck),
        };
        if let Err(what) = watched.check(subject) {
            return Finding::Violated(what);
        }
        is_silent &= watched.ledger.is_empty();
    }
    if is_silent {
        return Finding::Skipped("it says nothing, and buys nothing".to_owned());
    }
    Finding::Passed
}

/// A job that was bought and not waited for is gone on with by the next call, if that is
/// [`resuming`](DragChallenge::resuming) it: it is fetched, and nothing is bought from whom it
/// belongs to. Skipped if the solver names no job that it buys.
pub async fn a_paid_job_is_resumed(subject: &Subject<'_>) -> Finding {
    let job = match abandoned_job(subject).await {
        Ok(Some(job)) => job,
        Ok(None) => return Finding::Skipped("it names no job that it buys".to_owned()),
        Err(stuck) => return Finding::Violated(stuck),
    };
    let resuming = subject.solvable.clone().resuming(job.clone());
    let watched = match Watched::solve(subject, subject.solver, &resuming).await {
        Ok(watched) => watched,
        Err(stuck) => return Finding::Violated(stuck),
    };
    let bought = watched.ledger.purchases_from(&job.provider);
    Finding::from_result(match &watched.outcome {
        _ if bought > 0 => Err(format!("{job} was paid for, and it bought another")),
        Err(error) => Err(format!("{job} was not fetched: {error}")),
        Ok(_) if !watched.ledger.has_resumed(&job) => {
            Err(format!("it did not say that it resumed {job}"))
        }
        Ok(_) => Ok(()),
    })
}

/// The job of a call that was dropped as soon as it had bought one and had to wait for it.
async fn abandoned_job(subject: &Subject<'_>) -> Result<Option<PaidJob>, String> {
    for polls in 1..=MAX_POLLS {
        let (challenge, ledger) = Ledger::listen_to(&subject.solvable.clone().without_paid_jobs());
        let call = poll_times(subject.solver.solve(&challenge), polls);
        let ended = timeout(subject.patience, call).await;
        let ended = ended.map_err(|_| "a call was stuck that was to be dropped".to_owned())?;
        match (ended, ledger.bought()) {
            (None, Some(job)) => return Ok(Some(job)),
            (None, None) => {}
            (Some(_), _) => return Ok(None),
        }
    }
    Ok(None)
}

/// No call buys more answers, costs more or (on a paused clock) takes longer than the solver's
/// [worst case](drag_solver_core::DragSolver::worst_case) says. Skipped if it says nothing.
pub async fn the_worst_case_holds(subject: &Subject<'_>) -> Finding {
    let worst = subject.solver.worst_case();
    if worst.attempts.is_none() && worst.time.is_none() && worst.cost.is_none() {
        return Finding::Skipped("it says nothing of its worst case".to_owned());
    }
    let endless = subject.endless.as_ref().map(|endless| {
        let (_, limit) = never_answered(subject, endless, Instant::now());
        // It holds for deadlines that are no later than what it would set itself.
        let limit = worst.time.map_or(limit, |time| time.min(limit));
        endless.clone().with_deadline(Instant::now() + limit)
    });
    let own = subject.failures.iter();
    let own = own.filter(|failure| failure.elsewhere.is_none());
    let mut challenges: Vec<&DragChallenge> = vec![&subject.solvable];
    challenges.extend(own.map(|failure| &failure.challenge));
    challenges.extend(&endless);
    for challenge in challenges {
        let watched = match Watched::solve(subject, subject.solver, challenge).await {
            Ok(watched) => watched,
            Err(stuck) => return Finding::Violated(stuck),
        };
        let bought = watched.ledger.purchases();
        let most = worst
            .attempts
            .map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        if most.is_some_and(|most| bought > most) {
            return Finding::Violated(format!("it bought {bought} answers, and said: {worst}"));
        }
        let cost = watched.outcome.as_ref().ok().and_then(Solution::cost);
        if let (Some(cost), Some(most)) = (cost, worst.cost)
            && cost > most
        {
            return Finding::Violated(format!("it cost {cost} dollars, and said: {worst}"));
        }
        if subject.paused && worst.time.is_some_and(|most| watched.took > most) {
            let took = watched.took;
            return Finding::Violated(format!("it took {took:?}, and said: {worst}"));
        }
    }
    Finding::Passed
}
