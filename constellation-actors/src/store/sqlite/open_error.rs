//! Why a file cannot be opened as a store. Every message names the file.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

/// Why a file cannot be opened as a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store in this one, has it open.
    #[error("another controller uses {file}, or another program has it open", file = .file.display())]
    Locked {
        /// The file.
        file: PathBuf,
    },
    /// Its content is no SQLite database.
    #[error("{file} is not a SQLite database", file = .file.display())]
    NotADatabase {
        /// The file.
        file: PathBuf,
    },
    /// It is a SQLite database that someone else made.
    #[error("{file} is a SQLite database of another application", file = .file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// It is a damaged database.
    #[error(
        "{file} is damaged: {reason}; to start with no pins and new epochs, move it away",
        file = .file.display()
    )]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A newer version made it.
    #[error(
        "{file} has version {found} of the schema, made by a newer Constellation; this one knows \
         versions up to {known}",
        file = .file.display()
    )]
    TooNew {
        /// The file.
        file: PathBuf,
        /// The version it has.
        found: i64,
        /// The newest version that is known.
        known: usize,
    },
    /// The folder it is to be in is missing.
    #[error("the folder of {file} does not exist", file = .file.display())]
    NoFolder {
        /// The file.
        file: PathBuf,
    },
    /// There is something at its path that is no file.
    #[error("{file} is not a file", file = .file.display())]
    NotAFile {
        /// The path.
        file: PathBuf,
    },
    /// The system does not let this process read and write it, or make files beside it.
    #[error("no permission to read and write {file} and its folder: {reason}", file = .file.display())]
    Denied {
        /// The file.
        file: PathBuf,
        /// What SQLite or the system says.
        reason: String,
    },
    /// Anything else: the disk is full or broken.
    #[error("cannot open {file}: {reason}", file = .file.display())]
    Failed {
        /// The file.
        file: PathBuf,
        /// What SQLite or the system says.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn failed(file: &Path, reason: &dyn fmt::Display) -> Self {
        Self::Failed {
            file: file.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// What an error of SQLite means while a file is opened.
    pub(super) fn from_sqlite(file: &Path, error: &rusqlite::Error) -> Self {
        let (file, reason) = (file.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { file },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { file },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { file, reason },
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::Denied { file, reason }
            }
            _ => Self::Failed { file, reason },
        }
    }
}
