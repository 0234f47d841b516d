//! How the requests of a run ended.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Spread;
use crate::history::{Answer, Operation};

/// How the requests ended.
#[derive(Debug, Serialize)]
pub(crate) struct Requests {
    /// All of them.
    pub(crate) all: usize,
    /// Those that were done.
    pub(crate) done: usize,
    /// Those that were not, by what their clients were told.
    pub(crate) failed: BTreeMap<String, usize>,
    /// How long clients waited for those that were done.
    pub(crate) wait_ms: Option<Spread>,
}

impl Requests {
    pub(super) fn of(operations: &[Operation]) -> Self {
        let mut failed = BTreeMap::new();
        for operation in operations.iter().filter(|operation| !operation.is_done()) {
            *failed.entry(told(&operation.answer)).or_insert(0) += 1;
        }
        let done: Vec<_> = operations.iter().filter(|done| done.is_done()).collect();
        let waits = done.iter().map(|done| done.end.since(done.start));
        Self {
            all: operations.len(),
            done: done.len(),
            failed,
            wait_ms: Spread::of(waits.collect()),
        }
    }

    /// How many were not done.
    pub(crate) fn failures(&self) -> usize {
        self.all - self.done
    }
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Done { .. } => "done".into(),
        Answer::Nothing(outcome) => format!("worker: {}", outcome.word()),
        Answer::Undelivered { status } => format!("{status} undelivered"),
        Answer::Unknown {
            status: Some(status),
        } => format!("{status} unknown"),
        Answer::Unknown { status: None } => "connection lost".into(),
        Answer::Unsent => "no connection".into(),
    }
}
