//! The ownership of one key under one epoch, from its first request to the end of everything that
//! was done under it. It writes down its beginning and its end, each exactly once.

use std::sync::{Arc, Mutex, PoisonError};

use constellation_client::{Epoch, fence::sqlite::Error};

use super::{Site, database::Database};
use crate::{clock::now, journal::Record, names::Key};

/// One key, owned under one epoch.
#[derive(Debug)]
pub(super) struct Ownership {
    pub(super) site: Arc<Site>,
    pub(super) key: Key,
    pub(super) epoch: Epoch,
    slot: Mutex<Slot>,
}

/// The state of the database.
#[derive(Debug)]
enum Slot {
    /// No request has needed it.
    Unopened,
    /// Open.
    Open(Database),
    /// The key is no longer owned.
    Closed,
}

/// Why nothing was done with a database.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The key is no longer owned.
    Closed,
    /// The database or its fence.
    Database(Error),
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl Ownership {
    pub(super) fn begin(site: Arc<Site>, key: Key, epoch: Epoch) -> Self {
        site.journal.write(&Record::Opened(now(), key, epoch));
        Self {
            site,
            key,
            epoch,
            slot: Mutex::new(Slot::Unopened),
        }
    }

    /// Lets `act` have the database, opened if need be. One at a time; blocks.
    ///
    /// # Errors
    ///
    /// When the key is no longer owned, or the database cannot be opened, or `act` fails.
    pub(super) fn with<T>(
        &self,
        act: impl FnOnce(&mut Database) -> Result<T, Error>,
    ) -> Result<T, Obstacle> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*slot, Slot::Unopened) {
            let file = self.site.folder.join(self.key.file());
            *slot = Slot::Open(Database::open(&file, self.epoch, self.site.fenced)?);
        }
        match &mut *slot {
            Slot::Open(database) => Ok(act(database)?),
            Slot::Unopened | Slot::Closed => Err(Obstacle::Closed),
        }
    }

    /// Ends it, after what runs. Blocks.
    pub(super) fn close(&self) {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*slot, Slot::Closed) {
            *slot = Slot::Closed;
            let closed = Record::Closed(now(), self.key, self.epoch);
            self.site.journal.write(&closed);
        }
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.close();
    }
}
