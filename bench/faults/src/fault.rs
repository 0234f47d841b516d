//! Faults, and the schedule of them that a seed determines. Pure: it says what is to happen, and does
//! nothing.

use std::time::Duration;

use clap::ValueEnum;

use crate::{names::Key, random::Random};

/// What can be done to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// A worker is killed, and started again under its id
    Kill,
    /// A worker is killed, and another one takes its place
    Replace,
    /// A worker's process is stopped for less than its lease
    PauseShort,
    /// A worker's process is stopped for longer than its lease
    PauseLong,
    /// The same in the middle of a request, just before it writes
    PauseBeforeWrite,
    /// The same in the middle of the transaction of a request
    PauseInsideWrite,
    /// The controller is killed and started again
    ControllerKill,
    /// The controller is told to end, and started again
    ControllerEnd,
    /// A worker's connection carries nothing, for less than its lease
    CutShort,
    /// A worker's connection carries nothing, for longer than its lease
    CutLong,
    /// For less than its lease, nothing of a worker reaches the controller
    CutUpShort,
    /// For longer than its lease, nothing of a worker reaches the controller
    CutUpLong,
    /// For less than its lease, nothing of the controller reaches a worker
    CutDownShort,
    /// For longer than its lease, nothing of the controller reaches a worker
    CutDownLong,
    /// A worker's connection is closed
    Close,
    /// A worker's connection is slow
    Delay,
    /// Every worker in turn is told to end, and started again
    RollingDrain,
    /// A key is moved by plan
    Move,
}

/// A fault of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// When, from the beginning of the run.
    pub(crate) at: Duration,
    /// What.
    pub(crate) kind: Kind,
    /// The seat of the worker that it is done to, if it is done to one that does not follow from
    /// the key.
    pub(crate) seat: usize,
    /// The key whose owner it is done to, if it is done to that.
    pub(crate) key: Key,
    /// Where between the shortest and the longest it lasts, from 0 to 1.
    pub(crate) share: f64,
}

/// How many faults of which kinds, in how much time.
#[derive(Clone, Debug)]
pub(crate) struct SchedulePlan {
    /// What all choices are drawn from.
    pub(crate) seed: u64,
    /// How many.
    pub(crate) faults: usize,
    /// The time they are spread over.
    pub(crate) time: Duration,
    /// The kinds.
    pub(crate) kinds: Vec<Kind>,
    /// How many seats there are.
    pub(crate) seats: usize,
    /// How many keys there are.
    pub(crate) keys: u32,
}

/// Draws a schedule. Kinds are dealt like cards: each comes once before one comes again.
pub(crate) fn schedule(plan: &SchedulePlan) -> Vec<Fault> {
    let mut random = Random::new(plan.seed, 1);
    let mut deck = Vec::new();
    let slot = plan.time / u32::try_from(plan.faults.max(1)).unwrap_or(u32::MAX);
    let faults = (0..plan.faults).filter_map(|number| {
        if deck.is_empty() {
            deck.clone_from(&plan.kinds);
            random.shuffle(&mut deck);
        }
        let kind = deck.pop()?;
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Some(Fault {
            at: slot * number + slot.mul_f64(share(&mut random)),
            kind,
            seat: random.below(plan.seats),
            key: Key(u32::try_from(random.below(plan.keys as usize)).unwrap_or(0)),
            share: share(&mut random),
        })
    });
    faults.collect()
}

fn share(random: &mut Random) -> f64 {
    let thousandths = u32::try_from(random.below(1000)).unwrap_or(0);
    f64::from(thousandths) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> SchedulePlan {
        SchedulePlan {
            seed,
            faults: 40,
            time: Duration::from_secs(80),
            kinds: Kind::value_variants().to_vec(),
            seats: 3,
            keys: 8,
        }
    }

    #[test]
    fn a_seed_repeats_its_schedule() {
        assert_eq!(schedule(&plan(1)), schedule(&plan(1)));
        assert_ne!(schedule(&plan(1)), schedule(&plan(2)));
    }

    #[test]
    fn every_kind_comes_before_one_comes_again_and_in_the_order_of_time() {
        let faults = schedule(&plan(3));
        assert_eq!(faults.len(), 40);
        let kinds = Kind::value_variants();
        let mut first: Vec<_> = faults[..kinds.len()]
            .iter()
            .map(|fault| fault.kind)
            .collect();
        first.sort_unstable();
        assert_eq!(first, kinds);
        assert!(faults.is_sorted_by_key(|fault| fault.at));
        assert!(faults.last().unwrap().at < Duration::from_secs(80));
    }
}
