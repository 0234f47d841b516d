//! The SQLite store, by the suite of every store and that of durable ones, opened again and again.

use constellation_actors::store::{conformance::Subject, sqlite::SqliteStore};
use tempfile::TempDir;

/// A file in a folder of its own.
struct File(TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
    }
}

impl Subject for File {
    type Store = SqliteStore;

    async fn open(&mut self) -> SqliteStore {
        SqliteStore::open(self.0.path().join("constellation.db")).unwrap()
    }
}

constellation_actors::store_conformance!(File::new(), futures::executor::block_on);
constellation_actors::durable_store_conformance!(File::new(), futures::executor::block_on);
