//! Runs the controller with the settings in force, until it is told to stop.

use std::{
    any::Any,
    io,
    net::{SocketAddr, TcpListener},
    pin::pin,
    slice,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::{Extensions, Server, ServerHandle},
    rt::{net::TcpStream, time::timeout},
};
use constellation_actors::{
    Controller,
    placement::{rules, strategy},
    store::{memory::MemoryStore, sqlite::SqliteStore},
};
use futures::future::{Either, select, try_join};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::{
    admin::AdminApi,
    listen,
    settings::{OnDisconnect, Placement, Settings, Store, StoreKind, Strategy, secret::Secret},
};

/// How long a client's connection may rest between two requests, longer than most programs keep
/// one, so that they are the ones to end it and never lose a request to our end.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long the first head of a connection may take to come.
const FIRST_HEAD: Duration = Duration::from_secs(15);

/// How long running requests may take to finish after the signal to stop.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(30);

/// How long workers' connections may take to close after their goodbye.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(1);

/// How long the store may take to write what it was asked before, once everything else has ended.
const STORE_PATIENCE: Duration = Duration::from_secs(10);
/// The threads that serve operators.
const ADMIN_THREADS: usize = 1;

/// Runs the controller until SIGTERM or SIGINT, which let running requests finish first.
///
/// # Errors
///
/// When the store cannot be opened, an address cannot be bound, or the settings do not fit
/// together.
pub(crate) fn run(settings: Settings) -> io::Result<()> {
    let store = open(&settings.store)?;
    let hostname = slice::from_ref(&settings.webserver.hostname);
    let clients = listen::bind(hostname, settings.webserver.port).map_err(io::Error::other)?;
    let workers = listen::bind(&settings.websocket.hostnames, settings.websocket.port)
        .map_err(io::Error::other)?;
    let operators = match settings.admin.port {
        Some(port) => listen::bind(slice::from_ref(&settings.admin.hostname), port)
            .map_err(io::Error::other)?,
        None => Vec::new(),
    };
    let sockets = Sockets {
        clients,
        workers,
        operators,
    };
    actix_web::rt::System::new().block_on(serve(settings, store, sockets))
}

/// What the servers listen on.
struct Sockets {
    clients: Vec<TcpListener>,
    workers: Vec<TcpListener>,
    /// None when there is no admin port.
    operators: Vec<TcpListener>,
}

async fn serve(settings: Settings, store: Option<SqliteStore>, sockets: Sockets) -> io::Result<()> {
    // Listened for before anyone is told that this runs: who hears of it may stop it at once.
    let signals = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    ];
    let closed = store.as_ref().map(SqliteStore::closed);
    let controller = controller(&settings, store)?;
    announce("clients", &sockets.clients)?;
    announce("operators", &sockets.operators)?;
    announce("workers", &sockets.workers)?;

    // The connection of each client keeps a receiver.
    let open = watch::Sender::new(());
    let threads = settings.webserver.threads.get();
    let listeners = (sockets.clients, sockets.workers);
    let server = server(&controller, threads, listeners, open.clone())?;
    let api = AdminApi::new(controller.clone(), &settings.admin);
    let admin = admin_server(api, sockets.operators)?;
    let stop = stop_on_signal(
        signals,
        controller,
        open,
        server.handle(),
        admin.as_ref().map(Server::handle),
    );
    let admin = async {
        match admin {
            Some(admin) => admin.await,
            None => Ok(()),
        }
    };
    let serving = try_join(server, admin);
    match select(Box::pin(serving), Box::pin(stop)).await {
        Either::Left((ended, stopping)) => {
            // They end without an error only when they are told to.
            ended?;
            stopping.await?;
        }
        // Servers that are not done by now have had their time.
        Either::Right((stopped, _serving)) => stopped?,
    }
    if let Some(closed) = closed {
        await_store(closed).await;
    }
    Ok(())
}

/// Lets the store, which the controller has dropped, close its file.
async fn await_store(closed: impl Future<Output = ()>) {
    let in_time = timeout(STORE_PATIENCE, closed).await;
    if in_time.is_err() {
        log::warn!("the store did not close its file in time; the next start will recover it");
    }
}

/// The server for clients and workers. The same threads carry both, so that with one thread no request
/// crosses any.
fn server(
    controller: &Controller,
    threads: usize,
    (clients, workers): (Vec<TcpListener>, Vec<TcpListener>),
    open: watch::Sender<()>,
) -> io::Result<Server> {
    let for_workers = workers.iter().map(TcpListener::local_addr);
    let for_workers: Vec<_> = for_workers.collect::<io::Result<_>>()?;
    let controller = controller.clone();
    let on_connect = counted(controller.on_connect(), &for_workers, open);
    let mut server =
        HttpServer::new(move || App::new().configure(controller.ingress_and_gateway(&for_workers)))
            .workers(threads)
            .tcp_nodelay(true)
            .on_connect(on_connect)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(FIRST_HEAD)
            .h1_allow_half_closed(false)
            .disable_signals()
            .shutdown_timeout(SHUTDOWN_PATIENCE.as_secs() + GOODBYE_PATIENCE.as_secs());
    for listener in clients.into_iter().chain(workers) {
        server = server.listen(listener)?;
    }
    Ok(server.run())
}

/// Does `on_connect` for each connection but those of workers, and lets it keep a receiver of `open`.
fn counted<F>(
    on_connect: F,
    workers: &[SocketAddr],
    open: watch::Sender<()>,
) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync + use<F>
where
    F: Fn(&dyn Any, &mut Extensions) + Send + Sync,
{
    let workers = workers.to_owned();
    move |io, data| {
        let stream = io.downcast_ref::<TcpStream>();
        let local = stream.and_then(|stream| stream.local_addr().ok());
        let arrived_at = |bound: &SocketAddr| local.is_some_and(|local| is_at(local, *bound));
        if !workers.iter().any(arrived_at) {
            on_connect(io, data);
            data.insert(open.subscribe());
        }
    }
}

/// Whether a connection to `local` came through a listener that is bound to `bound`. One for every
/// address of IPv6 may take those of IPv4 too.
fn is_at(local: SocketAddr, bound: SocketAddr) -> bool {
    let (ip, bound_ip) = (local.ip().to_canonical(), bound.ip().to_canonical());
    local.port() == bound.port() && (bound_ip.is_unspecified() || ip == bound_ip)
}

/// The server for operators; none without a listener.
fn admin_server(api: AdminApi, listeners: Vec<TcpListener>) -> io::Result<Option<Server>> {
    if listeners.is_empty() {
        return Ok(None);
    }
    let api = Arc::new(api);
    let mut server = HttpServer::new(move || App::new().configure(api.mount()))
        .workers(ADMIN_THREADS)
        .tcp_nodelay(true)
        .disable_signals()
        .shutdown_timeout(1);
    for listener in listeners {
        server = server.listen(listener)?;
    }
    Ok(Some(server.run()))
}

/// Waits for a signal; then lets running requests finish, says goodbye to the workers, and stops.
/// Operators can look on until the workers are gone. Ready when the workers have had their time.
async fn stop_on_signal(
    [mut terminate, mut interrupt]: [Signal; 2],
    controller: Controller,
    clients: watch::Sender<()>,
    server: ServerHandle,
    admin: Option<ServerHandle>,
) -> io::Result<()> {
    select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await;
    log::info!("stopping: running requests may finish first");
    // Those would not finish by themselves.
    controller.end_tunnels();
    let stopped = pin!(server.stop(true));
    let requests = pin!(timeout(SHUTDOWN_PATIENCE, clients.closed()));
    let stopped = match select(requests, stopped).await {
        Either::Left((_, stopped)) => Some(stopped),
        Either::Right(_) => None,
    };
    controller.stop().await;
    if let Some(stopped) = stopped {
        // What is still open then ends with the process.
        let _in_time = timeout(GOODBYE_PATIENCE, stopped).await;
    }
    if let Some(admin) = admin {
        admin.stop(true).await;
    }
    Ok(())
}

/// Opens the store; `None` is one that keeps nothing.
fn open(store: &Store) -> io::Result<Option<SqliteStore>> {
    match store.kind {
        StoreKind::Memory => Ok(None),
        StoreKind::Sqlite => SqliteStore::open(&store.file)
            .map(Some)
            .map_err(io::Error::other),
    }
}

fn controller(settings: &Settings, store: Option<SqliteStore>) -> io::Result<Controller> {
    let Settings {
        webserver,
        websocket,
        heartbeat,
        proxy,
        routes,
        admin,
        placement,
        ownership,
        ..
    } = settings;
    let exposed = |secrets: &[Secret]| -> Vec<String> {
        secrets
            .iter()
            .map(|secret| secret.expose().to_owned())
            .collect()
    };
    let strategy = match placement.strategy {
        Strategy::RoundRobin => strategy::Strategy::RoundRobin,
        Strategy::LeastPinned => strategy::Strategy::LeastPinned,
    };
    let on_disconnect = match ownership.on_disconnect {
        OnDisconnect::WaitForLease => rules::OnDisconnect::WaitForLease,
        OnDisconnect::Reassign => rules::OnDisconnect::Reassign,
    };
    let rebalancing = if placement.rebalance {
        rules::Rebalancing::On
    } else {
        rules::Rebalancing::Off
    };
    let exchanges_max = u32::try_from(proxy.exchanges_per_worker_max).unwrap_or(u32::MAX);
    let mut builder = match store {
        Some(store) => Controller::builder().store(store),
        None => Controller::builder().store(MemoryStore),
    };
    if let Some(grace) = ownership.startup_grace {
        builder = builder.startup_grace(grace);
    }
    builder
        .heartbeat(heartbeat.interval, heartbeat.failures_max.get())
        .strategy(strategy)
        .on_disconnect(on_disconnect)
        .waiting(placement.waiting_per_key_max, placement.waiting_max)
        .keys_max(placement.keys_max)
        .handover(placement.drain_parallel, placement.handover)
        .idleness(idleness(placement))
        .rebalancing(balance(placement), rebalancing)
        .proxy_timeout(proxy.timeout)
        .routes(routes.iter().map(|rule| (rule.pattern(), rule.key())))
        .request_body_bytes_max(proxy.body_bytes_max)
        .body_pace(proxy.body_idle, proxy.body_total)
        .exchanges_max(exchanges_max)
        .tunnels_max(proxy.tunnels_per_worker_max)
        .tunnel_times(proxy.tunnel_idle, proxy.tunnel_lifetime)
        .json_body_bytes_max(websocket.body_bytes_max)
        .admin_keys(&*admin.key_header, exposed(&admin.keys))
        .worker_tokens(exposed(&websocket.tokens))
        .default_headers(webserver.default_headers.iter().cloned())
        .start()
        .map_err(io::Error::other)
}

fn idleness(placement: &Placement) -> Option<rules::Idleness> {
    placement.idle.map(|after| rules::Idleness {
        after,
        never: placement.idle_never.clone(),
    })
}

fn balance(placement: &Placement) -> rules::Balance {
    rules::Balance {
        interval: placement.rebalance_interval,
        budget: placement.rebalance_budget,
        gain_min: placement.rebalance_gain_min,
        cooldown: placement.rebalance_cooldown,
    }
}

fn announce(whom: &str, listeners: &[TcpListener]) -> io::Result<()> {
    for listener in listeners {
        let address = listener.local_addr()?;
        log::info!(whom, address:%; "listening");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_known_by_the_address_that_it_came_to() {
        let at = |local: &str, bound: &str| is_at(local.parse().unwrap(), bound.parse().unwrap());
        assert!(at("10.0.0.1:8001", "10.0.0.1:8001"));
        assert!(at("10.0.0.1:8001", "0.0.0.0:8001"));
        assert!(at("[::ffff:10.0.0.1]:8001", "[::]:8001"));
        assert!(at("[::1]:8001", "[::]:8001"));
        // Clients and workers may share a port, on different addresses.
        assert!(!at("127.0.0.1:8001", "10.0.0.1:8001"));
        assert!(!at("10.0.0.1:8000", "0.0.0.0:8001"));
    }
}
