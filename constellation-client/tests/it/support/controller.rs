//! The real controller, in this process, on ports of its own.

use std::time::Duration;

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    web::ServiceConfig,
};
use constellation_actors::{Controller, ControllerBuilder};

/// A controller with its two servers, stopped when dropped.
pub(crate) struct Running {
    pub(crate) controller: Controller,
    workers_port: u16,
    clients_port: u16,
    servers: [ServerHandle; 2],
}

impl Running {
    /// A controller with leases of three seconds.
    pub(crate) fn start() -> Self {
        Self::start_with(|builder| builder)
    }

    pub(crate) fn start_with(choose: impl FnOnce(ControllerBuilder) -> ControllerBuilder) -> Self {
        let builder = Controller::builder()
            .heartbeat(Duration::from_secs(1), 3)
            .startup_grace(Duration::ZERO);
        let controller = choose(builder).start().unwrap();
        let (workers_port, gateway) = serve({
            let controller = controller.clone();
            move || controller.gateway()
        });
        let (clients_port, ingress) = serve({
            let controller = controller.clone();
            move || controller.ingress()
        });
        let servers = [gateway.handle(), ingress.handle()];
        actix_rt::spawn(gateway);
        actix_rt::spawn(ingress);
        Self {
            controller,
            workers_port,
            clients_port,
            servers,
        }
    }

    /// What a worker connects to.
    pub(crate) fn workers_url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.workers_port)
    }

    pub(crate) fn workers_port(&self) -> u16 {
        self.workers_port
    }

    /// Where clients send their requests.
    pub(crate) fn clients_port(&self) -> u16 {
        self.clients_port
    }

    /// Ends it at once, with all its connections.
    pub(crate) async fn stop(self) {
        self.controller.stop().await;
        for server in &self.servers {
            server.stop(false).await;
        }
    }
}

fn serve<C>(configure: impl Fn() -> C + Clone + Send + 'static) -> (u16, Server)
where
    C: FnOnce(&mut ServiceConfig) + 'static,
{
    let server = HttpServer::new(move || App::new().configure(configure()))
        .workers(1)
        .disable_signals()
        .tcp_nodelay(true)
        .h1_allow_half_closed(false)
        .bind(("127.0.0.1", 0))
        .unwrap();
    let port = server.addrs()[0].port();
    (port, server.run())
}
