//! An actix-web `App` as a worker: what it can do over a port it can do over a session.

mod application;
mod http;
mod ownership;
mod streams;
mod threads;
mod websockets;

use actix::{Actor, Addr};
use constellation_client::{Worker, WorkerBuilder, WorkerClient};
use constellation_testing::http::{Answer, Connection};

use crate::support::{connected, controller::Running};

/// A worker of this controller, of one thread unless a test says more.
fn builder(controller: &Running) -> WorkerBuilder {
    Worker::builder()
        .controller(controller.workers_url())
        .threads(1)
}

/// Starts a worker and waits until it is connected.
async fn start(worker: WorkerClient) -> Addr<WorkerClient> {
    let worker = worker.start();
    connected(&worker).await;
    worker
}

/// Lets a blocking client do its work beside the controller and the worker.
async fn client<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    actix_rt::task::spawn_blocking(work).await.unwrap()
}

/// Sends one request over a connection of its own.
async fn request(
    controller: &Running,
    method: &'static str,
    path: &str,
    headers: &[(&'static str, &'static str)],
    body: &'static [u8],
) -> Answer {
    let (port, path, headers) = (controller.clients_port(), path.to_owned(), headers.to_vec());
    client(move || constellation_testing::http::request(port, method, &path, &headers, body)).await
}

async fn get(controller: &Running, path: &str) -> Answer {
    request(controller, "GET", path, &[], b"").await
}

/// Sends bytes as they are, and reads one answer.
async fn raw(controller: &Running, bytes: Vec<u8>) -> Option<Answer> {
    let port = controller.clients_port();
    client(move || {
        let mut connection = Connection::open(port);
        connection.send(&bytes);
        connection.receive(false)
    })
    .await
}
