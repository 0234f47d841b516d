//! What is read from and written to the tables, within a transaction that someone else begins and
//! commits. An error here undoes the whole transaction; a conflict of one pin is none.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

use rusqlite::{OptionalExtension, Row, Transaction, params, types::Type};
use uuid::Uuid;

use crate::{
    placement::{
        epoch::Epoch,
        key::ResourceKey,
        worker::{Incarnation, WorkerId},
    },
    store::{Error, Loaded, Note, PinRecord},
};

/// The highest epoch that a file can hold: SQLite's integers have a sign, and one must be left to
/// go on with.
pub const EPOCH_MAX: Epoch = Epoch::new(i64::MAX as u64 - 1);

/// One owner's two names.
type Owner = (WorkerId, Incarnation);

/// Notes the lease, clears away owners without pins, and reads everything.
///
/// The first epoch is not below the wall clock, so that a file which was put back from a copy
/// repeats no epoch.
pub(super) fn load(
    transaction: &Transaction<'_>,
    lease: Duration,
    wall_micros: u64,
) -> rusqlite::Result<Loaded> {
    let sql = "UPDATE state SET lease_micros = max(lease_micros, ?1)
               RETURNING next_epoch, lease_micros, complete";
    let (next_epoch, lease, complete) = transaction.query_row(sql, [micros(lease)], |row| {
        Ok((number(row, 0)?, number(row, 1)?, row.get(2)?))
    })?;
    let mut owners = owners(transaction)?;
    let pins = pins(transaction, &owners)?;
    clear(transaction, &mut owners, &pins)?;
    Ok(Loaded {
        pins,
        first_epoch: Epoch::new(next_epoch.max(wall_micros.min(EPOCH_MAX.get()))),
        lease: Duration::from_micros(lease),
        complete,
        cordoned: cordoned(transaction)?,
    })
}

/// Writes the pins that are newer than what is there, and judges each by itself. Their epochs count
/// as used in either case.
pub(super) fn claim(
    transaction: &Transaction<'_>,
    records: &[PinRecord],
) -> rusqlite::Result<Vec<Result<(), Error>>> {
    let highest = records.iter().map(|record| record.epoch).max();
    if let Some(highest) = highest {
        let sql = "UPDATE state SET next_epoch = ?1 WHERE next_epoch < ?1";
        let next = integer(highest.min(EPOCH_MAX)) + 1;
        transaction.prepare_cached(sql)?.execute([next])?;
    }
    let mut ids = HashMap::new();
    let outcomes = records.iter().map(|record| {
        if record.epoch > EPOCH_MAX {
            return Ok(Err(Error::EpochTooHigh {
                key: record.key.clone(),
                claimed: record.epoch,
                most: EPOCH_MAX,
            }));
        }
        let owner = (record.worker, record.incarnation);
        let id = match ids.get(&owner) {
            Some(id) => *id,
            None => *ids.entry(owner).or_insert(intern(transaction, owner)?),
        };
        claim_one(transaction, record, id)
    });
    outcomes.collect()
}

fn claim_one(
    transaction: &Transaction<'_>,
    record: &PinRecord,
    owner: i64,
) -> rusqlite::Result<Result<(), Error>> {
    let sql = "INSERT INTO pins (key, owner, epoch) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch
               WHERE excluded.epoch > pins.epoch";
    let written = transaction.prepare_cached(sql)?.execute(params![
        record.key.as_str(),
        owner,
        integer(record.epoch)
    ])?;
    if written > 0 {
        return Ok(Ok(()));
    }
    let sql = "SELECT epoch FROM pins WHERE key = ?1";
    let held = transaction
        .prepare_cached(sql)?
        .query_row([record.key.as_str()], |row| number(row, 0))?;
    Ok(Err(Error::Conflict {
        key: record.key.clone(),
        held: Epoch::new(held),
        claimed: record.epoch,
    }))
}

/// The number that stands for an owner.
fn intern(transaction: &Transaction<'_>, (worker, incarnation): Owner) -> rusqlite::Result<i64> {
    let (worker, incarnation) = (worker.as_uuid(), incarnation.as_uuid());
    let names = params![worker.as_bytes(), incarnation.as_bytes()];
    let sql = "SELECT id FROM owners WHERE worker = ?1 AND incarnation = ?2";
    let known = transaction
        .prepare_cached(sql)?
        .query_row(names, |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    let sql = "INSERT INTO owners (worker, incarnation) VALUES (?1, ?2)";
    transaction.prepare_cached(sql)?.insert(names)
}

/// Forgets pins whose epoch is not higher than the one named.
pub(super) fn release(
    transaction: &Transaction<'_>,
    pins: &[(ResourceKey, Epoch)],
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM pins WHERE key = ?1 AND epoch <= ?2";
    let mut delete = transaction.prepare_cached(sql)?;
    for (key, epoch) in pins {
        delete.execute(params![key.as_str(), integer((*epoch).min(EPOCH_MAX))])?;
    }
    Ok(())
}

/// Makes a note.
pub(super) fn note(transaction: &Transaction<'_>, note: Note) -> rusqlite::Result<()> {
    match note {
        Note::Lease(lease) => {
            let sql = "UPDATE state SET lease_micros = ?1, complete = 1";
            transaction.execute(sql, [micros(lease)])
        }
        Note::Cordoned { worker, cordoned } => {
            let sql = if cordoned {
                "INSERT OR IGNORE INTO cordoned (worker) VALUES (?1)"
            } else {
                "DELETE FROM cordoned WHERE worker = ?1"
            };
            transaction.execute(sql, [worker.as_uuid().as_bytes()])
        }
    }
    .map(drop)
}

fn owners(transaction: &Transaction<'_>) -> rusqlite::Result<HashMap<i64, Owner>> {
    let mut select = transaction.prepare("SELECT id, worker, incarnation FROM owners")?;
    let owners = select.query_map([], |row| {
        let owner = (
            WorkerId::new(uuid(row, 1)?),
            Incarnation::new(uuid(row, 2)?),
        );
        Ok((row.get(0)?, owner))
    })?;
    owners.collect()
}

fn pins(
    transaction: &Transaction<'_>,
    owners: &HashMap<i64, Owner>,
) -> rusqlite::Result<Vec<PinRecord>> {
    let mut select = transaction.prepare("SELECT key, owner, epoch FROM pins")?;
    let pins = select.query_map([], |row| {
        let key = row.get_ref(0)?.as_str()?;
        let key = ResourceKey::parse(key)
            .map_err(|error| unlike(0, Type::Text, format!("{key:?}: {error}")))?;
        let id = row.get(1)?;
        let (worker, incarnation) = *owners
            .get(&id)
            .ok_or_else(|| unlike(1, Type::Integer, format!("{key} has no owner {id}")))?;
        Ok(PinRecord {
            key,
            worker,
            incarnation,
            epoch: Epoch::new(number(row, 2)?),
        })
    })?;
    pins.collect()
}

/// Clears away the owners that have no pin.
fn clear(
    transaction: &Transaction<'_>,
    owners: &mut HashMap<i64, Owner>,
    pins: &[PinRecord],
) -> rusqlite::Result<()> {
    let used: HashSet<Owner> = pins
        .iter()
        .map(|pin| (pin.worker, pin.incarnation))
        .collect();
    let mut delete = transaction.prepare("DELETE FROM owners WHERE id = ?1")?;
    for (id, _) in owners.extract_if(|_, owner| !used.contains(owner)) {
        delete.execute([id])?;
    }
    Ok(())
}

fn cordoned(transaction: &Transaction<'_>) -> rusqlite::Result<BTreeSet<WorkerId>> {
    let mut select = transaction.prepare("SELECT worker FROM cordoned")?;
    let workers = select.query_map([], |row| uuid(row, 0).map(WorkerId::new))?;
    workers.collect()
}

fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let integer: i64 = row.get(column)?;
    u64::try_from(integer).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, integer))
}

/// An epoch as SQLite holds it.
fn integer(epoch: Epoch) -> i64 {
    i64::try_from(epoch.get()).expect("epochs above the highest are sorted out before")
}

/// A length of time as SQLite holds it; one of more than 292,000 years is held as that.
fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// A value that is not like any that was written.
fn unlike(column: usize, kind: Type, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, what.into())
}
