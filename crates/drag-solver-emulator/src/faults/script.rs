//! Which fault is next.

use std::time::Duration;

use drag_solver_core::Seeded;

use super::Fault;
use crate::Operation;
use crate::job_id;

/// A fault, and what a client does when it happens.
pub(crate) type Placed = (Operation, Fault);

/// The faults to come.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// In order; each with how often it happens, where `u32::MAX` is always.
    scripted: Vec<(Operation, Fault, u32)>,
    random: Option<Random>,
    /// How many happened.
    pub(crate) happened: u64,
    /// For how long the server is to refuse connections, until it has heard of it.
    pub(crate) refusing: Option<Duration>,
}

#[derive(Debug)]
struct Random {
    draws: Seeded,
    per_mille: u16,
    faults: Vec<Placed>,
}

impl Script {
    /// Adds a fault behind those that are scripted already.
    pub(crate) fn add(&mut self, operation: Operation, fault: Fault, times: u32) {
        if times > 0 {
            self.scripted.push((operation, fault, times));
        }
    }

    pub(crate) fn set_random(&mut self, seed: u64, per_mille: u16, faults: Vec<Placed>) {
        self.random = Some(Random {
            draws: job_id::draws(seed, 0),
            per_mille,
            faults,
        });
    }

    /// Takes back what has not happened yet.
    pub(crate) fn clear(&mut self) {
        self.scripted.clear();
        self.random = None;
    }

    /// Every fault that is to come, or may.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Operation, &Fault)> {
        let scripted = self.scripted.iter().map(|(at, fault, _)| (*at, fault));
        let random = self.random.iter().flat_map(|random| &random.faults);
        scripted.chain(random.map(|(at, fault)| (*at, fault)))
    }

    /// The fault for a client that does `operation` now.
    pub(crate) fn next(&mut self, operation: Operation) -> Option<Fault> {
        let mut scripted = self.scripted.iter_mut();
        let fault = match scripted.find(|(at, ..)| *at == operation) {
            Some((_, fault, times)) => {
                *times -= u32::from(*times != u32::MAX);
                fault.clone()
            }
            None => self.random.as_mut()?.draw(operation)?,
        };
        self.scripted.retain(|(_, _, times)| *times > 0);
        self.happened += 1;
        Some(fault)
    }

    /// Takes a refusal that happened, or that is the next fault of connecting: it begins before a client
    /// connects.
    pub(crate) fn take_refusal(&mut self) -> Option<Duration> {
        let is_next = |(at, ..): &&(Operation, Fault, u32)| *at == Operation::Connect;
        if self.refusing.is_none()
            && let Some((_, Fault::Refuse(lasting), _)) = self.scripted.iter().find(is_next)
        {
            self.refusing = Some(*lasting);
            self.next(Operation::Connect);
        }
        self.refusing.take()
    }
}

impl Random {
    fn draw(&mut self, operation: Operation) -> Option<Fault> {
        let draw = self.draws.number();
        if draw % 1_000 >= u64::from(self.per_mille) {
            return None;
        }
        let faults = self.faults.iter();
        let fit: Vec<_> = faults.filter(|(at, _)| *at == operation).collect();
        // The high half, for the low one has decided that there is a fault.
        let chosen = (draw >> 32).checked_rem(fit.len() as u64)?;
        let (_, fault) = fit.get(usize::try_from(chosen).ok()?)?;
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_as_often_as_scripted_and_for_their_operation() {
        let mut script = Script::default();
        script.add(Operation::Poll, Fault::Hang, 2);
        script.add(Operation::Poll, Fault::Html, 0);
        script.add(Operation::Poll, Fault::Truncate, u32::MAX);
        assert_eq!(script.next(Operation::Create), None);
        for expected in [Fault::Hang, Fault::Hang, Fault::Truncate, Fault::Truncate] {
            assert_eq!(script.next(Operation::Poll), Some(expected));
        }
        script.clear();
        assert_eq!(script.next(Operation::Poll), None);
    }

    #[test]
    fn random_faults_are_as_many_as_asked_for_and_the_same_every_time() {
        let draw = || {
            let mut script = Script::default();
            let faults = [Fault::Html, Fault::Hang].map(|fault| (Operation::Create, fault));
            script.set_random(7, 250, faults.to_vec());
            let draws = (0..4_000).map(|_| script.next(Operation::Create));
            draws.collect::<Vec<_>>()
        };
        let draws = draw();
        assert_eq!(draws, draw());
        let count = |fault: &Fault| draws.iter().flatten().filter(|f| *f == fault).count();
        for fault in [Fault::Html, Fault::Hang] {
            assert!((400..600).contains(&count(&fault)), "{}", count(&fault));
        }
    }

    #[test]
    fn only_what_can_happen_on_connecting_does() {
        let mut script = Script::default();
        script.set_random(7, 1_000, vec![(Operation::Create, Fault::Html)]);
        assert_eq!(script.next(Operation::Connect), None);
        script.add(Operation::Connect, Fault::Hang, 1);
        let all: Vec<_> = script.all().map(|(at, _)| at).collect();
        assert_eq!(all, [Operation::Connect, Operation::Create]);
    }
}
