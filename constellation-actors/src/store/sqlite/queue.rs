//! What waits for the store's thread: bounded, in order, taken many at a time. Knows no SQL.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::command::Command;
use crate::store::Error;

/// The most records that wait; further ones are refused.
pub(super) const QUEUED_MAX: usize = 65_536;

/// The most records that one transaction takes. It bounds how long the first of them waits for the
/// last; one command is never split.
const BATCH_MAX: usize = 4_096;

/// The way to the store's thread.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    commands: VecDeque<Command>,
    records: usize,
    is_closed: bool,
}

impl Queue {
    /// Adds a command. One that is larger than all that may wait is taken by an empty queue.
    pub(super) fn push(&self, command: Command) -> Result<(), Error> {
        let records = command.records();
        let mut state = self.lock();
        if state.is_closed {
            return Err(ended());
        }
        if state.records > 0 && state.records + records > QUEUED_MAX {
            return Err(Error::Unavailable {
                reason: format!(
                    "it is overloaded: {} records wait to be written",
                    state.records
                ),
            });
        }
        state.records += records;
        state.commands.push_back(command);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for commands and takes as many as make up one transaction; `None` once the queue is
    /// closed and empty.
    pub(super) fn next_batch(&self) -> Option<Vec<Command>> {
        let waits = |state: &mut State| state.commands.is_empty() && !state.is_closed;
        let mut state = self
            .changed
            .wait_while(self.lock(), waits)
            .unwrap_or_else(PoisonError::into_inner);
        let mut batch = vec![state.commands.pop_front()?];
        let mut records = batch[0].records();
        while records < BATCH_MAX
            && let Some(command) = state.commands.pop_front()
        {
            records += command.records();
            batch.push(command);
        }
        state.records -= records;
        Some(batch)
    }

    /// Lets nothing more in. What waits is still to be taken.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Lets nothing more in and drops what waits, which tells those who wait for an answer.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let abandoned = std::mem::take(&mut state.commands);
        state.records = 0;
        drop(state);
        drop(abandoned);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said when nobody carries out commands any more.
pub(super) fn ended() -> Error {
    Error::Unavailable {
        reason: "its thread has ended".to_owned(),
    }
}
