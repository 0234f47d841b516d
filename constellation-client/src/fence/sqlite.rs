//! A fence in a SQLite database: the mark is a row of the database itself, compared in the very
//! transaction that writes. It never holds a transaction open between two calls.
//!
//! ```
//! use constellation_client::{Epoch, fence::{Fence, sqlite::{Error, SqliteFence}}};
//! use rusqlite::Connection;
//!
//! fn insert(fence: &mut SqliteFence<Connection>, epoch: Epoch, name: &str) -> Result<(), Error> {
//!     fence.write(epoch, |connection| {
//!         connection.execute("INSERT INTO customers (name) VALUES (?1)", [name])?;
//!         Ok(())
//!     })
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let mut fence = SqliteFence::new(Connection::open_in_memory()?);
//! fence.raise(Epoch::new(7))?; // before anything else: the epoch of the grant
//! fence.connection().execute_batch("CREATE TABLE customers (name)")?;
//! insert(&mut fence, Epoch::new(7), "Alice")?;
//! assert!(matches!(insert(&mut fence, Epoch::new(6), "Bob"), Err(Error::Refused(_))));
//! # Ok(())
//! # }
//! ```
//!
//! # When an owner's process is stopped
//!
//! What happens when it goes on after its lease depends on where it was stopped. Each case is a test
//! with real processes.
//!
//! * *Before its transaction, or after it*: its next [`write`](Fence::write) begins with
//!   `BEGIN IMMEDIATE`, sees the later owner's mark, and is refused. So is its next
//!   [`read`](Fence::read).
//! * *Inside a write*: it has SQLite's write lock, which the system keeps for a stopped process. The
//!   later owner cannot enter meanwhile: it waits for the connection's busy timeout and then gets
//!   [`Error::Locked`]. No fence can help here, because nothing may take a lock from a process that
//!   could go on; end that process, or let it go on. When it is *killed*, the system frees the lock and
//!   SQLite drops what it had written. When it *goes on*, it commits: it was the last to have the lock
//!   and nobody has entered since. The later owner enters after that and sees the write. So the history
//!   is one line, the earlier owner's write under the earlier epoch, then the later epoch. Only its answer
//!   is lost: the controller discards it, and the client has been told that the outcome is unknown.
//! * *Inside a read*: in WAL mode it goes on reading what there was before the later owner entered, and
//!   holds nobody up; the controller discards the answer. If it writes after all, SQLite refuses with
//!   `SQLITE_BUSY_SNAPSHOT` ([`Error::Overtaken`]), because the mark has changed since.
//!
//! Keep writes short, then the second case is rare: compute first, prepare statements, then write.
//! Set a busy timeout ([`Connection::busy_timeout`]); rusqlite's default is 5 seconds.
//!
//! Use WAL mode. Without it the fence is as safe, but a reader that is stopped keeps later owners out,
//! as a writer does. In WAL mode it only keeps the log from being reset, which grows meanwhile.
//!
//! # What it rests on
//!
//! On locks that work: a local file system. SQLite itself advises against network file systems, and
//! where a lock can expire under a stopped machine this fence is none.
//!
//! The mark is the one row of the table [`TABLE`], which [`raise`](Fence::raise) makes. Keep it from
//! other people's SQL. A backup that is put back brings its mark along; an owner that goes on writes its
//! own epoch again, and earlier ones are refused as before. Only when epochs begin anew, after a
//! change of the controller's store for example, delete the row by hand while nobody owns the key.

use std::borrow::Borrow;

use constellation_actors::placement::epoch::Epoch;
use rusqlite::{Connection, ErrorCode, OptionalExtension, ffi::SQLITE_BUSY_SNAPSHOT};

use super::{Admission, Fence, Refused, admit};

/// The table of the guarded database that holds the mark.
pub const TABLE: &str = "constellation_fence";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS main.constellation_fence (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL
)";

/// A fence in the database of a connection: owned, borrowed (`&Connection`), or shared (`Rc`).
///
/// Acts are given the connection inside of a transaction. They must not end it.
#[derive(Debug)]
pub struct SqliteFence<C> {
    connection: C,
}

/// Why an act was not let in, or did not last.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A later owner has entered.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The lock was not to be had within the busy timeout.
    #[error(
        "another process has the database locked: perhaps an earlier owner that was stopped in the \
         middle of a write, which has to go on or to be ended"
    )]
    Locked(#[source] rusqlite::Error),
    /// A read that became a write came too late: the database was changed since it began.
    #[error("the database was changed by somebody else since this transaction began to read")]
    Overtaken(#[source] rusqlite::Error),
    /// SQLite's integers have 63 bits and a sign.
    #[error(
        "epoch {epoch} is higher than {}, the highest that SQLite can hold",
        i64::MAX
    )]
    TooHigh {
        /// The epoch.
        epoch: Epoch,
    },
    /// The mark is not an epoch. Nobody is let in, because nobody can tell who was there.
    #[error("the table {TABLE} of the database does not hold an epoch")]
    Damaged,
    /// The act ended the transaction that it ran in, so that it was not guarded to its end.
    #[error("the guarded transaction was ended from inside")]
    Ended,
    /// SQLite failed, or refused a statement.
    #[error("SQLite failed")]
    Sqlite(#[source] rusqlite::Error),
}

impl Error {
    /// Whether the same owner may try again with some hope. After a refusal there is none.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Locked(_) | Self::Overtaken(_) => true,
            Self::Refused(_)
            | Self::TooHigh { .. }
            | Self::Damaged
            | Self::Ended
            | Self::Sqlite(_) => false,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().copied();
        match code {
            Some(code) if code.extended_code == SQLITE_BUSY_SNAPSHOT => Self::Overtaken(error),
            Some(code) if code.code == ErrorCode::DatabaseBusy => Self::Locked(error),
            Some(_) | None => Self::Sqlite(error),
        }
    }
}

impl<C: Borrow<Connection>> SqliteFence<C> {
    /// A fence in the connection's main database. Nothing is read or written yet.
    pub fn new(connection: C) -> Self {
        Self { connection }
    }

    /// The connection, unguarded.
    pub fn connection(&self) -> &Connection {
        self.connection.borrow()
    }

    /// The connection alone, such as to close it. The mark stays.
    pub fn into_connection(self) -> C {
        self.connection
    }
}

impl<C: Borrow<Connection>> Fence for SqliteFence<C> {
    type Access = C;
    type Error = Error;

    /// Runs `act` in a transaction of its own, which commits when `act` succeeds and is undone
    /// otherwise. The write lock is held from before the mark is compared until the commit.
    fn write<T, E: From<Error>>(
        &mut self,
        epoch: Epoch,
        act: impl FnOnce(&mut C) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = Transaction::begin(&mut self.connection, "BEGIN IMMEDIATE")?;
        match transaction.admit(epoch)? {
            Admission::Held => {}
            Admission::Higher => transaction.raise(epoch)?,
        }
        let outcome = act(transaction.connection)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Runs `act` in a transaction that locks nobody out and raises no mark.
    fn read<T, E: From<Error>>(
        &mut self,
        epoch: Epoch,
        act: impl FnOnce(&mut C) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = Transaction::begin(&mut self.connection, "BEGIN")?;
        // Its first read fixes what all later ones see, so that the mark is as old as they are.
        transaction.admit(epoch)?;
        let outcome = act(transaction.connection)?;
        transaction.commit()?;
        Ok(outcome)
    }

    fn raise(&mut self, epoch: Epoch) -> Result<(), Error> {
        // A table that declares the mark its parent key, though the mark is no key at all, would make
        // raising it an error of that foreign key. Inside of a transaction the setting is fixed.
        let enforces: bool = self
            .connection()
            .pragma_query_value(None, "foreign_keys", |row| row.get(0))?;
        self.enforce_foreign_keys(false)?;
        let raised = self.write(epoch, |_| Ok(()));
        self.enforce_foreign_keys(enforces)?;
        raised
    }
}

impl<C: Borrow<Connection>> SqliteFence<C> {
    fn enforce_foreign_keys(&self, on: bool) -> rusqlite::Result<()> {
        self.connection().pragma_update(None, "foreign_keys", on)
    }
}

/// A transaction that is undone when it is dropped before its commit, by a panic too.
struct Transaction<'a, C: Borrow<Connection>> {
    connection: &'a mut C,
}

impl<'a, C: Borrow<Connection>> Transaction<'a, C> {
    fn begin(connection: &'a mut C, begin: &str) -> Result<Self, Error> {
        (*connection).borrow().execute_batch(begin)?;
        Ok(Self { connection })
    }

    fn connection(&self) -> &Connection {
        (*self.connection).borrow()
    }

    fn admit(&self, epoch: Epoch) -> Result<Admission, Error> {
        let held = held(self.connection())?;
        let path = self.connection().path().unwrap_or_default();
        let what = if path.is_empty() { "a database" } else { path };
        Ok(admit(what, held, epoch)?)
    }

    fn raise(&self, epoch: Epoch) -> Result<(), Error> {
        let number = i64::try_from(epoch.get()).map_err(|_| Error::TooHigh { epoch })?;
        let connection = self.connection();
        connection.execute_batch(CREATE)?;
        let update = "UPDATE main.constellation_fence SET epoch = ?1";
        if connection.execute(update, [number])? == 0 {
            let insert = "INSERT INTO main.constellation_fence (id, epoch) VALUES (1, ?1)";
            connection.execute(insert, [number])?;
        }
        Ok(())
    }

    fn commit(self) -> Result<(), Error> {
        if self.connection().is_autocommit() {
            return Err(Error::Ended);
        }
        Ok(self.connection().execute_batch("COMMIT")?)
    }
}

impl<C: Borrow<Connection>> Drop for Transaction<'_, C> {
    fn drop(&mut self) {
        // SQLite ends a transaction by itself when some errors come up in it.
        if self.connection().is_autocommit() {
            return;
        }
        if let Err(error) = self.connection().execute_batch("ROLLBACK") {
            log::error!(error:%; "a guarded transaction could not be undone");
        }
    }
}

/// The mark, as the transaction sees it that the connection is in.
fn held(connection: &Connection) -> Result<Option<Epoch>, Error> {
    match read_mark(connection) {
        Ok(held) => Ok(held),
        // Not of interest: the table is missing, or the connection does not know of it yet.
        Err(_) if !has_table(connection)? => Ok(None),
        Err(_) => read_mark(connection),
    }
}

fn read_mark(connection: &Connection) -> Result<Option<Epoch>, Error> {
    let select = "SELECT epoch FROM main.constellation_fence";
    let mut statement = connection.prepare_cached(select)?;
    let mark = statement.query_row([], |row| row.get(0)).optional();
    let number: Option<i64> = mark.map_err(|error| match error {
        rusqlite::Error::InvalidColumnType(..) => Error::Damaged,
        other => other.into(),
    })?;
    let number = number.map(u64::try_from).transpose();
    Ok(number.map_err(|_| Error::Damaged)?.map(Epoch::new))
}

fn has_table(connection: &Connection) -> rusqlite::Result<bool> {
    // Read in the same transaction, and from the file: what SQLite remembers of the schema may
    // be older than another process's table.
    let select = "SELECT count(*) FROM main.sqlite_master WHERE name = ?1";
    let count: i64 = connection.query_row(select, [TABLE], |row| row.get(0))?;
    Ok(count > 0)
}

#[cfg(test)]
mod tests;
