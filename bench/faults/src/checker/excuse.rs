//! When an ownership may reach into a later one: its process did not run. See the parent for why.

use std::{collections::BTreeMap, time::Duration};

use super::{CLOSING, Evidence, Ownership, ProcessEvidence};
use crate::{clock::Moment, journal::Record, names::Process};

/// The gaps of every process that break the assumption.
#[derive(Debug)]
pub(super) struct Excuses {
    gaps: BTreeMap<Process, Vec<(Moment, Moment)>>,
    margin: Duration,
}

impl Excuses {
    pub(super) fn new(evidence: &Evidence) -> Self {
        let margin = evidence.margin;
        let gaps = evidence.processes.iter();
        let gaps = gaps.map(|process| (process.process, gaps_of(process, margin)));
        Self {
            gaps: gaps.collect(),
            margin,
        }
    }

    /// Whether `stale` may reach into `later`, which has the higher epoch.
    pub(super) fn cover(&self, stale: &Ownership, later: &Ownership) -> bool {
        let from = stale.from.max(later.from);
        let to = stale.to.min(later.to).max(from);
        let gaps = self.gaps.get(&stale.process).into_iter().flatten();
        let mut gaps = gaps.copied();
        gaps.any(|(began, over)| began <= from && to <= over.after(self.margin + CLOSING))
    }
}

fn gaps_of(process: &ProcessEvidence, margin: Duration) -> Vec<(Moment, Moment)> {
    let noticed = process.records.iter().filter_map(|record| match record {
        Record::Gap(from, to) => Some((*from, *to)),
        Record::Opened(..) | Record::Closed(..) | Record::Start(..) | Record::End(..) => None,
    });
    let all = noticed.chain(process.stops.iter().copied());
    all.filter(|(from, to)| to.since(*from) >= margin / 2)
        .collect()
}
