//! What the store is asked, from the question to the answer.

use std::time::Duration;

use futures::channel::oneshot::Sender;
use rusqlite::Transaction;

use super::records;
use crate::{
    placement::{epoch::Epoch, key::ResourceKey},
    store::{Error, Loaded, Note, PinRecord},
};

/// The answer to a command that has nothing to tell but whether it was done.
type Done = Sender<Result<(), Error>>;

/// A question, what was found so far, and who wants to know.
#[derive(Debug)]
pub(super) enum Command {
    Load {
        lease: Duration,
        wall_micros: u64,
        loaded: Option<Loaded>,
        answer: Sender<Result<Loaded, Error>>,
    },
    Claim {
        records: Vec<PinRecord>,
        outcomes: Vec<Result<(), Error>>,
        answer: Sender<Vec<Result<(), Error>>>,
    },
    Release {
        pins: Vec<(ResourceKey, Epoch)>,
        answer: Done,
    },
    Note {
        note: Note,
        answer: Done,
    },
    #[cfg(test)]
    Test(Work),
}

impl Command {
    pub(super) fn load(
        lease: Duration,
        wall_micros: u64,
        answer: Sender<Result<Loaded, Error>>,
    ) -> Self {
        Self::Load {
            lease,
            wall_micros,
            loaded: None,
            answer,
        }
    }

    pub(super) fn claim(records: Vec<PinRecord>, answer: Sender<Vec<Result<(), Error>>>) -> Self {
        Self::Claim {
            records,
            outcomes: Vec::new(),
            answer,
        }
    }

    /// How much it is, in records.
    pub(super) fn records(&self) -> usize {
        match self {
            Self::Claim { records, .. } => records.len().max(1),
            Self::Release { pins, .. } => pins.len().max(1),
            Self::Load { .. } | Self::Note { .. } => 1,
            #[cfg(test)]
            Self::Test(_) => 1,
        }
    }

    /// Does it. Nothing of it holds before the transaction is committed.
    pub(super) fn apply(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Load {
                lease,
                wall_micros,
                loaded,
                ..
            } => *loaded = Some(records::load(transaction, *lease, *wall_micros)?),
            Self::Claim {
                records, outcomes, ..
            } => *outcomes = records::claim(transaction, records)?,
            Self::Release { pins, .. } => records::release(transaction, pins)?,
            Self::Note { note, .. } => records::note(transaction, *note)?,
            #[cfg(test)]
            Self::Test(Work(work)) => work(transaction),
        }
        Ok(())
    }

    /// Answers it, once the transaction is committed or undone. One who no longer listens is fine.
    pub(super) fn answer(self, committed: Result<(), Error>) {
        match self {
            Self::Load { loaded, answer, .. } => {
                let loaded = || loaded.expect("it was applied before it was committed");
                let _unheard = answer.send(committed.map(|()| loaded()));
            }
            Self::Claim {
                records,
                outcomes,
                answer,
            } => {
                let outcomes = match committed {
                    Ok(()) => outcomes,
                    Err(error) => vec![Err(error); records.len()],
                };
                let _unheard = answer.send(outcomes);
            }
            Self::Release { answer, .. } | Self::Note { answer, .. } => {
                let _unheard = answer.send(committed);
            }
            #[cfg(test)]
            Self::Test(_) => {}
        }
    }
}

/// Something that a test does on the store's thread.
#[cfg(test)]
pub(super) struct Work(pub(super) Box<dyn FnMut(&Transaction<'_>) + Send>);

#[cfg(test)]
impl std::fmt::Debug for Work {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Work")
    }
}
