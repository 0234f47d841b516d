//! From a path to an open, locked, checked and migrated database. Knows nothing of pins.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{self, Path},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{
    open_error::OpenError,
    schema::{self, Origin},
};

/// The most findings of a check that a message lists.
const FINDINGS_MAX: u32 = 3;

/// The memory for pages of the file, in KiB; negative, as SQLite wants that unit.
const CACHE_KIB: i32 = -16_384;

/// What the log of changes beside the file keeps on the disk once it was written into the file.
const LOG_BYTES_KEPT: u32 = 16 * 1024 * 1024;

/// Held while a file is made and opened. The lock of a file ends when this process closes any
/// handle of it, so nobody may open a file between its making and the end of that.
static OPENING: Mutex<()> = Mutex::new(());

/// Opens the file, and makes it when there is none. What is new begins with the epoch `now_micros`.
pub(super) fn open(file: &Path, now_micros: u64) -> Result<Connection, OpenError> {
    let _opening = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    make(file)?;
    let mut connection = lock(file)?;
    let refused = |error| OpenError::from_sqlite(file, &error);
    match schema::origin(&connection).map_err(refused)? {
        Origin::Empty | Origin::Known => {}
        Origin::Newer { found } => {
            return Err(OpenError::TooNew {
                file: file.to_owned(),
                found,
                known: schema::STEPS.len(),
            });
        }
        Origin::Foreign => {
            return Err(OpenError::Foreign {
                file: file.to_owned(),
            });
        }
    }
    check(file, &connection)?;
    configure(file, &connection)?;
    schema::migrate(&mut connection, schema::STEPS, now_micros).map_err(refused)?;
    sync_folder(file).map_err(|error| OpenError::failed(file, &error))?;
    Ok(connection)
}

/// Makes an empty file that only its owner may read, unless there is one. Never opens one that is
/// there; see [`OPENING`].
fn make(file: &Path) -> Result<(), OpenError> {
    if let Ok(metadata) = fs::metadata(file) {
        return if metadata.is_file() {
            Ok(())
        } else {
            Err(OpenError::NotAFile {
                file: file.to_owned(),
            })
        };
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    match options.open(file) {
        Ok(_made) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(not_made(file, &error)),
    }
}

fn not_made(path: &Path, error: &io::Error) -> OpenError {
    let file = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => OpenError::NoFolder { file },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => OpenError::Denied {
            file,
            reason: error.to_string(),
        },
        _ => OpenError::failed(path, error),
    }
}

/// Opens the file for this process alone; refused at once when another has it.
fn lock(file: &Path) -> Result<Connection, OpenError> {
    // An absolute path has no special meaning to SQLite, as `:memory:` and `file:` have.
    let absolute = path::absolute(file).map_err(|error| OpenError::failed(file, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, bool)> {
        let connection = Connection::open_with_flags(&absolute, flags)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        // The first look into the file takes the lock.
        connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
        let read_only = connection.is_readonly("main")?;
        Ok((connection, read_only))
    };
    match open() {
        Ok((connection, false)) => Ok(connection),
        Ok((_, true)) => Err(OpenError::Denied {
            file: file.to_owned(),
            reason: "it can be read but not written".to_owned(),
        }),
        Err(error) => Err(OpenError::from_sqlite(file, &error)),
    }
}

/// Whether the file's pages hang together.
fn check(file: &Path, connection: &Connection) -> Result<(), OpenError> {
    let findings = || -> rusqlite::Result<Vec<String>> {
        let mut check = connection.prepare(&format!("PRAGMA quick_check({FINDINGS_MAX})"))?;
        let findings = check.query_map([], |row| row.get(0))?;
        findings.collect()
    };
    let findings = findings().map_err(|error| OpenError::from_sqlite(file, &error))?;
    if findings == ["ok"] {
        return Ok(());
    }
    let lines = findings.iter().flat_map(|finding| finding.lines());
    Err(OpenError::Corrupt {
        file: file.to_owned(),
        reason: lines.collect::<Vec<_>>().join(", "),
    })
}

fn configure(file: &Path, connection: &Connection) -> Result<(), OpenError> {
    let set = || -> rusqlite::Result<String> {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
        Ok(mode)
    };
    let mode = set().map_err(|error| OpenError::from_sqlite(file, &error))?;
    if mode == "wal" {
        Ok(())
    } else {
        let reason = format!("it stays in journal mode {mode}");
        Err(OpenError::failed(file, &reason))
    }
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;

    options.mode(0o600);
}

/// Makes the name of a new file as durable as its content.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

// Elsewhere a file's readers are those of its folder, and a folder cannot be synced.
#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions) {}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
