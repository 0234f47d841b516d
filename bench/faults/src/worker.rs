//! A worker process that owns databases and writes down what it does with them. It keeps every rule
//! that a careful worker keeps, unless it is told to do without the fence.

mod database;
mod execution;
mod keeper;
mod ownership;
mod plan;
mod watchdog;

use std::{io, path::PathBuf, rc::Rc, sync::Arc};

use clap::Args;
use constellation_client::{BuildError, Worker, WorkerId};
use uuid::Uuid;

use self::keeper::Keeper;
pub(crate) use self::keeper::OUTCOME;
use crate::journal::Journal;

/// What a worker process is told.
#[derive(Clone, Debug, Args)]
pub(crate) struct WorkerArguments {
    /// The workers' port of a controller
    #[arg(long)]
    url: String,
    /// The worker's id
    #[arg(long)]
    id: Uuid,
    /// The folder of the databases
    #[arg(long)]
    folder: PathBuf,
    /// The file of the journal
    #[arg(long)]
    journal: PathBuf,
    /// Write to databases without comparing epochs, to see that this is noticed
    #[arg(long)]
    without_fence: bool,
}

/// What all keys of this process have in common.
#[derive(Debug)]
pub(crate) struct Site {
    /// The folder of the databases.
    pub(crate) folder: PathBuf,
    /// What is written down.
    pub(crate) journal: Journal,
    /// Whether epochs are compared.
    pub(crate) fenced: bool,
}

/// Why a worker process ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkerError {
    /// The journal cannot be written.
    #[error("the journal cannot be opened")]
    Journal(#[source] io::Error),
    /// Something it was told does not hold up.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Signals cannot be listened for.
    #[error("signals cannot be listened for")]
    Signals(#[source] io::Error),
}

/// Runs a worker until it is told to end.
///
/// # Errors
///
/// When it cannot start.
pub(crate) fn run(arguments: WorkerArguments) -> Result<(), WorkerError> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let site = Arc::new(Site {
        journal: Journal::open(&arguments.journal).map_err(WorkerError::Journal)?,
        folder: arguments.folder,
        fenced: !arguments.without_fence,
    });
    watchdog::start(Arc::clone(&site));
    actix_rt::System::new().block_on(async {
        let worker = Worker::builder()
            .controller(arguments.url)
            .id(WorkerId::new(arguments.id))
            .actor(move |grant| Keeper::new(Rc::new(grant), Arc::clone(&site)))?;
        let drained = worker.run().await.map_err(WorkerError::Signals)?;
        log::info!("gave {} keys back", drained.keys);
        Ok(())
    })
}
