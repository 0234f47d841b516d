//! Collects the evidence of a run from its files. It reads, and changes nothing.

use std::{collections::BTreeMap, io, path::Path};

use constellation_client::Epoch;
use rusqlite::{Connection, OpenFlags};

use crate::{
    checker::{Evidence, ProcessEvidence, Written},
    cluster::{Cluster, seat::Life},
    history::Operation,
    journal,
    names::{Key, RequestId, Row},
};

/// What could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvidenceError {
    /// A journal.
    #[error("a journal cannot be read")]
    Journal(#[from] io::Error),
    /// A database.
    #[error("the database of key {key} cannot be read")]
    Database {
        /// Its key.
        key: Key,
        /// Why.
        source: rusqlite::Error,
    },
}

/// Collects everything, once every process has ended.
///
/// # Errors
///
/// When a file cannot be read.
pub(crate) fn collect(
    cluster: &Cluster,
    lives: Vec<Life>,
    operations: Vec<Operation>,
    unserved: Vec<Key>,
) -> Result<Evidence, EvidenceError> {
    let processes = lives.into_iter().map(|life| {
        Ok(ProcessEvidence {
            process: life.process,
            records: journal::read(&life.journal)?,
            stops: life.stops,
            ended: life.ended,
        })
    });
    let databases = cluster.keys().map(|key| {
        let rows = rows(&cluster.database(key));
        let rows = rows.map_err(|source| EvidenceError::Database { key, source })?;
        Ok((key, rows))
    });
    Ok(Evidence {
        operations,
        processes: processes.collect::<Result<_, io::Error>>()?,
        databases: databases.collect::<Result<BTreeMap<_, _>, EvidenceError>>()?,
        unserved,
        margin: cluster.setup.margin(),
    })
}

fn rows(file: &Path) -> rusqlite::Result<Vec<Written>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    // To be written as well: what is still in the log is to be seen.
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut statement = connection.prepare("SELECT row, id, epoch FROM writes ORDER BY row")?;
    let rows = statement.query_map([], |row| {
        Ok(Written {
            row: Row(row.get::<_, i64>(0)?.cast_unsigned()),
            id: RequestId(row.get::<_, i64>(1)?.cast_unsigned()),
            epoch: Epoch::new(row.get::<_, i64>(2)?.cast_unsigned()),
        })
    })?;
    rows.collect()
}
