//! The tables of the file, and how a file of an earlier version gets them. Never reads a pin.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Says in the file's header whose it is: "Cons" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x436f_6e73;

/// Makes version n + 1 of version n. The number is the wall clock in microseconds since 1970, by
/// which a new file's epochs begin.
pub(super) type Step = fn(&Transaction<'_>, u64) -> rusqlite::Result<()>;

/// The way from an empty file, which is version 0, to the version that this program writes. A step
/// that was once released is never changed; a new version adds one.
pub(super) const STEPS: &[Step] = &[version_1];

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nobody's yet.
    Empty,
    /// Ours, of a version that is known.
    Known,
    /// Ours, of a version that is not known.
    Newer {
        /// The version.
        found: i64,
    },
    /// Someone else's.
    Foreign,
}

/// Looks whose file it is, and changes nothing.
pub(super) fn origin(connection: &Connection) -> rusqlite::Result<Origin> {
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found = version(connection)?;
    let sql = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(match (application, usize::try_from(found)) {
        (APPLICATION_ID, Ok(version)) if version <= STEPS.len() => Origin::Known,
        (APPLICATION_ID, _) => Origin::Newer { found },
        (0, Ok(0)) if tables == 0 => Origin::Empty,
        _ => Origin::Foreign,
    })
}

/// Takes the steps that the file has not taken yet, all or none.
pub(super) fn migrate(
    connection: &mut Connection,
    steps: &[Step],
    now_micros: u64,
) -> rusqlite::Result<()> {
    let taken = usize::try_from(version(connection)?).unwrap_or(usize::MAX);
    if taken >= steps.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in &steps[taken..] {
        step(&transaction, now_micros)?;
    }
    let version = u32::try_from(steps.len()).expect("there are few versions");
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Owners have a table of their own because their two UUIDs would be most of a pin's size. `pins`
/// does not declare that its owner is there: a check of that would search all pins for every owner
/// that is cleared away. Loading finds one that is missing.
fn version_1(transaction: &Transaction<'_>, now_micros: u64) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "CREATE TABLE state (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            next_epoch INTEGER NOT NULL CHECK (next_epoch >= 0),
            lease_micros INTEGER NOT NULL CHECK (lease_micros >= 0),
            complete INTEGER NOT NULL CHECK (complete IN (0, 1))
        ) STRICT;
        CREATE TABLE owners (
            id INTEGER PRIMARY KEY,
            worker BLOB NOT NULL CHECK (length(worker) = 16),
            incarnation BLOB NOT NULL CHECK (length(incarnation) = 16),
            UNIQUE (worker, incarnation)
        ) STRICT;
        CREATE TABLE pins (
            key TEXT PRIMARY KEY,
            owner INTEGER NOT NULL,
            epoch INTEGER NOT NULL CHECK (epoch >= 0)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE cordoned (
            worker BLOB PRIMARY KEY CHECK (length(worker) = 16)
        ) STRICT, WITHOUT ROWID;",
    )?;
    let next_epoch = i64::try_from(now_micros).unwrap_or(0);
    let sql = "INSERT INTO state (one, next_epoch, lease_micros, complete) VALUES (1, ?1, 0, 0)";
    transaction.execute(sql, [next_epoch]).map(drop)
}

#[cfg(test)]
mod tests;
