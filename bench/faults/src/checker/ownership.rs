//! Who owned what, and when, read from the journals.

use constellation_client::Epoch;

use super::ProcessEvidence;
use crate::{
    clock::Moment,
    journal::Record,
    names::{Key, Process},
};

/// One process owned one key under one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// The key.
    pub(crate) key: Key,
    /// The epoch.
    pub(crate) epoch: Epoch,
    /// The process.
    pub(crate) process: Process,
    /// From its first request on.
    pub(crate) from: Moment,
    /// Until nothing of it was open, or the process had ended.
    pub(crate) to: Moment,
}

/// All ownerships of a process, in the order of their beginnings.
pub(crate) fn ownerships(process: &ProcessEvidence) -> Vec<Ownership> {
    let mut ownerships: Vec<Ownership> = Vec::new();
    for record in &process.records {
        match *record {
            Record::Opened(from, key, epoch) => ownerships.push(Ownership {
                key,
                epoch,
                process: process.process,
                from,
                to: process.ended,
            }),
            Record::Closed(to, key, epoch) => {
                let mut latest = ownerships.iter_mut().rev();
                let closed = latest.find(|known| known.key == key && known.epoch == epoch);
                if let Some(closed) = closed {
                    closed.to = to;
                }
            }
            Record::Start(..) | Record::End(..) | Record::Gap(..) => {}
        }
    }
    ownerships
}
