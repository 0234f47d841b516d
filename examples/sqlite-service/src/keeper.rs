//! Keeps one database open and runs its statements on a blocking thread, one after the other.
//! It never blocks the thread it is called on.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use actix_rt::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};
use constellation_client::{Epoch, Grant};

use crate::{
    database::{Database, Failure, Limits, Stop},
    problem::Problem,
};

/// The owner of one database's connection. The connection opens with the first statement.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    file: PathBuf,
    epoch: Epoch,
    /// The ownership without which no statement may end; `None` in tests.
    grant: Option<Grant>,
    limits: Limits,
    statement_timeout: Duration,
    slot: Arc<Mutex<Option<Database>>>,
}

/// Stops the statement when whoever waits for it goes away: a client that disconnected, a lease
/// that ended.
#[derive(Debug)]
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Keeper {
    /// A keeper of the database in `file` for the owner under `epoch`; a statement may take
    /// `statement_timeout`.
    pub(crate) fn new(
        file: PathBuf,
        epoch: Epoch,
        limits: Limits,
        statement_timeout: Duration,
    ) -> Self {
        Self {
            file,
            epoch,
            grant: None,
            limits,
            statement_timeout,
            slot: Arc::default(),
        }
    }

    /// Lets no statement end when the ownership under `grant` is over.
    pub(crate) fn owned_under(self, grant: Grant) -> Self {
        Self {
            grant: Some(grant),
            ..self
        }
    }

    /// Runs the statement and returns its rows as a JSON array.
    ///
    /// # Errors
    ///
    /// When the statement fails, is refused or takes too long; then it has changed nothing.
    ///
    /// # Panics
    ///
    /// When there is no Tokio runtime around it.
    pub(crate) async fn run(self, sql: String) -> Result<Vec<u8>, Problem> {
        let statement_timeout = self.statement_timeout;
        let stop = StopOnDrop(Stop::with(self.grant.clone()));
        let mut task = self.start(sql, stop.0.clone());
        let joined = match timeout(statement_timeout, &mut task).await {
            Ok(joined) => joined,
            Err(_elapsed) => {
                stop.0.stop();
                // It may have come to its end just then, so its own word counts.
                task.await
            }
        };
        match joined {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(Failure::Stopped)) => Err(Problem::timeout(statement_timeout)),
            Ok(Err(failure)) => Err(failure.into()),
            Err(error) => {
                log::error!("a statement's thread failed: {error}");
                Err(Problem::internal())
            }
        }
    }

    /// Closes the connection, on a blocking thread, unless a statement runs. The next statement
    /// opens it again.
    pub(crate) fn close_idle(&self) {
        let Ok(mut slot) = self.slot.try_lock() else {
            return;
        };
        if let Some(database) = slot.take() {
            // Closing writes the log back into the database's file.
            drop(spawn_blocking(move || drop(database)));
        }
    }

    /// Closes the connection, on a blocking thread, once no statement runs, and waits for that.
    pub(crate) async fn close(self) {
        let closed = spawn_blocking(move || drop(self.lock().take()));
        if let Err(error) = closed.await {
            log::error!("a database could not be closed: {error}");
        }
    }

    fn start(self, sql: String, stop: Stop) -> JoinHandle<Result<Vec<u8>, Failure>> {
        spawn_blocking(move || self.run_blocking(&sql, &stop))
    }

    fn run_blocking(&self, sql: &str, stop: &Stop) -> Result<Vec<u8>, Failure> {
        let mut slot = self.lock();
        let mut database = match slot.take() {
            Some(database) => database,
            None => {
                let database = Database::open(&self.file, self.epoch, self.limits)?;
                log::info!("opened {}", self.file.display());
                database
            }
        };
        // While it runs the slot is empty: a panic closes the connection, which undoes the rest.
        let outcome = database.run(sql, stop);
        if database.is_sound() {
            *slot = Some(database);
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Option<Database>> {
        self.slot.lock().unwrap_or_else(|poisoned| {
            self.slot.clear_poison();
            poisoned.into_inner()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use super::*;
    use crate::{folder::DataFolder, name::DatabaseName};

    const LIMITS: Limits = Limits {
        rows_max: 100,
        result_bytes_max: 64 * 1024,
        file_pages_max: 1000,
    };

    const ENDLESS: &str = "WITH RECURSIVE e(n) AS (SELECT 1 UNION ALL SELECT n FROM e) \
                           SELECT count(*) FROM e";

    fn with_keeper<F: Future<Output = ()>>(limit: Duration, test: impl FnOnce(Keeper) -> F) {
        let root = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(root.path()).unwrap();
        let name = DatabaseName::from_path("/db/kept").unwrap();
        let keeper = Keeper::new(folder.file(&name), Epoch::new(1), LIMITS, limit);
        actix_rt::Runtime::new().unwrap().block_on(test(keeper));
    }

    async fn count(keeper: &Keeper) -> String {
        let sql = "SELECT count(*) AS n FROM customers".to_owned();
        String::from_utf8(keeper.clone().run(sql).await.unwrap()).unwrap()
    }

    #[test]
    fn a_closed_database_opens_again_with_its_rows() {
        with_keeper(Duration::from_secs(60), async |keeper| {
            let insert = "INSERT INTO customers (name) VALUES ('a')".to_owned();
            keeper.clone().run(insert).await.unwrap();
            assert!(keeper.lock().is_some());
            keeper.close_idle();
            assert!(keeper.lock().is_none());
            assert_eq!(count(&keeper).await, r#"[{"n":1}]"#);
            keeper.clone().close().await;
            assert!(keeper.lock().is_none());
        });
    }

    #[test]
    fn a_statement_that_takes_too_long_is_a_timeout_and_the_next_one_runs() {
        with_keeper(Duration::from_millis(20), async |keeper| {
            let problem = keeper.clone().run(ENDLESS.to_owned()).await.unwrap_err();
            assert_eq!(problem.status(), 504);
            assert_eq!(count(&keeper).await, r#"[{"n":0}]"#);
        });
    }

    #[test]
    fn a_statement_nobody_waits_for_stops() {
        with_keeper(Duration::from_secs(3600), async |keeper| {
            let abandoned = timeout(
                Duration::from_millis(20),
                keeper.clone().run(ENDLESS.into()),
            );
            assert!(abandoned.await.is_err());
            // Would wait for an hour behind a statement that goes on.
            assert_eq!(count(&keeper).await, r#"[{"n":0}]"#);
        });
    }

    #[test]
    fn a_panic_while_the_database_is_held_does_not_close_it_for_good() {
        with_keeper(Duration::from_secs(60), async |keeper| {
            let slot = Arc::clone(&keeper.slot);
            let panicked = spawn_blocking(move || {
                let _held = slot.lock();
                panic!("on purpose");
            });
            assert!(panicked.await.is_err());
            assert_eq!(count(&keeper).await, r#"[{"n":0}]"#);
        });
    }
}
