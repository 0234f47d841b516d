//! Everything that runs in a run: one controller, and workers that reach it through proxies. It does
//! what it is told to each of them, and decides nothing.

pub(crate) mod controller;
mod port;
pub(crate) mod proxy;
pub(crate) mod seat;
pub(crate) mod setup;

use std::{cell::Cell, path::PathBuf};

use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use self::{
    controller::{ADMIN_KEY, Controller, Ports},
    proxy::Proxy,
    seat::{Life, Seat},
    setup::Setup,
};
use crate::{
    load::Connection,
    names::{Key, Process},
    process::ProcessError,
};

/// Everything that runs. Each part is locked by whoever does something to it.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// What it is made of.
    pub(crate) setup: Setup,
    folder: PathBuf,
    ports: Ports,
    controller: Mutex<Controller>,
    seats: Vec<Mutex<Seat>>,
    processes: Cell<usize>,
}

impl Cluster {
    /// Starts everything in `folder`, and waits until every worker is welcome.
    ///
    /// # Errors
    ///
    /// When something does not start.
    pub(crate) async fn start(setup: Setup, folder: PathBuf) -> Result<Self, ProcessError> {
        let controller = Controller::start(&setup, folder.clone()).await?;
        let ports = controller.ports();
        let seats = (0..setup.workers).map(|_| {
            let proxy =
                Proxy::start(ports.workers).map_err(ProcessError::at("starting a proxy"))?;
            Ok(Mutex::new(Seat::new(proxy, folder.clone(), setup.fenced)))
        });
        let cluster = Self {
            seats: seats.collect::<Result<_, ProcessError>>()?,
            setup,
            folder,
            ports,
            controller: Mutex::new(controller),
            processes: Cell::new(0),
        };
        for index in 0..cluster.seats.len() {
            let mut seat = cluster.seat(index).await;
            seat.start(cluster.next_process())?;
        }
        for index in 0..cluster.seats.len() {
            cluster.seat(index).await.is_welcome().await?;
        }
        Ok(cluster)
    }

    /// The port for clients.
    pub(crate) fn port(&self) -> u16 {
        self.ports.clients
    }

    /// Asks the controller to hand a key over to a worker; the status of its answer, if there is one.
    pub(crate) async fn order_move(&self, key: Key, worker: Uuid) -> Option<u16> {
        let order = json!({ "key": key.path(), "worker": worker }).to_string();
        let headers = format!("x-api-key: {ADMIN_KEY}\r\ncontent-type: application/json\r\n");
        let mut connection = Connection::new(self.ports.admin);
        let reply = connection.request_with("POST", "/v1/key/move", &headers, &order);
        reply.await.ok().map(|reply| reply.status)
    }

    /// The number of a process that is to be started.
    pub(crate) fn next_process(&self) -> Process {
        let next = self.processes.get();
        self.processes.set(next + 1);
        Process(next)
    }

    /// The controller, for one at a time.
    pub(crate) async fn controller(&self) -> MutexGuard<'_, Controller> {
        self.controller.lock().await
    }

    /// How many seats there are.
    pub(crate) fn seats(&self) -> usize {
        self.seats.len()
    }

    /// A worker's seat, for one at a time.
    pub(crate) async fn seat(&self, index: usize) -> MutexGuard<'_, Seat> {
        self.seats[index % self.seats.len()].lock().await
    }

    /// The file of a key's database.
    pub(crate) fn database(&self, key: Key) -> PathBuf {
        self.folder.join(key.file())
    }

    /// Every key with a database.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        (0..self.setup.keys).map(Key)
    }

    /// Ends every worker in order, then the controller; every process that there was.
    ///
    /// # Errors
    ///
    /// When one of them does not end.
    pub(crate) async fn end(&self) -> Result<Vec<Life>, ProcessError> {
        let mut lives = Vec::new();
        for seat in &self.seats {
            let mut seat = seat.lock().await;
            seat.end().await?;
            lives.extend_from_slice(seat.lives());
        }
        self.controller().await.end().await?;
        Ok(lives)
    }
}
