//! What a run is summed up in: for people as a table, for tools as JSON. It leaves nothing out that
//! speaks against the run.

mod pauses;
mod requests;
mod table;

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde::Serialize;

pub(crate) use self::pauses::{Spread, milliseconds};
use self::{pauses::pauses, requests::Requests};
use crate::{fault::Kind, run::Finished};

/// The sum of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was run: a name of a scenario, or `faults`.
    pub(crate) scenario: String,
    /// The seed of the schedule and the load.
    pub(crate) seed: u64,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
    /// The faults by kind.
    pub(crate) faults: BTreeMap<String, FaultLine>,
    /// The requests.
    pub(crate) requests: Requests,
    /// How long keys were not answered for.
    pub(crate) longest_gap_ms: BTreeMap<String, f64>,
    /// How many ownerships there were.
    pub(crate) ownerships: usize,
    /// How many of them reached into a later one because their process did not run.
    pub(crate) excused: usize,
    /// How many effects a fence refused.
    pub(crate) refused_by_fence: usize,
    /// Figures of a scenario of their own.
    pub(crate) figures: BTreeMap<String, f64>,
    /// What must not be.
    pub(crate) violations: Vec<String>,
}

/// The faults of one kind.
#[derive(Debug, Serialize)]
pub(crate) struct FaultLine {
    /// How many.
    pub(crate) count: usize,
    /// How many of them hit what they were to hit.
    pub(crate) hit: usize,
    /// How long the keys that they concerned were not answered for.
    pub(crate) pause_ms: Option<Spread>,
}

/// Sums up a run.
pub(crate) fn report(scenario: &str, seed: u64, finished: &Finished) -> Report {
    let evidence = &finished.evidence;
    let mut faults = BTreeMap::new();
    for kind in Kind::value_variants() {
        let done: Vec<_> = finished
            .applied
            .iter()
            .filter(|applied| applied.kind == *kind)
            .collect();
        if !done.is_empty() {
            let line = FaultLine {
                count: done.len(),
                hit: done.iter().filter(|applied| applied.hit).count(),
                pause_ms: Spread::of(pauses(evidence, &done)),
            };
            faults.insert(kind_name(*kind), line);
        }
    }
    let verdict = &finished.verdict;
    Report {
        scenario: scenario.to_owned(),
        seed,
        seconds: finished.time.as_secs_f64(),
        faults,
        requests: Requests::of(&evidence.operations),
        longest_gap_ms: pauses::longest_gaps(evidence),
        ownerships: verdict.ownerships,
        excused: verdict.excused,
        refused_by_fence: verdict.refused,
        figures: BTreeMap::new(),
        violations: verdict.violations.iter().map(ToString::to_string).collect(),
    }
}

/// The name of a kind, as it is typed.
pub(crate) fn kind_name(kind: Kind) -> String {
    kind.to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}
