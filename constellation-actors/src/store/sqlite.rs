//! The store in a SQLite file: durable, for one controller at a time. It never waits on the
//! caller's thread, except to be opened and to be closed.
//!
//! A thread of its own takes whatever has been asked meanwhile, carries it out in one transaction
//! with one sync of the disk, and then answers all of it. The file is in WAL mode with
//! `synchronous=FULL`: what is answered survives the loss of power, if the disk keeps its word.

use std::{
    future::Future,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use futures::{
    FutureExt, TryFutureExt,
    channel::oneshot::{self, Receiver},
    future::Shared,
};

mod command;
mod file;
mod keeper;
mod open_error;
mod queue;
mod records;
mod schema;

use self::{command::Command, keeper::Keeper, queue::Queue};
pub use self::{open_error::OpenError, records::EPOCH_MAX};
use super::{Error, Loaded, Note, PinRecord, Store};
use crate::{
    clock,
    placement::{epoch::Epoch, key::ResourceKey},
};

/// Keeps pins, the epoch counter, the lease and cordons in one SQLite file.
///
/// The file belongs to one process: it is locked from the opening to the closing, and the lock ends
/// with the process however that ends. Keep it on a local disk; file locks over a network are not to
/// be trusted.
///
/// A newly made file takes the wall clock, in microseconds since 1970, as its first epoch, so that a
/// file that was lost repeats no epoch that a fence may have seen. A file that was put back from a
/// copy does not know the pins that were granted after the copy: start with a new file instead.
///
/// Dropping the store carries out what has been asked, writes everything into the one file, and
/// closes it; the drop waits for that.
#[derive(Debug)]
pub struct SqliteStore {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
    closed: Shared<Receiver<()>>,
}

impl SqliteStore {
    /// Opens the file, and makes it, for its owner only, when there is none. Waits for the disk: a
    /// file with a million pins is checked in well under a second.
    ///
    /// # Errors
    ///
    /// When another process has it open, it is not such a file, is damaged, or was made by a newer
    /// version, and when the system does not let this process have it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let file = path.as_ref();
        let connection = file::open(file, clock::unix_micros())?;
        let queue = Arc::new(Queue::default());
        let (closing, closed) = oneshot::channel();
        let keeper = Keeper::new(connection, file, Arc::clone(&queue));
        let thread = thread::Builder::new()
            .name("constellation-store".into())
            .spawn(move || {
                keeper.run();
                // Nobody may be waiting for it.
                let _unheard = closing.send(());
            })
            .map_err(|error| OpenError::failed(file, &error))?;
        Ok(Self {
            queue,
            thread: Some(thread),
            closed: closed.shared(),
        })
    }

    /// Becomes ready once the store was dropped and its file is closed.
    pub fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        self.closed.clone().map(drop)
    }

    /// Hands a command to the thread; what the future gives is what comes from `answered`.
    fn ask<T>(
        &self,
        command: Command,
        answered: Receiver<T>,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'static + use<T>
    where
        T: Send + 'static,
    {
        let queued = self.queue.push(command);
        async move {
            queued?;
            answered.await.map_err(|_| queue::ended())
        }
    }
}

impl Store for SqliteStore {
    fn load(
        &mut self,
        lease: Duration,
    ) -> impl Future<Output = Result<Loaded, Error>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        let command = Command::load(lease, clock::unix_micros(), answer);
        self.ask(command, answered).map(Result::flatten)
    }

    fn claim(
        &mut self,
        records: Vec<PinRecord>,
    ) -> impl Future<Output = Vec<Result<(), Error>>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        let count = records.len();
        self.ask(Command::claim(records, answer), answered)
            .unwrap_or_else(move |error| vec![Err(error); count])
    }

    fn release(
        &mut self,
        pins: Vec<(ResourceKey, Epoch)>,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        let command = Command::Release { pins, answer };
        self.ask(command, answered).map(Result::flatten)
    }

    fn note(&mut self, note: Note) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let (answer, answered) = oneshot::channel();
        let command = Command::Note { note, answer };
        self.ask(command, answered).map(Result::flatten)
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the store's thread ended by a panic");
        }
    }
}

#[cfg(test)]
mod tests;
