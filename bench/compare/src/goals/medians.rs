//! The medians that goals are made of.

use crate::{case::Case, figure::Measure, peer::Peer, report::Found};

/// What was found of every case.
#[derive(Clone, Copy, Debug)]
pub(super) struct Medians<'a>(&'a [Found]);

impl<'a> Medians<'a> {
    pub(super) fn of(cases: &'a [Found]) -> Self {
        Self(cases)
    }

    /// Every case that was measured.
    pub(super) fn cases(&self) -> impl Iterator<Item = Case> {
        self.0.iter().map(|found| found.case)
    }

    /// The median of a measure; `None` when it was not measured.
    pub(super) fn get(&self, case: Case, peer: Peer, measure: Measure) -> Option<f64> {
        let found = self.0.iter().find(|found| found.case == case)?;
        let summary = found.peers.get(&peer)?.get(&measure)?;
        Some(summary.median)
    }

    /// That of Constellation.
    pub(super) fn of_constellation(&self, case: Case, measure: Measure) -> Option<f64> {
        self.get(case, Peer::Constellation, measure)
    }
}
