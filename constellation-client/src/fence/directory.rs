//! A fence around the files of a directory: the mark is a file in it, compared under a lock that is
//! held for each act. It never guards against a process that writes without asking it.
//!
//! ```
//! use constellation_client::{Epoch, fence::{Fence, directory::DirectoryFence}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path();
//! let mut world = DirectoryFence::open(path)?.enter(Epoch::new(7))?;
//! world.write(|files| files.replace("world.json", br#"{"tick":1}"#))?;
//! let bytes = world.read(|files| files.read("world.json"))?;
//! assert_eq!(bytes.as_deref(), Some(&br#"{"tick":1}"#[..]));
//! # Ok(())
//! # }
//! ```
//!
//! # When an owner's process is stopped
//!
//! * *Outside of an act*: its next one takes the lock, sees the later owner's mark, and is refused.
//! * *Inside a write*: it has the lock, which the system keeps for a stopped process. The later owner
//!   waits for its [patience](DirectoryFence::with_patience) and then gets [`Error::Locked`]. When the
//!   stopped process is *killed*, the system frees the lock; the file that it was replacing is the old
//!   one or the new one, whole. When it *goes on*, it finishes its act: nobody has entered since it was
//!   let in. The later owner enters after that and sees what it did.
//! * *Inside a read*: likewise, the later owner has to wait.
//!
//! Keep acts short, then the last two are rare: make up the bytes first, then write.
//!
//! # What it rests on
//!
//! On `flock` or its like, between processes of one machine or on a file system that keeps such locks
//! for as long as their process lives. On everybody asking: the lock is advisory. And on the files
//! [`MARK`] and [`LOCK`] staying where they are: whoever copies the directory or puts back a backup does
//! so while nobody owns the key. Only when epochs begin anew, after a change of the controller's store
//! for example, delete [`MARK`], and never [`LOCK`].

mod error;
mod folder;
mod mark;

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
    thread,
    time::Duration,
};

use constellation_actors::placement::epoch::Epoch;

use self::mark::Mark;
pub use self::{error::Error, folder::Folder};
use super::{Admission, Fence, admit};
use crate::clock::Clock;

/// The name of the file that holds the mark, in decimal digits.
pub const MARK: &str = ".constellation-epoch";

/// The name of the file whose lock is held for each act. It is empty.
pub const LOCK: &str = ".constellation-lock";

/// The name of what is being written and gets another name when it is whole.
const UNFINISHED: &str = ".constellation-unfinished";

/// How long a lock is waited for, unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks whether the lock is free. The system wakes nobody who wants to stop waiting.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// A fence around a directory.
///
/// Acts are given a [`Folder`], which replaces files atomically. Each replacement lasts by itself: an
/// act that fails keeps what it has replaced already.
#[derive(Debug)]
pub struct DirectoryFence {
    folder: Folder,
    patience: Duration,
}

/// How a lock is taken.
#[derive(Clone, Copy, Debug)]
enum Hold {
    Alone,
    WithOthers,
}

impl DirectoryFence {
    /// A fence around an existing directory. It is not written to yet.
    ///
    /// # Errors
    ///
    /// When there is no such directory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        // One name for one directory, whatever the links on the way do later.
        let resolved = path.canonicalize().map_err(Error::at(path))?;
        if !resolved.is_dir() {
            return Err(Error::at(path)(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self {
            folder: Folder::new(resolved),
            patience: PATIENCE,
        })
    }

    /// How long to wait for a lock that another process has; 5 seconds unless set.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The directory, absolute and without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Waits for the lock. It is free again when the returned file is closed, or its process ends.
    fn lock(&self, hold: Hold) -> Result<File, Error> {
        let path = self.path().join(LOCK);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::at(&path))?;
        let clock = Clock::monotonic();
        let deadline = clock.now() + self.patience;
        loop {
            let taken = match hold {
                Hold::Alone => file.try_lock(),
                Hold::WithOthers => file.try_lock_shared(),
            };
            match taken {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(Error::at(&path)(error)),
                Err(TryLockError::WouldBlock) if clock.now() >= deadline => {
                    return Err(Error::Locked {
                        path: self.path().to_owned(),
                        patience: self.patience,
                    });
                }
                Err(TryLockError::WouldBlock) => thread::park_timeout(BETWEEN_LOOKS),
            }
        }
    }

    fn admit(&self, mark: &Mark<'_>, epoch: Epoch) -> Result<Admission, Error> {
        Ok(admit(self.path().display(), mark.read()?, epoch)?)
    }
}

impl Fence for DirectoryFence {
    type Access = Folder;
    type Error = Error;

    /// Runs `act` under a lock that keeps every other act out.
    fn write<T, E: From<Error>>(
        &mut self,
        epoch: Epoch,
        act: impl FnOnce(&mut Folder) -> Result<T, E>,
    ) -> Result<T, E> {
        let _locked = self.lock(Hold::Alone)?;
        let mark = Mark::of(&self.folder);
        match self.admit(&mark, epoch)? {
            Admission::Held => {}
            Admission::Higher => mark.raise(epoch)?,
        }
        act(&mut self.folder)
    }

    /// Runs `act` under a lock that other readers may share, and raises no mark.
    fn read<T, E: From<Error>>(
        &mut self,
        epoch: Epoch,
        act: impl FnOnce(&mut Folder) -> Result<T, E>,
    ) -> Result<T, E> {
        let _locked = self.lock(Hold::WithOthers)?;
        self.admit(&Mark::of(&self.folder), epoch)?;
        act(&mut self.folder)
    }
}

#[cfg(test)]
mod tests;
