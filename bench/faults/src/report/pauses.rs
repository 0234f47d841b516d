//! How long keys went without an answer. Measured between the ends of answers that were done, so it
//! holds the load's own pauses as well: with few clients and many keys it says little.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    checker::{Evidence, Ownership, ownerships},
    clock::Moment,
    inject::{Applied, Target},
    names::Key,
};

/// How far behind a fault its effect is looked for.
const AFTER: Duration = Duration::from_millis(500);

/// Some durations, summed up in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// How many.
    pub(crate) count: usize,
    /// Half of them are no longer.
    pub(crate) p50: f64,
    /// 99 of 100 are no longer.
    pub(crate) p99: f64,
    /// None is longer.
    pub(crate) max: f64,
}

impl Spread {
    /// `None` when there is nothing to sum up.
    pub(crate) fn of(mut durations: Vec<Duration>) -> Option<Self> {
        durations.sort_unstable();
        let at = |percent: usize| {
            let rank = (durations.len() * percent).div_ceil(100).max(1);
            durations.get(rank - 1).map(|found| milliseconds(*found))
        };
        Some(Self {
            count: durations.len(),
            p50: at(50)?,
            p99: at(99)?,
            max: at(100)?,
        })
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// The longest time without an answer of each key that a fault concerned, around that fault.
pub(crate) fn pauses(evidence: &Evidence, faults: &[&Applied]) -> Vec<Duration> {
    let answers = answers(evidence);
    let owned: Vec<_> = evidence.processes.iter().flat_map(ownerships).collect();
    let mut pauses = Vec::new();
    for fault in faults {
        for (key, ends) in &answers {
            if concerns(fault, *key, &owned) {
                pauses.extend(longest(ends, fault.from, fault.to.after(AFTER)));
            }
        }
    }
    pauses
}

/// The longest time without an answer of each key, in the whole run.
pub(super) fn longest_gaps(evidence: &Evidence) -> BTreeMap<String, f64> {
    let gaps = answers(evidence).into_iter().filter_map(|(key, ends)| {
        let (first, last) = (ends.first()?, ends.last()?);
        Some((key.path(), milliseconds(longest(&ends, *first, *last)?)))
    });
    gaps.collect()
}

/// When each key was answered, in order.
fn answers(evidence: &Evidence) -> BTreeMap<Key, Vec<Moment>> {
    let mut answers: BTreeMap<Key, Vec<Moment>> = BTreeMap::new();
    for operation in evidence.operations.iter().filter(|done| done.is_done()) {
        answers
            .entry(operation.key)
            .or_default()
            .push(operation.end);
    }
    for ends in answers.values_mut() {
        ends.sort_unstable();
    }
    answers
}

fn concerns(fault: &Applied, key: Key, owned: &[Ownership]) -> bool {
    match fault.target {
        Target::All => true,
        Target::Key(one) => one == key,
        Target::Process(process) => owned.iter().any(|owned| {
            let theirs = owned.process == process && owned.key == key;
            theirs && owned.from <= fault.from && fault.from <= owned.to
        }),
    }
}

/// The longest time between two neighbours of which a part lies between `from` and `to`.
fn longest(ends: &[Moment], from: Moment, to: Moment) -> Option<Duration> {
    let pairs = ends
        .windows(2)
        .filter(|pair| pair[1] >= from && pair[0] <= to);
    pairs.map(|pair| pair[1].since(pair[0])).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_ranks_and_nothing_has_none() {
        let durations = (1..=200).map(Duration::from_millis).collect();
        let spread = Spread::of(durations).unwrap();
        assert_eq!((spread.count, spread.p50), (200, 100.0));
        assert_eq!((spread.p99, spread.max), (198.0, 200.0));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_pause_counts_when_a_part_of_it_lies_around_the_fault() {
        let ends = [0, 10, 50, 51, 90].map(Moment::at);
        let found = |from, to| longest(&ends, Moment::at(from), Moment::at(to));
        assert_eq!(found(20, 30), Some(Duration::from_nanos(40)));
        assert_eq!(found(52, 60), Some(Duration::from_nanos(39)));
        assert_eq!(found(95, 99), None);
    }
}
