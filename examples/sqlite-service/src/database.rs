//! One SQLite database: opens its file, runs one statement at a time, answers with JSON. Pure
//! blocking SQLite: it never starts a thread, reads no clock and knows nothing of HTTP.
//!
//! A statement is a transaction of its own: its effects are on the disk when [`Database::run`]
//! returns a result, and there are none when it returns a failure. Statements that would reach
//! beyond that, to another file or into the next request, are refused (see [`authority`]). So is
//! every statement of an owner after whom another one came: the epoch is compared with the fence in
//! the database, in the transaction of the statement.

mod authority;
mod failure;
mod rows;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use constellation_client::{
    Epoch, Grant,
    fence::{Fence, sqlite::SqliteFence},
};
use rusqlite::{
    Batch, Connection, OpenFlags, Statement, config::DbConfig, fallible_iterator::FallibleIterator,
    limits::Limit,
};

use self::authority::Authority;
pub(crate) use self::failure::Failure;

/// The longest statement, in bytes.
pub(crate) const STATEMENT_BYTES_MAX: usize = 1 << 20;

/// How long a statement waits for another process that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many steps of SQLite's virtual machine may pass before it looks whether it should stop:
/// a fraction of a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// The table that every database has from its first use on.
const FIRST_TABLE: &str = "CREATE TABLE IF NOT EXISTS customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT,
    created_at DATETIME DEFAULT CURRENT_TIMESTAMP
)";

/// What one statement and one database may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The most rows a result may have.
    pub(crate) rows_max: usize,
    /// The most bytes a result may have as JSON; also the longest single text or blob.
    pub(crate) result_bytes_max: usize,
    /// The most bytes the database's file may have, in pages of 4096.
    pub(crate) file_pages_max: u32,
}

/// Tells a running statement to stop; clones are one and the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    told: Arc<AtomicBool>,
    /// The ownership that a statement runs under; without one nothing but a word stops it.
    grant: Option<Grant>,
}

impl Stop {
    /// The statement that runs with this stops soon, and is undone.
    pub(crate) fn stop(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    /// Stops also when the ownership under `grant` is over. A process that was itself stopped for a
    /// while, in the middle of a statement, looks at its clock so before it goes on.
    pub(crate) fn with(grant: Option<Grant>) -> Self {
        Self {
            told: Arc::default(),
            grant,
        }
    }

    fn is_stopped(&self) -> bool {
        let owned = self.grant.as_ref().is_none_or(Grant::is_in_force);
        !owned || self.told.load(Ordering::Relaxed)
    }
}

/// An open database.
#[derive(Debug)]
pub(crate) struct Database {
    connection: Connection,
    authority: Authority,
    limits: Limits,
    /// The epoch under which it was opened.
    epoch: Epoch,
}

impl Database {
    /// Opens the database in this file as its owner under `epoch`, which shuts out every owner under a
    /// lower one; makes the file and its first table when they are missing.
    ///
    /// # Errors
    ///
    /// When the database has an owner under a higher epoch. When the file cannot be opened or written,
    /// is no database, or is a symbolic link.
    pub(crate) fn open(file: &Path, epoch: Epoch, limits: Limits) -> Result<Self, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        configure(&connection)?;
        // Before the size is bounded: a database that is full still gets its fence.
        let mut fence = SqliteFence::new(&connection);
        fence.raise(epoch)?;
        connection.pragma_update(None, "max_page_count", limits.file_pages_max)?;
        restrict(&connection, limits)?;
        fence.write(epoch, |connection| {
            connection.execute_batch(FIRST_TABLE).map_err(Failure::from)
        })?;
        let authority = Authority::install(&mut connection)?;
        Ok(Self {
            connection,
            authority,
            limits,
            epoch,
        })
    }

    /// Runs one statement and returns its rows as a JSON array of objects, one member per column.
    /// A statement without rows returns `[]`.
    ///
    /// # Errors
    ///
    /// When the text is not exactly one statement, is refused, fails, has a result over the
    /// limits, or was stopped, or when the database has a later owner; then nothing has changed.
    pub(crate) fn run(&mut self, sql: &str, stop: &Stop) -> Result<Vec<u8>, Failure> {
        let watched = stop.clone();
        self.connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(move || watched.is_stopped()))?;
        let outcome = self
            .execute(sql, stop)
            .map_err(|failure| self.authority.explain(failure));
        if outcome.is_err() {
            self.undo();
        }
        outcome
    }

    /// Whether the connection is fit for a next statement. When it is not, an earlier one could
    /// not be undone; closing the connection undoes it.
    pub(crate) fn is_sound(&self) -> bool {
        self.connection.is_autocommit()
    }

    fn execute(&self, sql: &str, stop: &Stop) -> Result<Vec<u8>, Failure> {
        let mut statement = self.prepare(sql)?;
        let reads = statement.readonly();
        let mut fence = SqliteFence::new(&self.connection);
        let act = |_: &mut &Connection| {
            let rows = self
                .authority
                .as_client(|| rows::collect(&mut statement, self.limits))?;
            // The last look before the transaction ends.
            if stop.is_stopped() {
                return Err(Failure::Stopped);
            }
            Ok(rows)
        };
        // The transaction also undoes a statement whose result turns out to be too large.
        self.authority.as_service(|| {
            if reads {
                fence.read(self.epoch, act)
            } else {
                fence.write(self.epoch, act)
            }
        })
    }

    fn prepare(&self, sql: &str) -> Result<Statement<'_>, Failure> {
        if sql.len() > STATEMENT_BYTES_MAX {
            return Err(Failure::refused("the statement is longer than 1 MiB"));
        }
        // SQLite takes a NUL for the end of the text and would ignore the rest in silence.
        if sql.contains('\0') {
            return Err(Failure::refused("the statement contains a NUL character"));
        }
        let mut batch = Batch::new(&self.connection, sql);
        let statement = batch
            .next()?
            .ok_or(Failure::refused("there is no statement"))?;
        // A second statement often fails to compile because the first has not run yet, so that it
        // is there matters, not whether it is right.
        if !matches!(batch.next(), Ok(None)) {
            return Err(Failure::refused(
                "one statement a request, please: this is more than one",
            ));
        }
        if statement.parameter_count() > 0 {
            return Err(Failure::refused(
                "the statement has parameters, and nothing fills them",
            ));
        }
        Ok(statement)
    }

    /// SQLite undoes most failed writes by itself; a result over the limits, for one, it does not
    /// know about.
    fn undo(&mut self) {
        // A stop that is still set would also stop the rollback.
        let unwatched = self.connection.progress_handler(0, None::<fn() -> bool>);
        if let Err(error) = unwatched {
            log::warn!("the progress handler could not be removed: {error}");
        }
        if self.connection.is_autocommit() {
            return;
        }
        let rolled_back = self
            .authority
            .as_service(|| self.connection.execute_batch("ROLLBACK"));
        if let Err(error) = rolled_back {
            log::error!("a failed statement could not be rolled back: {error}");
        }
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    for (setting, value) in [
        // "text" in double quotes is a string when no column has this name.
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, true),
        // In a schema that would only hide misspelt column names.
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
    ] {
        connection.set_db_config(setting, value)?;
    }
    Ok(())
}

/// What <https://sqlite.org/security.html> advises for SQL from strangers, as far as it leaves
/// ordinary statements alone.
fn restrict(connection: &Connection, limits: Limits) -> rusqlite::Result<()> {
    let longest = i32::try_from(limits.result_bytes_max).unwrap_or(i32::MAX);
    let statement = i32::try_from(STATEMENT_BYTES_MAX).unwrap_or(i32::MAX);
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, longest),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, statement),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        // Matching a long pattern is quadratic, and nothing can stop it while it runs.
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 50),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
