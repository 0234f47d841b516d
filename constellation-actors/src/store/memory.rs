//! A store that lasts as long as its process. It survives nothing.

use std::{
    collections::BTreeSet,
    future::{Future, ready},
    time::Duration,
};

use crate::{
    clock,
    placement::{epoch::Epoch, key::ResourceKey},
    store::{Error, Loaded, Note, PinRecord, Store},
};

/// Keeps no record beyond the placement that it serves: for embedding, tests, and workers that
/// live and die with their controller.
///
/// After a start nobody remembers who owned what, so a controller with this store begins with a
/// grace of one lease, and takes the wall clock, in microseconds since 1970, as its first epoch.
/// That is weaker than a durable store: a wall clock that was set back across a restart can repeat
/// epochs. Cordons end with the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryStore;

impl Store for MemoryStore {
    fn load(
        &mut self,
        lease: Duration,
    ) -> impl Future<Output = Result<Loaded, Error>> + Send + 'static {
        ready(Ok(Loaded {
            pins: Vec::new(),
            first_epoch: Epoch::new(clock::unix_micros()),
            lease,
            complete: false,
            cordoned: BTreeSet::new(),
        }))
    }

    fn claim(
        &mut self,
        records: Vec<PinRecord>,
    ) -> impl Future<Output = Vec<Result<(), Error>>> + Send + 'static {
        ready(records.iter().map(|_| Ok(())).collect())
    }

    fn release(
        &mut self,
        _pins: Vec<(ResourceKey, Epoch)>,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        ready(Ok(()))
    }

    fn note(&mut self, _note: Note) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        ready(Ok(()))
    }
}
