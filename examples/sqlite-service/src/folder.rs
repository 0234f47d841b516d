//! The folder that holds the databases' files. One process at a time uses it: the controller that
//! gives each database one owner knows only the workers of its own process.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::name::DatabaseName;

/// The name of the file whose lock says that a process uses the folder. No database can have this
/// file's name, because a database's name has no dot.
const LOCK_FILE_NAME: &str = ".lock";

/// The data folder, held by this process until the last clone is gone.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    /// The system takes the lock back when the file closes, also when the process is killed.
    _lock: Arc<File>,
}

/// Why a folder cannot hold the databases.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// It could not be made, read or written.
    #[error("the data folder {} cannot be used", .path.display())]
    Unusable {
        /// The folder as it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the data folder {} is used by another process", .path.display())]
    InUse {
        /// The folder as it was named.
        path: PathBuf,
    },
}

impl DataFolder {
    /// Makes the folder when it is missing, and takes it for this process.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or written, or another process uses it.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(unusable)?;
        // SQLite is told to follow no symbolic link (a linked file would have two names), so the
        // links on the way to the folder are followed here, once.
        let resolved = fs::canonicalize(path).map_err(unusable)?;
        let lock = File::create(resolved.join(LOCK_FILE_NAME)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: resolved,
                _lock: Arc::new(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Where the file of this database is.
    pub(crate) fn file(&self, name: &DatabaseName) -> PathBuf {
        self.path.join(name.file_name())
    }

    /// The folder, absolute and without symbolic links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_made_and_its_files_stay_inside() {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(&root.path().join("deep/data")).unwrap();
        let name = DatabaseName::from_path("/db/orders").unwrap();
        assert_eq!(folder.file(&name), folder.path().join("orders.db"));
        assert!(folder.path().is_dir());
    }

    #[test]
    fn a_folder_has_one_user_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let first = DataFolder::open(root.path()).unwrap();
        assert!(matches!(
            DataFolder::open(root.path()),
            Err(FolderError::InUse { .. })
        ));
        drop(first);
        assert!(DataFolder::open(root.path()).is_ok());
    }

    #[test]
    fn a_file_in_the_folders_place_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        fs::write(&path, "").unwrap();
        let error = DataFolder::open(&path).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
