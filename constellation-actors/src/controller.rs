//! The handle that a user of the library holds: it mounts the ingress and the workers' endpoint,
//! tells of workers and pins, and stops everything.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::web;

mod builder;

pub use self::builder::{BuildError, ControllerBuilder};
use crate::{
    gateway::Gateway,
    ingress::Ingress,
    placement::{key::ResourceKey, worker::WorkerId},
    registry::{self, RegistryAddr},
    status::WorkerStatus,
};

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
    /// paths. The key of any other request is its whole raw path, the scope's prefix included.
    pub fn ingress(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let ingress = Arc::clone(&self.ingress);
        move |config| {
            config.default_service(web::to(move |request, payload| {
                Arc::clone(&ingress).serve(request, payload)
            }));
        }
    }

    /// Mounts the workers' endpoint in an `App` or a `web::scope`: it takes every request of that
    /// scope that no other service of it takes.
    pub fn gateway(&self) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let gateway = Arc::clone(&self.gateway);
        move |config| {
            config.default_service(web::to(move |request, payload| {
                std::future::ready(gateway.accept(&request, payload))
            }));
        }
    }

    /// Every worker, in the order of arrival; none once the controller has stopped.
    pub async fn workers(&self) -> Vec<WorkerStatus> {
        self.registry
            .send(registry::Workers)
            .await
            .unwrap_or_default()
    }

    /// The keys of every worker that owns some; none once the controller has stopped.
    pub async fn pins(&self) -> BTreeMap<WorkerId, Vec<ResourceKey>> {
        self.registry.send(registry::Pins).await.unwrap_or_default()
    }

    /// Stops the controller: requests that wait for an owner are refused, workers are told that
    /// it shuts down, so that they keep their leases and try to reconnect, and no new worker or
    /// request is taken. Stop the HTTP servers first to let running requests finish.
    pub async fn stop(&self) {
        // An error means that it has stopped already.
        let _stopped = self.registry.send(registry::Shutdown).await;
        self.arbiter.stop();
    }
}
