//! One run: starts everything, lets the schedule happen under load, waits until everything has
//! recovered, ends everything, and has the histories checked. Whatever comes up, no process is left.

use std::{path::PathBuf, rc::Rc, sync::Arc, time::Duration};

use tempfile::TempDir;
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

use crate::{
    checker::{self, Evidence, Verdict},
    clock::{Moment, now},
    cluster::{Cluster, setup::Setup},
    evidence::{self, EvidenceError},
    fault::Fault,
    history::{History, OperationKind},
    inject::{Applied, Injector},
    load::{Client, Load, LoadPlan},
    names::Key,
    process::ProcessError,
};

/// How many faults may be under way at a time.
const FAULTS_AT_ONCE: usize = 2;

/// How long a key may take to be served after the last fault, beyond two leases.
const RECOVERY: Duration = Duration::from_secs(10);

/// Why a run proved nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// A part of the cluster did not start, end or come back.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The evidence cannot be read.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The folder cannot be made.
    #[error("no folder for the run")]
    Folder(#[source] std::io::Error),
    /// A fault broke off.
    #[error("a fault broke off")]
    Fault(#[from] tokio::task::JoinError),
}

/// A cluster under load.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) cluster: Rc<Cluster>,
    pub(crate) history: Rc<History>,
    folder: TempDir,
    started: Moment,
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The faults, in the order of their ends.
    pub(crate) applied: Vec<Applied>,
    /// Everything that is known.
    pub(crate) evidence: Evidence,
    /// What that proves.
    pub(crate) verdict: Verdict,
    /// How long it took.
    pub(crate) time: Duration,
    folder: TempDir,
}

impl Finished {
    /// Keeps the folder of the run; where it is.
    pub(crate) fn keep_folder(self) -> PathBuf {
        self.folder.keep()
    }
}

impl Run {
    /// Starts a cluster.
    ///
    /// # Errors
    ///
    /// When something does not start.
    pub(crate) async fn start(setup: Setup) -> Result<Self, RunError> {
        let folder = tempfile::Builder::new().prefix("faults-").tempdir();
        let folder = folder.map_err(RunError::Folder)?;
        let started = now();
        match Cluster::start(setup, folder.path().to_owned()).await {
            Ok(cluster) => Ok(Self {
                cluster: Rc::new(cluster),
                history: Rc::default(),
                folder,
                started,
            }),
            Err(error) => {
                eprintln!("what was written is in {}", folder.keep().display());
                Err(error.into())
            }
        }
    }

    /// Starts clients.
    pub(crate) fn load(&self, clients: usize, rest: Duration, seed: u64) -> Load {
        let plan = LoadPlan {
            port: self.cluster.port(),
            keys: self.cluster.setup.keys,
            clients,
            rest,
            seed,
        };
        Load::start(&plan, &self.history)
    }

    pub(crate) fn injector(&self) -> Injector {
        Injector::new(Rc::clone(&self.cluster), Rc::clone(&self.history))
    }

    /// Does every fault at its time, or as soon as the ones before leave room for it.
    ///
    /// # Errors
    ///
    /// When a part of the cluster does not come back.
    pub(crate) async fn faults(&self, schedule: &[Fault]) -> Result<Vec<Applied>, RunError> {
        let begun = now();
        let room = Arc::new(Semaphore::new(FAULTS_AT_ONCE));
        let mut running = JoinSet::new();
        for fault in schedule {
            sleep(fault.at.saturating_sub(now().since(begun))).await;
            let place = Arc::clone(&room).acquire_owned().await;
            let (injector, fault) = (self.injector(), fault.clone());
            running.spawn_local(async move {
                let applied = injector.inject(&fault).await?;
                drop(place);
                let (from, to) = (applied.from.since(begun), applied.to.since(begun));
                log::info!(from:?, to:?; "{:?} {:?}", applied.kind, applied.target);
                Ok::<_, ProcessError>(applied)
            });
        }
        let mut applied = Vec::new();
        while let Some(ended) = running.join_next().await {
            applied.push(ended??);
        }
        Ok(applied)
    }

    /// Waits until every key is served again; those that are not in time.
    pub(crate) async fn recovered(&self) -> Vec<Key> {
        let patience = now().after(self.cluster.setup.ttl() * 2 + RECOVERY);
        let mut client = Client::new(self.cluster.port(), Rc::clone(&self.history));
        let mut unserved = Vec::new();
        for key in self.cluster.keys() {
            loop {
                let answer = client.ask(OperationKind::Read, key, "").await;
                if matches!(answer, crate::history::Answer::Done { .. }) {
                    break;
                }
                if now() > patience {
                    unserved.push(key);
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        unserved
    }

    /// Ends everything and checks it.
    ///
    /// # Errors
    ///
    /// When something does not end, or the evidence cannot be read.
    pub(crate) async fn finish(
        self,
        load: Load,
        applied: Vec<Applied>,
    ) -> Result<Finished, RunError> {
        let unserved = self.recovered().await;
        load.end().await;
        let lives = self.cluster.end().await?;
        let operations = self.history.take();
        let evidence = evidence::collect(&self.cluster, lives, operations, unserved)?;
        let verdict = checker::check(&evidence);
        Ok(Finished {
            applied,
            evidence,
            verdict,
            time: now().since(self.started),
            folder: self.folder,
        })
    }
}
