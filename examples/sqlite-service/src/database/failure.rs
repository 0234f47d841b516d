//! Why a statement failed, in words for the client, sorted by who can do something about it.

use constellation_client::fence::{Refused, sqlite::Error as FenceError};
use rusqlite::ErrorCode;

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The service does not run such a statement.
    #[error("{reason}")]
    Refused {
        /// What is refused, and what to do instead where there is something.
        reason: String,
    },
    /// SQLite found a fault in the statement, or a constraint that it breaks.
    #[error("{message}")]
    Sql {
        /// SQLite's words.
        message: String,
    },
    /// The result has too many rows.
    #[error("the result has more than {rows_max} rows: ask for fewer, with LIMIT")]
    TooManyRows {
        /// The limit.
        rows_max: usize,
    },
    /// The result has too many bytes.
    #[error("the result has more than {bytes_max} bytes: ask for fewer rows or columns")]
    TooManyBytes {
        /// The limit.
        bytes_max: usize,
    },
    /// It was told to stop.
    #[error("the statement was stopped before its end and has changed nothing")]
    Stopped,
    /// Another process has the file locked.
    #[error("the database is locked by another process")]
    Busy,
    /// A later owner has the database. The epochs are for the log, which the fence has told.
    #[error("the database has a new owner; the statement has changed nothing")]
    Superseded(Refused),
    /// The file is as large as it may get, or the disk is full.
    #[error("the database is full")]
    Full,
    /// The file cannot be read or written as a database. The cause is for the log.
    #[error("the database cannot be used")]
    Storage(#[source] rusqlite::Error),
    /// The fence cannot tell whether the database has a later owner. The cause is for the log.
    #[error("it cannot be told who owns the database")]
    Fence(#[source] FenceError),
}

impl Failure {
    /// The statement is not run, for this reason.
    pub(super) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
        }
    }
}

impl From<FenceError> for Failure {
    fn from(error: FenceError) -> Self {
        match error {
            FenceError::Refused(refused) => Self::Superseded(refused),
            FenceError::Locked(_) | FenceError::Overtaken(_) => Self::Busy,
            FenceError::Sqlite(error) => error.into(),
            FenceError::TooHigh { .. } | FenceError::Damaged | FenceError::Ended => {
                Self::Fence(error)
            }
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            return Self::Sql {
                message: error.to_string(),
            };
        };
        match code {
            ErrorCode::OperationInterrupted => Self::Stopped,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::InternalMalfunction
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::ApiMisuse
            | ErrorCode::NoLargeFileSupport
            | ErrorCode::NotADatabase => Self::Storage(error),
            // The rest tells of the statement. The enum is open, so a wildcard is needed.
            _ => Self::Sql {
                message: message(error),
            },
        }
    }
}

/// SQLite's own sentence, without the statement that rusqlite repeats after it.
fn message(error: rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message,
        rusqlite::Error::SqlInputError {
            msg: message,
            offset,
            ..
        } if offset >= 0 => {
            format!("{message} (at byte {offset})")
        }
        rusqlite::Error::SqlInputError { msg: message, .. } => message,
        other => other.to_string(),
    }
}
