//! An actix-web application of one's own with a controller mounted in it: rooms under `/games`
//! belong to workers, all other pages to the application. One worker runs in the same process, so
//! that there is something to see; others may connect.

mod application;
mod arguments;
mod page;
mod room;

use std::{
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::ExitCode,
};

use actix::{Actor, Addr};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
};
use clap::Parser;
use constellation_actors::Controller;
use constellation_client::{BuildError, Drain, Worker, WorkerClient};
use futures::future::join;

use self::{
    application::{ROOMS_SCOPE, WORKERS_SCOPE, WorkersAt, routes},
    arguments::Arguments,
    room::Room,
};

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let arguments = Arguments::parse();
    match actix_rt::System::new().block_on(run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let controller = Controller::builder()
        .on_worker_connected(|worker| log::info!("worker {:?} connected", worker.name))
        .on_worker_disconnected(|worker| log::info!("worker {:?} disconnected", worker.name))
        .start()?;

    let listener = listen(arguments.port)?;
    let address = listener.local_addr()?;
    let (workers_at, endpoint, gateway) = match arguments.worker_port {
        None => (
            WorkersAt::TheApplication,
            format!("ws://{address}{WORKERS_SCOPE}"),
            None,
        ),
        Some(port) => {
            let (address, server) = serve_workers(&controller, port)?;
            (
                WorkersAt::AnotherPort,
                format!("ws://{address}"),
                Some(server),
            )
        }
    };
    let application = serve(&controller, workers_at, listener)?;
    let worker = start_worker(&endpoint)?;
    println!("listening on http://{address}");

    told_to_end().await?;
    stop(&controller, &worker, application, gateway).await;
    Ok(())
}

/// Lets running requests finish and ends. The server waits for open connections, workers' among
/// them, while the worker here and the controller end theirs.
async fn stop(
    controller: &Controller,
    worker: &Addr<WorkerClient>,
    application: ServerHandle,
    gateway: Option<ServerHandle>,
) {
    let drained = async {
        if let Err(error) = worker.send(Drain).await {
            log::warn!("the worker was gone before it was drained: {error}");
        }
        controller.stop().await;
    };
    join(application.stop(true), drained).await;
    if let Some(gateway) = gateway {
        gateway.stop(true).await;
    }
}

fn serve(
    controller: &Controller,
    workers_at: WorkersAt,
    listener: TcpListener,
) -> io::Result<ServerHandle> {
    let controller = controller.clone();
    let on_connect = controller.on_connect();
    let server = HttpServer::new(move || {
        App::new().configure(|config| routes(config, &controller, workers_at))
    })
    .workers(2)
    .tcp_nodelay(true)
    // So that nothing is served behind a request that ends its connection.
    .on_connect(on_connect)
    // Only so a client that goes away cancels its request at the worker.
    .h1_allow_half_closed(false)
    .disable_signals()
    .listen(listener)?;
    Ok(spawn(server.run()))
}

fn serve_workers(controller: &Controller, port: u16) -> io::Result<(SocketAddr, ServerHandle)> {
    let listener = listen(port)?;
    let address = listener.local_addr()?;
    let controller = controller.clone();
    let server = HttpServer::new(move || App::new().configure(controller.gateway()))
        .workers(1)
        .tcp_nodelay(true)
        .disable_signals()
        .listen(listener)?;
    Ok((address, spawn(server.run())))
}

fn start_worker(endpoint: &str) -> Result<Addr<WorkerClient>, BuildError> {
    let worker = Worker::builder()
        .controller(endpoint)
        .name("in the application itself")
        .serves(format!("{ROOMS_SCOPE}/**"))
        .actor(Room::new)?;
    Ok(worker.start())
}

fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
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

#[cfg(unix)]
async fn told_to_end() -> io::Result<()> {
    use actix_rt::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let interrupted = std::pin::pin!(interrupt.recv());
    let terminated = std::pin::pin!(terminate.recv());
    futures::future::select(interrupted, terminated).await;
    Ok(())
}

#[cfg(not(unix))]
async fn told_to_end() -> io::Result<()> {
    actix_rt::signal::ctrl_c().await
}
