//! What can go wrong with a fenced directory.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::fence::Refused;

/// Why an act was not let in, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A later owner has entered.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The lock was not to be had.
    #[error(
        "another process has had {} locked for {patience:?}: perhaps an earlier owner that was \
         stopped in the middle of a write, which has to go on or to be ended", .path.display()
    )]
    Locked {
        /// The directory.
        path: PathBuf,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The mark is not an epoch. Nobody is let in, because nobody can tell who was there.
    #[error("{} does not hold an epoch", .path.display())]
    Damaged {
        /// The file of the mark.
        path: PathBuf,
    },
    /// A file's name leads out of the directory, or is one of the fence's own.
    #[error("{name:?} does not name a file inside of the directory")]
    Name {
        /// The name.
        name: PathBuf,
    },
    /// The file system failed.
    #[error("{} cannot be used", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Whether the same owner may try again with some hope. After a refusal there is none.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Locked { .. } => true,
            Self::Refused(_) | Self::Damaged { .. } | Self::Name { .. } | Self::Io { .. } => false,
        }
    }

    /// An error of the system, at this path.
    pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
