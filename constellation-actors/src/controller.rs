//! The handle that a user of the library holds: it mounts the ingress and the workers' endpoint,
//! tells of workers and pins, and stops everything.

use std::{any::Any, collections::BTreeMap, future::ready, net::SocketAddr, sync::Arc};

use actix_service::fn_service;
use actix_web::{
    HttpRequest,
    dev::{Extensions, Payload, ServiceRequest, ServiceResponse},
    web,
};
use futures::{FutureExt, channel::oneshot, future::Either};

mod builder;
mod keys;

pub use self::{
    builder::{BuildError, ControllerBuilder},
    keys::{KeyPage, KeyQuery, ListedKey, PAGE_KEYS_MAX},
};
use crate::{
    counters::Counts,
    gateway::Gateway,
    ingress::{self, Ingress},
    placement::{
        command::{Command, CommandError},
        key::ResourceKey,
        rules::Rebalancing,
        worker::WorkerId,
    },
    registry::{RegistryAddr, messages, route::RouteView},
    status::{KeyStatus, WorkerStatus},
};

/// Why an order is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// It cannot be.
    #[error(transparent)]
    Refused(#[from] CommandError),
    /// The controller has stopped.
    #[error("the controller has stopped")]
    Stopped,
}

/// Lets `answer` take every request that no other service takes. A service of its own, because the
/// extractors of a handler cost a fraction of a microsecond for each request.
fn mounted<F, A>(answer: F) -> impl FnOnce(&mut web::ServiceConfig)
where
    F: Fn(HttpRequest, Payload) -> A + Clone + 'static,
    A: Future<Output = ServiceResponse> + 'static,
{
    move |config| {
        config.default_service(fn_service(move |request: ServiceRequest| {
            let (request, payload) = request.into_parts();
            answer(request, payload).map(Ok::<_, actix_web::Error>)
        }));
    }
}

/// A running controller. Cheap to clone; usable from any thread.
///
/// ```no_run
/// use actix_web::{App, HttpServer};
/// use constellation_actors::Controller;
///
/// #[actix_web::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let controller = Controller::builder().start()?;
///     let workers = controller.clone();
///     let gateway = HttpServer::new(move || App::new().configure(workers.gateway()))
///         .tcp_nodelay(true)
///         .bind(("127.0.0.1", 8001))?
///         .run();
///     let clients = controller.clone();
///     let ingress = HttpServer::new(move || App::new().configure(clients.ingress()))
///         .tcp_nodelay(true)
///         .on_connect(controller.on_connect())
///         .h1_allow_half_closed(false)
///         .bind(("127.0.0.1", 8000))?
///         .run();
///     futures::future::try_join(gateway, ingress).await?;
///     controller.stop().await;
///     Ok(())
/// }
/// ```
///
/// Set `h1_allow_half_closed(false)` on servers that mount the ingress: only then a client that
/// goes away cancels its request at the worker.
#[derive(Clone, Debug)]
pub struct Controller {
    registry: RegistryAddr,
    view: Arc<RouteView>,
    ingress: Arc<Ingress>,
    gateway: Arc<Gateway>,
    arbiter: actix::ArbiterHandle,
}

impl Controller {
    /// A controller with default settings, to be changed before it starts.
    pub fn builder() -> ControllerBuilder {
        ControllerBuilder::default()
    }

    /// Mounts the ingress in an `App` or a `web::scope`: it takes every request of that scope
    /// that no other service of it takes.
    ///
    /// Relative to the scope, `/` is the node's page and `/workers` and `/maps` are the admin
    /// paths. The key of any other request is its whole raw path, the scope's prefix included, or
    /// what [`ControllerBuilder::routes`] make of that.
    pub fn ingress(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let ingress = Arc::clone(&self.ingress);
        mounted(move |request, payload| {
            let ingress = Arc::clone(&ingress);
            async move {
                let response = ingress.serve(&request, payload).await;
                ServiceResponse::new(request, response)
            }
        })
    }

    /// What a server that mounts the ingress should do with each new connection:
    /// `HttpServer::on_connect(controller.on_connect())`.
    ///
    /// It lets the system end connections whose client has vanished or takes nothing (TCP
    /// keep-alive and TCP_USER_TIMEOUT), and the ingress know which requests came over one
    /// connection: without that, a request that a client sent behind one that ends the connection
    /// is answered too.
    pub fn on_connect(&self) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync + use<> {
        let patience = self.ingress.rules.client_patience();
        move |io, data| ingress::connected(io, data, patience)
    }

    /// Mounts the workers' endpoint in an `App` or a `web::scope`: it takes every request of that
    /// scope that no other service of it takes.
    pub fn gateway(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let gateway = Arc::clone(&self.gateway);
        mounted(move |request, payload| {
            let response = gateway.accept(&request, payload);
            ready(ServiceResponse::new(request, response))
        })
    }

    /// Mounts both in an `App` whose server listens for clients and for workers: what arrives at one
    /// of the addresses `workers` is for their endpoint, everything else for the ingress. They are
    /// the addresses of the listeners themselves, as `TcpListener::local_addr` tells them: bind
    /// before, and give the listeners to `HttpServer::listen`.
    ///
    /// Of a server with one thread no request crosses threads then, and of one with n, one in n; with two
    /// servers every request goes to another thread and back. Three things are for the caller:
    ///
    /// * [`on_connect`](Self::on_connect) is for the connections of clients. It would end one of a
    ///   worker that is cut off for longer than a body may wait, even within its lease.
    /// * Workers' connections do not end by themselves, so a graceful stop of the server waits for
    ///   them: call [`stop`](Self::stop) when the clients' are done.
    /// * Both share the server's limit of connections, and are refused together while it stops.
    pub fn ingress_and_gateway(
        &self,
        workers: &[SocketAddr],
    ) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let workers: Arc<[SocketAddr]> = workers.into();
        let ingress = Arc::clone(&self.ingress);
        let gateway = Arc::clone(&self.gateway);
        mounted(move |request, payload| {
            if workers.contains(&request.app_config().local_addr()) {
                let response = gateway.accept(&request, payload);
                return Either::Left(ready(ServiceResponse::new(request, response)));
            }
            let ingress = Arc::clone(&ingress);
            Either::Right(async move {
                let response = ingress.serve(&request, payload).await;
                ServiceResponse::new(request, response)
            })
        })
    }

    /// Every worker, in the order of arrival; none once the controller has stopped.
    pub async fn workers(&self) -> Vec<WorkerStatus> {
        self.registry
            .send(messages::Workers)
            .await
            .unwrap_or_default()
    }

    /// The keys of every worker that owns some; none once the controller has stopped.
    pub async fn pins(&self) -> BTreeMap<WorkerId, Vec<ResourceKey>> {
        self.registry.send(messages::Pins).await.unwrap_or_default()
    }

    /// A page of the keys that have an owner. Reads all of them, on a thread of its own: a tenth of
    /// a second for a million.
    pub async fn keys(&self, query: KeyQuery) -> KeyPage {
        let view = Arc::clone(&self.view);
        let page = actix_rt::task::spawn_blocking(move || keys::page(&view, &query));
        page.await.unwrap_or_default()
    }

    /// Everything that is known of one key; `None` once the controller has stopped.
    pub async fn explain(&self, key: ResourceKey) -> Option<KeyStatus> {
        self.registry.send(messages::Explain(key)).await.ok()
    }

    /// Orders a change: a move, a drain, and whatever else a [`Command`] says. Returns as soon as
    /// that has begun; [`workers`](Self::workers) and [`explain`](Self::explain) tell how far it
    /// is.
    ///
    /// # Errors
    ///
    /// When it is refused; then nothing has changed.
    pub async fn order(&self, command: Command) -> Result<(), OrderError> {
        let (answer, answered) = oneshot::channel();
        let order = messages::Order { command, answer };
        let sent = self.registry.send(order).await;
        sent.map_err(|_| OrderError::Stopped)?;
        let outcome = answered.await.map_err(|_| OrderError::Stopped)?;
        outcome.map_err(OrderError::Refused)
    }

    /// Whether keys are moved so that workers have equally many; `None` once the controller has
    /// stopped.
    pub async fn rebalancing(&self) -> Option<Rebalancing> {
        self.registry.send(messages::AskBalancing).await.ok()
    }

    /// How often what happened since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.ingress.counters.read()
    }

    /// Whether a log record says no more than that a websocket has closed as it should. The HTTP
    /// layer reports each of them as an error; a logger may leave those out.
    #[must_use]
    pub fn is_noise(record: &log::Record<'_>) -> bool {
        ingress::is_noise(record)
    }

    /// Ends every tunnel, each with a last Close frame of code 1012 (service restart), and lets no
    /// more be opened. Call it before the HTTP servers are stopped: they would wait for the tunnels
    /// as for running requests.
    pub fn end_tunnels(&self) {
        self.ingress.tunnels.stop();
    }

    /// Stops the controller: requests that wait for an owner are refused, workers are told that
    /// it shuts down, so that they keep their leases and try to reconnect, and no new worker or
    /// request is taken. Stop the HTTP servers first to let running requests finish.
    pub async fn stop(&self) {
        self.end_tunnels();
        // An error means that it has stopped already.
        let _stopped = self.registry.send(messages::Shutdown).await;
        self.arbiter.stop();
    }
}
