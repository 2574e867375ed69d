//! One request of a client, and what is done for it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use drag_solver::store::{KeyRole, Reported, StoreError};
use drag_solver::{DragChallenge, DragSolver as _, ErrorKind, Screenshot, Usd, Verdict};
use drag_solver_wire::{Call, Incoming, NewJob, Protocol, Refusal, Reply};

use super::told::Told;
use crate::bodies::NotRead;
use crate::caller::Caller;
use crate::jobs::{Found, New, NotAccepted, Note};
use crate::keys::Account;
use crate::task_id::{Form, TaskId};
use crate::{Gateway, measure};

/// Ids that one request may ask about, at most.
const MOST_IDS: usize = 100;

/// What is left for a key without a limit, in US dollars: clients look whether it is enough.
const NO_LIMIT: i64 = 1_000_000;

pub(super) struct ClientCall {
    pub(super) gateway: Gateway,
    pub(super) from: Option<IpAddr>,
    /// Why its body was not read, so that nothing is known of it, and no key of it is wrong.
    pub(super) not_read: Option<NotRead>,
    pub(super) idempotency_key: Option<String>,
    /// How long a question for an answer that is not there is held.
    pub(super) hold: Duration,
}

impl ClientCall {
    /// Answers a poll, which may take as long as it is held.
    #[allow(clippy::manual_async_fn)] // an `async fn` keeps its arguments twice
    pub(super) fn answer_poll(
        self,
        mut incoming: Incoming,
    ) -> impl Future<Output = Response> + Send {
        async move {
            let told = self.answer(&mut incoming).await;
            measure::request(&incoming, told.outcome());
            told.write(&incoming)
        }
    }

    pub(super) async fn answer(&self, incoming: &mut Incoming) -> Told {
        if let Some(why) = self.not_read {
            return self.refused("not read", incoming, self.not_read(why));
        }
        if let Err(refusal) = &incoming.call
            && matches!(
                refusal,
                Refusal::NoSuchMethod | Refusal::NotPost | Refusal::Unreadable(_)
            )
        {
            // There is no key in it, and none would open what is not there.
            return Err(refusal.clone()).into();
        }
        let caller = Caller {
            key: std::mem::take(&mut incoming.key),
            from: self.from,
        };
        let Some(account) = self.gateway.account(&caller).await else {
            return self.refused("unknown", incoming, Err(Refusal::BadToken).into());
        };
        let told = self.answer_account(&account, incoming).await;
        self.refused(&account.name, incoming, told)
    }

    /// Says in the log what was refused, to whom and why, and counts it. What a client has sent may be in it, and is not
    /// taken for lines of ours.
    fn refused(&self, key: &str, incoming: &Incoming, told: Told) -> Told {
        if let Err(refusal) = &told.reply {
            let (protocol, operation) = (incoming.protocol, incoming.operation);
            let (outcome, why) = (told.outcome(), refusal.to_string());
            tracing::debug!(key, %protocol, %operation, outcome, ?why, "refused");
            self.gateway.jobs().figures().refused(outcome);
        }
        told
    }

    async fn answer_account(&self, account: &Arc<Account>, incoming: &mut Incoming) -> Told {
        // Taken out, so that a picture is gone as soon as it is on record.
        let call = std::mem::replace(&mut incoming.call, Err(Refusal::NoSuchMethod));
        match call {
            Err(refusal) => Err(refusal).into(),
            Ok(Call::Create(job)) => self.create(account, incoming.protocol, *job).await.into(),
            Ok(Call::Poll { ids }) => self.poll(account, ids).await,
            Ok(Call::Report { id, verdict }) => self.report(account, &id, verdict).await.into(),
            Ok(Call::Balance) => self.balance(account).await.into(),
            Ok(Call::Services) => Ok(Reply::Services(self.price())).into(),
        }
    }

    fn not_read(&self, why: NotRead) -> Told {
        let refusal = match why {
            NotRead::Busy => Refusal::NoWorker,
            NotRead::TooLarge => {
                let most = self.gateway.jobs().policy().max_body;
                Refusal::PictureTooLarge(format!("at most {most} bytes are read of a request"))
            }
            NotRead::CutOff => {
                let why = "the body is not whole".to_owned();
                return Told {
                    outcome: Some("cut_off"),
                    ..Told::from(Err(Refusal::Unreadable(why)))
                };
            }
        };
        Err(refusal).into()
    }

    async fn create(
        &self,
        account: &Arc<Account>,
        protocol: Protocol,
        job: NewJob,
    ) -> Result<Reply, Refusal> {
        if account.role() != KeyRole::Client {
            tracing::info!(
                key = account.name,
                "refused: this key is not a client's, and buys nothing"
            );
            return Err(Refusal::BadToken);
        }
        if let Some(url) = &job.callback {
            self.gateway.jobs().check_callback(url)?;
        }
        let screenshot = Screenshot::from_bytes(job.picture)?;
        self.gateway.jobs().limits().check(&screenshot)?;
        let mut challenge = DragChallenge::new(screenshot);
        if let Some(instruction) = job.instruction {
            if instruction.contains('\0') {
                let why = "a NUL stands in the instruction".to_owned();
                return Err(Refusal::BadParameters(why));
            }
            challenge = challenge.with_instruction(instruction);
        }
        let form = match protocol {
            Protocol::OmocaptchaV2 => Form::Uuid,
            _ => Form::Number,
        };
        let new = New {
            challenge,
            note: Note {
                protocol: Some(protocol),
                shape: job.shape,
                callback: job.callback,
            },
            form,
            idempotency_key: self.idempotency_key.clone(),
            deadline: None,
        };
        let task = self.gateway.jobs().accept(account, new).await;
        task.map(|task| Reply::Created(task.to_string()))
            .map_err(not_accepted)
    }

    async fn poll(&self, account: &Account, ids: Vec<String>) -> Told {
        let hold = self.hold;
        if let [id] = &ids[..] {
            return match self.find(account, id, hold).await {
                Ok(Found::Ended(outcome)) => Told {
                    reply: outcome.answer().map(Reply::Solved),
                    protocol: outcome.protocol,
                    solver: outcome
                        .result
                        .as_ref()
                        .ok()
                        .map(|answered| answered.solver.clone()),
                    outcome: outcome
                        .result
                        .as_ref()
                        .err()
                        .and_then(|failed| of_the_operator(failed.kind)),
                },
                Ok(Found::Open) => Ok(Reply::Running).into(),
                Ok(Found::Unknown) => Err(Refusal::NoSuchJob).into(),
                Err(refusal) => Err(refusal).into(),
            };
        }
        if ids.len() > MOST_IDS {
            let why = format!("ids: at most {MOST_IDS} at once");
            return Err(Refusal::BadParameters(why)).into();
        }
        let mut several = Vec::new();
        for id in &ids {
            several.push(match self.find(account, id, Duration::ZERO).await {
                Ok(Found::Ended(outcome)) => outcome.answer().map(Some),
                Ok(Found::Open) => Ok(None),
                Ok(Found::Unknown) => Err(Refusal::NoSuchJob),
                Err(refusal) => Err(refusal),
            });
        }
        Ok(Reply::Several(several)).into()
    }

    async fn find(&self, account: &Account, id: &str, hold: Duration) -> Result<Found, Refusal> {
        let Some(task) = TaskId::read(id) else {
            return Ok(Found::Unknown);
        };
        let found = self.gateway.jobs().result(account, &task, hold).await;
        found.map_err(|error| unreadable(&error))
    }

    async fn report(
        &self,
        account: &Account,
        id: &str,
        verdict: Verdict,
    ) -> Result<Reply, Refusal> {
        let task = TaskId::read(id).ok_or(Refusal::NoSuchJob)?;
        let reported = self.gateway.jobs().report(account, &task, verdict).await;
        match reported.map_err(|error| unreadable(&error))? {
            Reported::First | Reported::Again(_) => Ok(Reply::Reported),
            _ => Err(Refusal::NoSuchJob),
        }
    }

    async fn balance(&self, account: &Account) -> Result<Reply, Refusal> {
        if account.role() != KeyRole::Client {
            return Err(Refusal::BadToken); // such a key buys nothing, and has no limit that could be told
        }
        let left = self.gateway.jobs().left(account).await;
        let left = left
            .map_err(|error| unreadable(&error))?
            .unwrap_or_else(|| Usd::from_micros(NO_LIMIT * 1_000_000));
        Ok(Reply::Balance(left.max(Usd::ZERO)))
    }

    fn price(&self) -> Usd {
        let worst = self.gateway.chain().profile().worst_case;
        let purchases = worst.purchases.unwrap_or(1).max(1);
        let cost = worst.cost.unwrap_or_default();
        Usd::from_nanos(cost.to_nanos_ceil() / i64::from(purchases))
    }
}

/// Why a job was not accepted, as every client understands it.
fn not_accepted(why: NotAccepted) -> Refusal {
    match why {
        NotAccepted::TooFast | NotAccepted::TooMany => Refusal::NoWorker,
        NotAccepted::NoMoney => Refusal::NoMoney,
        NotAccepted::Stopping => Refusal::Draining,
        NotAccepted::OtherRequest => {
            Refusal::BadParameters("this Idempotency-Key was used for another request".to_owned())
        }
        NotAccepted::Store(error) => unreadable(&error),
    }
}

/// What cannot be put on record is not acknowledged.
fn unreadable(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store cannot be used");
    Refusal::OutOfOrder
}

/// What is counted for a job that has failed because of an account of the gateway's own: its client can do nothing.
fn of_the_operator(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Unauthorized | ErrorKind::InsufficientBalance => Some("provider_account"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each job that waits keeps this future for as long as its poll is held. It grows unseen: what any branch of it keeps
    /// over an await, each has room for.
    #[test]
    fn a_poll_that_is_held_keeps_little() {
        fn size<F>(_: impl FnOnce(ClientCall, Incoming) -> F) -> usize {
            size_of::<F>()
        }
        let size = size(ClientCall::answer_poll);
        assert!(size <= 1_408, "{size} bytes");
    }
}
