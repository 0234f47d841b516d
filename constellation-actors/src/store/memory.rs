//! A store that lasts as long as its process. It survives nothing.

use std::future::{Future, ready};

use crate::{
    placement::{epoch::Epoch, key::ResourceKey},
    store::{Error, PinRecord, Store},
};

/// Keeps no record beyond the placement that it serves: for embedding, tests, and workers that
/// live and die with their controller.
///
/// After a start nobody remembers who owned what, so a controller with this store begins with a
/// grace of one lease, and takes the wall clock as its first epoch. That is weaker than a durable
/// store: a wall clock that was set back across a restart can repeat epochs.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryStore;

impl Store for MemoryStore {
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

    fn remembers(&self) -> bool {
        false
    }
}
