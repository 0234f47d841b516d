//! The process of the controller: the library in a web server, with what no worker can answer for a
//! world, because it concerns who owns that: `POST /games/{world}/move`.
//!
//! A worker could not move a world by itself: the order is the controller's, and a worker that asked
//! for it would need an operator's key. So the request is taken here, before the ingress, by an
//! ordinary route of the App that the controller is mounted in, and becomes a
//! [`Move`](constellation_actors::placement::command::Command::Move) like that of `constellation move`.

mod moving;

use std::{
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::{Server, ServerHandle},
    guard,
    http::header::LOCATION,
    web,
};
use constellation_actors::{
    Controller,
    placement::rules::{Idleness, OnDisconnect},
};
use futures::{
    StreamExt,
    channel::mpsc::{UnboundedReceiver, unbounded},
    future::{select, try_join},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::arguments::ControllerArguments;

/// Where somebody goes who names no world.
pub(crate) const FIRST_WORLD: &str = "/games/meadow";

/// Everything below a world has the world's owner.
const ROUTE: (&str, &str) = ("/games/{world}/**", "/games/{world}");

/// How many renewals of a worker fit into a lease.
const RENEWALS_PER_LEASE: u32 = 4;

/// The most worlds at a time.
const WORLDS_MAX: usize = 10_000;

/// How many threads take requests.
const THREADS: usize = 2;

/// How long requests may take to finish when the process is told to end, in seconds.
const SHUTDOWN_SECONDS: u64 = 5;

/// Runs until it is told to end. Says on its standard output on which ports, as `ports <players>
/// <workers>`, and `ready` when all workers are connected.
///
/// # Errors
///
/// When a port cannot be had, or a server fails.
pub(crate) async fn run(arguments: ControllerArguments) -> io::Result<()> {
    let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let (controller, connected) = start(&arguments)?;
    let (players, players_port) = serve_players(&controller, arguments.port)?;
    let (workers, workers_port) = serve_workers(&controller, arguments.worker_port)?;
    say(&format!("ports {players_port} {workers_port}"))?;
    let expected = usize::from(arguments.workers);
    actix_rt::spawn(async move {
        connected.take(expected).for_each(async |()| {}).await;
        if let Err(error) = say("ready") {
            log::error!("nobody hears that this is ready: {error}");
        }
    });
    actix_rt::spawn(stop(
        signals,
        controller,
        players.handle(),
        workers.handle(),
    ));
    try_join(players, workers).await?;
    Ok(())
}

/// The receiver gets something for every worker that connects.
fn start(arguments: &ControllerArguments) -> io::Result<(Controller, UnboundedReceiver<()>)> {
    let (connecting, connected) = unbounded();
    let on_disconnect = if arguments.reassign {
        OnDisconnect::Reassign
    } else {
        OnDisconnect::WaitForLease
    };
    let lease = Duration::from_millis(arguments.lease_ms);
    let controller = Controller::builder()
        .heartbeat(lease / RENEWALS_PER_LEASE, RENEWALS_PER_LEASE)
        .on_disconnect(on_disconnect)
        // No worker outlives whoever started it, and so none is left of an earlier life.
        .startup_grace(Duration::ZERO)
        .routes([ROUTE])
        .keys_max(WORLDS_MAX)
        .idleness(Some(Idleness {
            after: Duration::from_secs(arguments.idle_seconds),
            never: Vec::new(),
        }))
        .on_worker_connected(move |worker| {
            log::info!("{} connected", worker.name);
            // Nobody listens any more once all have come.
            let _unheard = connecting.unbounded_send(());
        })
        .on_worker_disconnected(|worker| log::info!("{} disconnected", worker.name))
        .start()
        .map_err(io::Error::other)?;
    Ok((controller, connected))
}

fn serve_players(controller: &Controller, port: u16) -> io::Result<(Server, u16)> {
    let controller = controller.clone();
    let on_connect = controller.on_connect();
    let server = HttpServer::new(move || {
        let moves = web::resource("/games/{world}/move")
            // Other methods are for the world's owner, like every other request.
            .guard(guard::Post())
            .app_data(web::Data::new(controller.clone()))
            .to(moving::move_world);
        let front = web::resource("/").guard(guard::Get()).to(async || {
            HttpResponse::Found()
                .insert_header((LOCATION, FIRST_WORLD))
                .finish()
        });
        App::new()
            .service(front)
            .service(moves)
            .configure(controller.ingress())
    })
    .workers(THREADS)
    .tcp_nodelay(true)
    // So that one who has vanished, or takes nothing, is noticed at all.
    .on_connect(on_connect)
    // Only so a player who goes away is noticed at once.
    .h1_allow_half_closed(false)
    .disable_signals()
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .bind((Ipv4Addr::LOCALHOST, port))?;
    let port = port_of(&server.addrs())?;
    Ok((server.run(), port))
}

fn serve_workers(controller: &Controller, port: u16) -> io::Result<(Server, u16)> {
    let controller = controller.clone();
    let server = HttpServer::new(move || App::new().configure(controller.gateway()))
        .workers(1)
        .tcp_nodelay(true)
        .disable_signals()
        .shutdown_timeout(1)
        .bind((Ipv4Addr::LOCALHOST, port))?;
    let port = port_of(&server.addrs())?;
    Ok((server.run(), port))
}

/// The port on which a server listens.
fn port_of(addresses: &[SocketAddr]) -> io::Result<u16> {
    let address = addresses.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(address.port())
}

async fn stop(
    signals: [io::Result<Signal>; 2],
    controller: Controller,
    players: ServerHandle,
    workers: ServerHandle,
) {
    let [Ok(mut terminate), Ok(mut interrupt)] = signals else {
        log::error!("no signals can be heard; this process has to be killed");
        return;
    };
    select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await;
    controller.end_tunnels();
    players.stop(true).await;
    controller.stop().await;
    workers.stop(true).await;
}

/// Says something to whoever started this process.
fn say(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
