//! The store's thread: a batch of commands, a transaction, the answers. Judges nothing.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{command::Command, queue::Queue};
use crate::store::Error;

/// Owns the connection.
#[derive(Debug)]
pub(super) struct Keeper {
    connection: Connection,
    file: PathBuf,
    queue: Abandoned,
    /// Whether the last transaction failed: a fault is logged when it begins and when it ends.
    is_failing: bool,
}

/// The queue of a thread that may end by a panic: nobody then waits for an answer in vain.
#[derive(Debug)]
struct Abandoned(Arc<Queue>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Keeper {
    pub(super) fn new(connection: Connection, file: &Path, queue: Arc<Queue>) -> Self {
        Self {
            connection,
            file: file.to_owned(),
            queue: Abandoned(queue),
            is_failing: false,
        }
    }

    /// Carries out what is asked until the queue is closed and empty, then closes the file.
    pub(super) fn run(mut self) {
        while let Some(mut batch) = self.queue.0.next_batch() {
            let committed = self.transact(&mut batch);
            self.tell(&committed);
            for command in batch {
                command.answer(committed.clone());
            }
        }
        self.close();
    }

    /// All of the batch, or nothing of it.
    fn transact(&mut self, batch: &mut [Command]) -> Result<(), Error> {
        let mut attempt = || -> rusqlite::Result<()> {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            for command in batch.iter_mut() {
                command.apply(&transaction)?;
            }
            transaction.commit()
        };
        attempt().map_err(|error| failure(&self.file, &error))
    }

    fn tell(&mut self, committed: &Result<(), Error>) {
        match committed {
            Ok(()) if self.is_failing => {
                log::info!(file:% = self.file.display(); "the store writes again");
            }
            Err(error) if !self.is_failing => {
                log::error!(file:% = self.file.display(), error:%; "the store cannot write");
            }
            Ok(()) | Err(_) => {}
        }
        self.is_failing = committed.is_err();
    }

    fn close(self) {
        let file = self.file.display();
        // The log beside the file says everything too, so an error here loses nothing.
        if let Err(error) = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        {
            log::warn!(file:%, error:%; "the store's log could not be written into its file");
        }
        if let Err((_, error)) = self.connection.close() {
            log::warn!(file:%, error:%; "the store's file could not be closed");
        }
    }
}

/// What an error of SQLite means for those who asked.
fn failure(file: &Path, error: &rusqlite::Error) -> Error {
    let is_damage = match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::QueryReturnedNoRows => true,
        _ => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
    };
    let reason = match error.sqlite_error() {
        Some(sqlite) => format!(
            "{}: {error} (SQLite's code {})",
            file.display(),
            sqlite.extended_code
        ),
        None => format!("{}: {error}", file.display()),
    };
    if is_damage {
        Error::Corrupt { reason }
    } else {
        Error::Unavailable { reason }
    }
}
