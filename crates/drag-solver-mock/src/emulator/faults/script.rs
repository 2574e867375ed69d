//! Which fault is next.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::Fault;
use crate::emulator::Step;
use crate::emulator::random::mix;

/// The faults to come.
#[derive(Clone, Debug, Default)]
pub(in crate::emulator) struct Script {
    scripted: HashMap<Step, VecDeque<(Fault, u32)>>,
    random: Option<Random>,
}

#[derive(Clone, Debug)]
struct Random {
    seed: u64,
    draws: u64,
    per_mille: u16,
    faults: Vec<(Step, Fault)>,
}

impl Script {
    /// Adds a fault behind those that are scripted for this step already.
    pub(in crate::emulator) fn add(&mut self, step: Step, fault: Fault, times: u32) {
        if times > 0 {
            let scripted = self.scripted.entry(step).or_default();
            scripted.push_back((fault, times));
        }
    }

    pub(in crate::emulator) fn add_random(
        &mut self,
        seed: u64,
        per_mille: u16,
        faults: Vec<(Step, Fault)>,
    ) {
        self.random = Some(Random {
            seed,
            draws: 0,
            per_mille,
            faults,
        });
    }

    /// Takes back what has not happened yet.
    pub(in crate::emulator) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The first scripted fault that means nothing at its step.
    pub(in crate::emulator) fn misplaced(&self) -> Option<(Step, &Fault)> {
        let scripted = self.scripted.iter().flat_map(|(step, scripted)| {
            let faults = scripted.iter().map(|(fault, _)| fault);
            faults.map(|fault| (*step, fault))
        });
        let random = self.random.iter().flat_map(|random| &random.faults);
        scripted
            .chain(random.map(|(step, fault)| (*step, fault)))
            .find(|(step, fault)| !fault.works_at(*step))
    }

    /// The fault for a client that is at `step` now.
    pub(in crate::emulator) fn next(&mut self, step: Step) -> Option<Fault> {
        if let Some(scripted) = self.scripted.get_mut(&step)
            && let Some((fault, times)) = scripted.front_mut()
        {
            let fault = fault.clone();
            if *times != u32::MAX {
                *times -= 1;
                if *times == 0 {
                    scripted.pop_front();
                }
            }
            return Some(fault);
        }
        self.random.as_mut()?.draw(step)
    }

    /// Takes a refusal that is the next fault of connecting: it begins before anybody connects.
    pub(in crate::emulator) fn take_refusal(&mut self) -> Option<Duration> {
        let next = self.scripted.get(&Step::Connect)?.front();
        let Some((Fault::Refuse(lasting), _)) = next else {
            return None;
        };
        let lasting = *lasting;
        self.next(Step::Connect);
        Some(lasting)
    }
}

impl Random {
    fn draw(&mut self, step: Step) -> Option<Fault> {
        let draw = mix(self.seed, self.draws);
        self.draws += 1;
        if draw % 1_000 >= u64::from(self.per_mille) {
            return None;
        }
        let fit: Vec<_> = self.faults.iter().filter(|(s, _)| *s == step).collect();
        // The high half, for the low one has decided that there is a fault.
        let chosen = (draw >> 32).checked_rem(fit.len() as u64)?;
        fit.get(usize::try_from(chosen).ok()?)
            .map(|(_, fault)| fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_as_often_as_scripted_and_at_their_step() {
        let mut script = Script::default();
        script.add(Step::Poll, Fault::Hang, 2);
        script.add(Step::Poll, Fault::Html, 0);
        script.add(Step::Poll, Fault::Truncate, u32::MAX);
        assert_eq!(script.next(Step::Create), None);
        for expected in [Fault::Hang, Fault::Hang, Fault::Truncate, Fault::Truncate] {
            assert_eq!(script.next(Step::Poll), Some(expected));
        }
        script.clear();
        assert_eq!(script.next(Step::Poll), None);
    }

    #[test]
    fn random_faults_are_as_many_as_asked_for_and_the_same_every_time() {
        let draw = || {
            let mut script = Script::default();
            let faults = [Fault::Html, Fault::Hang].map(|fault| (Step::Create, fault));
            script.add_random(7, 250, faults.to_vec());
            let draws = (0..4_000).map(|_| script.next(Step::Create));
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
        script.add_random(7, 1_000, vec![(Step::Create, Fault::Html)]);
        assert_eq!(script.next(Step::Connect), None);
        assert!(script.misplaced().is_none());
        script.add(Step::Connect, Fault::Html, 1);
        assert!(script.misplaced().is_some());
    }
}
