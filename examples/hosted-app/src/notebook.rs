//! One open notebook: a SQLite database, and who wants to hear of its changes. It knows nothing of
//! requests.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use constellation_client::{
    Grant,
    fence::{Entered, Fence, sqlite::SqliteFence},
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::problem::Problem;

/// How many changes a slow listener may be behind.
const BEHIND_MAX: usize = 64;

/// How long a statement waits for another process's lock.
const LOCKED_MAX: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, text TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS revision (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL);
    INSERT OR IGNORE INTO revision VALUES (1, 0);
";

/// What a client writes.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Draft {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) text: String,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) text: String,
}

/// All notes, and how often any of them was changed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Contents {
    pub(crate) revision: i64,
    pub(crate) notes: Vec<Note>,
}

/// What happened to a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
pub(crate) enum Change {
    Created { note: Note },
    Replaced { note: Note },
    Deleted { id: i64 },
}

/// An open notebook.
#[derive(Debug)]
pub(crate) struct Notebook {
    database: Mutex<Guarded>,
    changes: broadcast::Sender<Change>,
}

/// Its database.
#[derive(Debug)]
enum Guarded {
    /// Nobody else has it.
    Alone(Connection),
    /// It is owned, and the epoch is compared in each transaction.
    Owned(Entered<SqliteFence<Connection>>),
}

impl Guarded {
    fn open(path: &Path, grant: Option<&Grant>) -> Result<Self, Problem> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(LOCKED_MAX)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let mut opened = match grant {
            None => Self::Alone(connection),
            Some(grant) => Self::Owned(SqliteFence::new(connection).enter(grant.epoch())?),
        };
        opened.write(|connection| Ok(connection.execute_batch(SCHEMA)?))?;
        Ok(opened)
    }

    fn write<T>(
        &mut self,
        act: impl FnOnce(&Connection) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        match self {
            Self::Owned(fence) => fence.write(|connection| act(connection)),
            Self::Alone(connection) => {
                let transaction = connection.transaction()?;
                let outcome = act(&transaction)?;
                transaction.commit()?;
                Ok(outcome)
            }
        }
    }

    fn read<T>(
        &mut self,
        act: impl FnOnce(&Connection) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        match self {
            Self::Owned(fence) => fence.read(|connection| act(connection)),
            Self::Alone(connection) => {
                let transaction = connection.transaction()?;
                act(&transaction)
            }
        }
    }
}

impl Notebook {
    /// Opens the database at `path`, and makes it if there is none. With a grant it is owned.
    pub(crate) fn open(path: &Path, grant: Option<&Grant>) -> Result<Self, Problem> {
        Ok(Self {
            database: Mutex::new(Guarded::open(path, grant)?),
            changes: broadcast::Sender::new(BEHIND_MAX),
        })
    }

    /// Everything that is changed from now on. Ends when the notebook is closed.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    pub(crate) fn contents(&self) -> Result<Contents, Problem> {
        self.read(|connection| {
            let revision =
                connection.query_row("SELECT number FROM revision", [], |row| row.get(0))?;
            let mut statement =
                connection.prepare_cached("SELECT id, title, text FROM notes ORDER BY id")?;
            let notes = statement.query_map([], note)?;
            Ok(Contents {
                revision,
                notes: notes.collect::<Result<_, _>>()?,
            })
        })
    }

    pub(crate) fn note(&self, id: i64) -> Result<Note, Problem> {
        self.read(|connection| {
            let found = connection
                .query_row(
                    "SELECT id, title, text FROM notes WHERE id = ?1",
                    [id],
                    note,
                )
                .optional()?;
            found.ok_or(Problem::NoSuchNote)
        })
    }

    pub(crate) fn create(&self, draft: Draft) -> Result<Note, Problem> {
        check(&draft)?;
        let Draft { title, text } = draft;
        let created = self.change(|connection| {
            connection.execute(
                "INSERT INTO notes (title, text) VALUES (?1, ?2)",
                params![title, text],
            )?;
            let id = connection.last_insert_rowid();
            Ok(Note { id, title, text })
        })?;
        self.tell(Change::Created {
            note: created.clone(),
        });
        Ok(created)
    }

    pub(crate) fn replace(&self, id: i64, draft: Draft) -> Result<Note, Problem> {
        check(&draft)?;
        let Draft { title, text } = draft;
        let replaced = self.change(|connection| {
            let count = connection.execute(
                "UPDATE notes SET title = ?2, text = ?3 WHERE id = ?1",
                params![id, title, text],
            )?;
            one(count)?;
            Ok(Note { id, title, text })
        })?;
        self.tell(Change::Replaced {
            note: replaced.clone(),
        });
        Ok(replaced)
    }

    pub(crate) fn delete(&self, id: i64) -> Result<(), Problem> {
        self.change(
            |connection| one(connection.execute("DELETE FROM notes WHERE id = ?1", [id])?),
        )?;
        self.tell(Change::Deleted { id });
        Ok(())
    }

    fn change<T>(&self, act: impl FnOnce(&Connection) -> Result<T, Problem>) -> Result<T, Problem> {
        self.database().write(|connection| {
            let outcome = act(connection)?;
            connection.execute("UPDATE revision SET number = number + 1", [])?;
            Ok(outcome)
        })
    }

    fn read<T>(&self, act: impl FnOnce(&Connection) -> Result<T, Problem>) -> Result<T, Problem> {
        self.database().read(act)
    }

    /// A panic inside of a transaction has undone it, so the database is whole.
    fn database(&self) -> std::sync::MutexGuard<'_, Guarded> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: Change) {
        let _nobody_listens = self.changes.send(change);
    }
}

fn note(row: &Row<'_>) -> rusqlite::Result<Note> {
    Ok(Note {
        id: row.get(0)?,
        title: row.get(1)?,
        text: row.get(2)?,
    })
}

fn one(count: usize) -> Result<(), Problem> {
    if count == 1 {
        Ok(())
    } else {
        Err(Problem::NoSuchNote)
    }
}

fn check(draft: &Draft) -> Result<(), Problem> {
    let length = draft.title.trim().chars().count();
    if (1..=200).contains(&length) {
        Ok(())
    } else {
        Err(Problem::Title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(title: &str) -> Draft {
        Draft {
            title: title.to_owned(),
            text: String::new(),
        }
    }

    #[test]
    fn every_change_is_counted_and_told_and_a_failure_is_neither() {
        let folder = tempfile::tempdir().unwrap();
        let notebook = Notebook::open(&folder.path().join("a.db"), None).unwrap();
        let mut changes = notebook.changes();
        let note = notebook.create(draft("one")).unwrap();
        let replaced = notebook.replace(note.id, draft("two")).unwrap();
        assert!(matches!(notebook.create(draft(" ")), Err(Problem::Title)));
        assert!(matches!(notebook.delete(9), Err(Problem::NoSuchNote)));
        let contents = notebook.contents().unwrap();
        assert_eq!(
            (contents.revision, &contents.notes[..]),
            (2, &[replaced.clone()][..])
        );
        assert_eq!(changes.try_recv().unwrap(), Change::Created { note });
        assert_eq!(
            changes.try_recv().unwrap(),
            Change::Replaced { note: replaced }
        );
        assert!(changes.try_recv().is_err());
    }
}
