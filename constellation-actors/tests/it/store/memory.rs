//! The store that remembers nothing, by the suite of every store.

use constellation_actors::store::{conformance::Subject, memory::MemoryStore};

/// Every opening is a first one.
struct Memory;

impl Subject for Memory {
    type Store = MemoryStore;

    async fn open(&mut self) -> MemoryStore {
        MemoryStore
    }
}

constellation_actors::store_conformance!(Memory, futures::executor::block_on);
