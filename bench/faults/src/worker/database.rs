//! The database of one key, under one epoch. Its table is only ever added to, so that the order of
//! its rows is the order of their transactions.

use std::{path::Path, thread, time::Duration};

use constellation_client::{
    Epoch,
    fence::{
        Entered, Fence,
        sqlite::{Error, SqliteFence},
    },
};
use rusqlite::Connection;

use crate::names::{RequestId, Row};

/// How long to wait for another process's lock: less than the margin of a lease.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);

const TABLE: &str = "CREATE TABLE IF NOT EXISTS writes (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id INTEGER NOT NULL,
    epoch INTEGER NOT NULL
)";

/// An open database.
#[derive(Debug)]
pub(super) enum Database {
    /// Entered under an epoch.
    Fenced(Entered<SqliteFence<Connection>>),
    /// As it would be without a fence.
    Bare(Connection, Epoch),
}

impl Database {
    /// Opens it, and enters its fence when it is to have one.
    ///
    /// # Errors
    ///
    /// When a later owner has entered, or the database fails.
    pub(super) fn open(file: &Path, epoch: Epoch, fenced: bool) -> Result<Self, Error> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(LOCK_PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A process that is killed loses nothing that the system has; power failures are not tested.
        connection.pragma_update(None, "synchronous", "OFF")?;
        if fenced {
            let mut entered = SqliteFence::new(connection).enter(epoch)?;
            entered.write(|connection| Ok::<_, Error>(connection.execute_batch(TABLE)?))?;
            Ok(Self::Fenced(entered))
        } else {
            connection.execute_batch(TABLE)?;
            Ok(Self::Bare(connection, epoch))
        }
    }

    /// Adds a row; its place. Waits for `inside` before the commit.
    ///
    /// # Errors
    ///
    /// When a later owner has entered, or the database fails. Then there is no such row.
    pub(super) fn insert(&mut self, id: RequestId, inside: Duration) -> Result<Row, Error> {
        match self {
            Self::Fenced(entered) => {
                let epoch = entered.epoch();
                entered.write(|connection| add(connection, id, epoch, inside))
            }
            Self::Bare(connection, epoch) => {
                let transaction = connection.transaction()?;
                let row = add(&transaction, id, *epoch, inside)?;
                transaction.commit()?;
                Ok(row)
            }
        }
    }

    /// The last row; 0 when there is none.
    ///
    /// # Errors
    ///
    /// When a later owner has entered, or the database fails.
    pub(super) fn last(&mut self) -> Result<Row, Error> {
        match self {
            Self::Fenced(entered) => entered.read(|connection| last(connection)),
            Self::Bare(connection, _) => last(connection),
        }
    }
}

fn add(
    connection: &Connection,
    id: RequestId,
    epoch: Epoch,
    inside: Duration,
) -> Result<Row, Error> {
    let insert = "INSERT INTO writes (id, epoch) VALUES (?1, ?2)";
    let mut statement = connection.prepare_cached(insert)?;
    statement.execute((id.0.cast_signed(), epoch.get().cast_signed()))?;
    let row = connection.last_insert_rowid();
    rest(inside);
    Ok(Row(row.cast_unsigned()))
}

fn last(connection: &Connection) -> Result<Row, Error> {
    let select = "SELECT coalesce(max(row), 0) FROM writes";
    let mut statement = connection.prepare_cached(select)?;
    let row: i64 = statement.query_row([], |row| row.get(0))?;
    Ok(Row(row.cast_unsigned()))
}

/// Holds this thread up, as work that cannot be interrupted does.
pub(super) fn rest(duration: Duration) {
    if !duration.is_zero() {
        #[expect(
            clippy::disallowed_methods,
            reason = "a thread of its own for work that blocks"
        )]
        thread::sleep(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_owner_shuts_an_earlier_one_out_only_with_a_fence() {
        for fenced in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let open = |epoch| {
                let file = folder.path().join("x.db");
                Database::open(&file, Epoch::new(epoch), fenced).unwrap()
            };
            let mut early = open(1);
            let insert =
                |database: &mut Database, id| database.insert(RequestId(id), Duration::ZERO).ok();
            assert_eq!(insert(&mut early, 1), Some(Row(1)));
            let mut late = open(2);
            assert_eq!(insert(&mut late, 2), Some(Row(2)));
            assert_eq!(insert(&mut early, 3).is_none(), fenced);
            assert_eq!(early.last().is_err(), fenced);
        }
    }
}
