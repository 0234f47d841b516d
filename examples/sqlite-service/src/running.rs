//! The whole service in one process: the controller with its two ports, and the workers that
//! connect to it. It wires, and decides nothing.

use std::{io, net::TcpListener, time::Duration};

use actix::{Actor, Addr};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
};
use constellation_actors::Controller;
use constellation_client::{Drain, Worker, WorkerClient};
use futures::{
    StreamExt,
    channel::mpsc::{UnboundedReceiver, unbounded},
    future::join_all,
};

use crate::{
    arguments::Arguments,
    folder::{DataFolder, FolderError},
    loopback,
    service::{Owner, Shelf},
};

/// How many threads take requests. The work is done elsewhere.
const INGRESS_THREADS: usize = 2;

/// A running service.
#[derive(Debug)]
pub(crate) struct Service {
    port: u16,
    controller: Controller,
    workers: Vec<Addr<WorkerClient>>,
    ingress: ServerHandle,
    gateway: ServerHandle,
}

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A port cannot be had.
    #[error("cannot listen on port {port} of localhost")]
    Listen {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A server does not start.
    #[error("the HTTP server does not start")]
    Server(#[from] io::Error),
    /// The controller does not start.
    #[error("the controller does not start")]
    Controller(#[from] constellation_actors::BuildError),
    /// A worker does not start.
    #[error("a worker does not start")]
    Worker(#[from] constellation_client::BuildError),
}

impl Service {
    /// Starts everything and waits until every worker is connected. A request that comes before
    /// waits: the port listens from the beginning.
    ///
    /// # Errors
    ///
    /// When the folder or a port cannot be had.
    ///
    /// # Panics
    ///
    /// Outside of an actix system.
    pub(crate) async fn start(arguments: &Arguments) -> Result<Self, StartError> {
        let folder = DataFolder::open(&arguments.data_dir)?;
        let clients_listeners = listen(arguments.port)?;
        let workers_listeners = listen(arguments.worker_port)?;
        let port = port_of(&clients_listeners)?;
        let worker_port = port_of(&workers_listeners)?;

        let (controller, connected) = start_controller()?;
        let gateway = serve_workers(&controller, workers_listeners)?;
        let workers = (1..=arguments.workers)
            .map(|worker| start_worker(worker, worker_port, &folder, arguments))
            .collect::<Result<Vec<_>, _>>()?;
        connected.take(workers.len()).for_each(async |()| {}).await;
        let ingress = serve_clients(&controller, clients_listeners)?;
        log::info!("databases are in {}", folder.path().display());
        Ok(Self {
            port,
            controller,
            workers,
            ingress,
            gateway,
        })
    }

    /// The port of the HTTP service.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Lets running requests finish, closes every database, and ends.
    pub(crate) async fn stop(self) {
        self.ingress.stop(true).await;
        let drains = self.workers.iter().map(|worker| worker.send(Drain));
        for error in join_all(drains).await.into_iter().filter_map(Result::err) {
            log::warn!("a worker was gone before it was drained: {error}");
        }
        self.controller.stop().await;
        self.gateway.stop(true).await;
    }
}

fn listen(port: u16) -> Result<Vec<TcpListener>, StartError> {
    loopback::listen(port).map_err(|source| StartError::Listen { port, source })
}

fn port_of(listeners: &[TcpListener]) -> io::Result<u16> {
    let first = listeners.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(first.local_addr()?.port())
}

/// Starts the controller; the receiver gets something for every worker that connects.
fn start_controller() -> Result<(Controller, UnboundedReceiver<()>), StartError> {
    let (connecting, connected) = unbounded();
    let controller = Controller::builder()
        // The workers live and die with the controller, so none of an earlier life can be left.
        .startup_grace(Duration::ZERO)
        .on_worker_connected(move |worker| {
            log::info!("{} connected as {}", worker.name, worker.id);
            // Nobody listens any more once the service has started.
            let _unheard = connecting.unbounded_send(());
        })
        .on_worker_disconnected(|worker| log::info!("{} disconnected", worker.name))
        .start()?;
    Ok((controller, connected))
}

fn start_worker(
    worker: u16,
    port: u16,
    folder: &DataFolder,
    arguments: &Arguments,
) -> Result<Addr<WorkerClient>, StartError> {
    let shelf = Shelf {
        worker,
        folder: folder.clone(),
        limits: arguments.limits(),
        statement_timeout: arguments.statement_timeout(),
    };
    let client = Worker::builder()
        .controller(format!("ws://127.0.0.1:{port}"))
        .name(format!("worker {worker}"))
        .actor(move |grant| Owner::new(&shelf, &grant))?;
    Ok(client.start())
}

fn serve_workers(controller: &Controller, listeners: Vec<TcpListener>) -> io::Result<ServerHandle> {
    let controller = controller.clone();
    let mut server = HttpServer::new(move || App::new().configure(controller.gateway()))
        .workers(1)
        .tcp_nodelay(true)
        .disable_signals();
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok(spawn(server.run()))
}

fn serve_clients(controller: &Controller, listeners: Vec<TcpListener>) -> io::Result<ServerHandle> {
    let controller = controller.clone();
    let mut server = HttpServer::new(move || App::new().configure(controller.ingress()))
        .workers(INGRESS_THREADS)
        .tcp_nodelay(true)
        // Only so a client that goes away stops its statement.
        .h1_allow_half_closed(false)
        .disable_signals();
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok(spawn(server.run()))
}

fn spawn(server: Server) -> ServerHandle {
    let handle = server.handle();
    actix_rt::spawn(async move {
        if let Err(error) = server.await {
            log::error!("an HTTP server failed: {error}");
        }
    });
    handle
}
