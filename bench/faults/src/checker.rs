//! Checks the histories of a run against each other, and against what is promised. Pure: it is
//! handed all evidence after the run, and a verdict depends on nothing else.
//!
//! # What is checked
//!
//! All times are of one monotonic clock. A worker's *ownership* of a key under an epoch is the time from
//! its first request until nothing of it is open any more, as its journal says, or until its
//! process was killed.
//!
//! | claim | what must never be found |
//! |---|---|
//! | one holder | two processes that own one key at one time; an effect outside of its worker's ownership |
//! | epochs rise | an ownership that begins later under a lower epoch, or one epoch in two processes |
//! | fence | a row under a lower epoch than a row before it in the same database |
//! | nothing lost | a write that was acknowledged, or that its worker calls done, without its row |
//! | nothing untold | a row of a write that was refused, never delivered or never sent |
//! | nothing twice | two executions or two rows of one write |
//! | no stale answer | an answer under a lower epoch than one that was there before its request began |
//! | reads agree | an answer that misses a row which an answer before its request began already knew |
//! | recovers | a key that is not served once the faults are over |
//!
//! # When the assumption is broken
//!
//! *One holder* and *epochs rise* rest on every worker process being run at least once per margin.
//! A process that was stopped, by a fault or by a busy machine, has broken that; its stops are known from
//! the runner, and from a thread in the process that only notices when it did not run. So an ownership
//! that reaches into a later one is *excused* when its process had a gap of at least half a margin
//! that began before the later ownership did, and when it ended within one margin and
//! [`CLOSING`] after the gap: once it runs again, it notices and lets go. (Half a margin, because the
//! other half is for what the worker does once it runs.)
//!
//! Nothing else is ever excused. In particular the other claims hold for such a process too: what it
//! writes after a later owner has entered must have been refused, so its rows, if it has any, lie
//! before the later owner's; a write that it had begun before and that nobody acknowledged may be
//! there or not, but once; and nobody gets its late answers. In the time that is excused only the
//! fence stands between a stale owner and the data, so a run without the fence has to be found out.

mod answers;
mod effects;
mod excuse;
mod holders;
mod ownership;

use std::{collections::BTreeMap, fmt, time::Duration};

use constellation_client::Epoch;

use crate::{
    clock::Moment,
    history::Operation,
    journal::Record,
    names::{Key, Process, RequestId, Row},
};

/// What a worker may still take to close a key, once it has noticed that it has to.
pub(crate) const CLOSING: Duration = Duration::from_millis(250);

/// Everything that is known of a run.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// What clients saw.
    pub(crate) operations: Vec<Operation>,
    /// What workers wrote down.
    pub(crate) processes: Vec<ProcessEvidence>,
    /// What is in the databases, each in the order of its rows.
    pub(crate) databases: BTreeMap<Key, Vec<Written>>,
    /// The keys that nobody served after the faults.
    pub(crate) unserved: Vec<Key>,
    /// The margin of a lease.
    pub(crate) margin: Duration,
}

/// What is known of one process.
#[derive(Clone, Debug)]
pub(crate) struct ProcessEvidence {
    /// Which.
    pub(crate) process: Process,
    /// Its journal.
    pub(crate) records: Vec<Record>,
    /// When it was stopped by a fault, and when it went on.
    pub(crate) stops: Vec<(Moment, Moment)>,
    /// Until when it could do something.
    pub(crate) ended: Moment,
}

/// A row of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// Its place.
    pub(crate) row: Row,
    /// The write that added it.
    pub(crate) id: RequestId,
    /// The epoch that the worker acted under.
    pub(crate) epoch: Epoch,
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Claim {
    /// One process owns a key at a time.
    OneHolder,
    /// Later owners have higher epochs.
    EpochsRise,
    /// No row is written under an epoch that is over.
    Fence,
    /// What was acknowledged is there.
    NothingLost,
    /// What was refused is not there.
    NothingUntold,
    /// No write is executed twice.
    NothingTwice,
    /// No client gets an answer under an epoch that is over.
    NoStaleAnswer,
    /// Answers know what answers before them knew.
    ReadsAgree,
    /// Every key is served once faults are over.
    Recovers,
}

impl Claim {
    /// Its name for people and tools.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OneHolder => "one holder",
            Self::EpochsRise => "epochs rise",
            Self::Fence => "fence",
            Self::NothingLost => "nothing lost",
            Self::NothingUntold => "nothing untold",
            Self::NothingTwice => "nothing twice",
            Self::NoStaleAnswer => "no stale answer",
            Self::ReadsAgree => "reads agree",
            Self::Recovers => "recovers",
        }
    }
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What it contradicts.
    pub(crate) claim: Claim,
    /// Where it shows.
    pub(crate) evidence: String,
}

impl Violation {
    fn new(claim: Claim, evidence: String) -> Self {
        Self { claim, evidence }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.claim.name(), self.evidence)
    }
}

/// What a run proves.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What must not be.
    pub(crate) violations: Vec<Violation>,
    /// How many ownerships reached into a later one because their process did not run.
    pub(crate) excused: usize,
    /// How many effects a fence refused.
    pub(crate) refused: usize,
    /// How many ownerships there were.
    pub(crate) ownerships: usize,
}

/// Checks everything.
pub(crate) fn check(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    holders::check(evidence, &mut verdict);
    effects::check(evidence, &mut verdict);
    answers::check(evidence, &mut verdict);
    for key in &evidence.unserved {
        let text = format!("nobody serves key {key} after the faults");
        verdict
            .violations
            .push(Violation::new(Claim::Recovers, text));
    }
    verdict
}

pub(crate) use self::ownership::{Ownership, ownerships};

#[cfg(test)]
mod tests;
