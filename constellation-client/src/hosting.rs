//! An actix-web [`App`](actix_web::App) as a worker, without a port of its own.
//!
//! [`WorkerBuilder::hosting`] takes what `HttpServer::new` takes. Requests that come over a session
//! run through the App's services, middleware, extractors and error handlers.
//!
//! ```no_run
//! use actix_web::{App, middleware::Logger, web};
//! use constellation_client::{Grant, Worker};
//!
//! async fn read(path: web::Path<u32>, grant: Grant) -> String {
//!     format!("note {path} of {}, mine under epoch {}", grant.key(), grant.epoch())
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let worker = Worker::builder()
//!         .controller("ws://localhost:8001")
//!         .serves("/notes/**")
//!         .threads(4)
//!         .hosting(|| {
//!             App::new()
//!                 .wrap(Logger::default())
//!                 .route("/notes/{number}", web::get().to(read))
//!         })?;
//!     worker.run().await?; // instead of HttpServer's bind and run
//!     Ok(())
//! }
//! ```
//!
//! # What a handler sees
//!
//! * Method, target and headers as the client sent them, but for those that belong to a connection.
//! * Paths as any App sees them: decoded before a route is matched, and in
//!   [`web::Path`](actix_web::web::Path). The key is not decoded. Where a name may hold characters
//!   that are escaped by some and not by others, take it from [`Grant::key`], or one resource has two
//!   keys and two owners.
//! * `x-constellation-key` and `x-constellation-epoch` as headers, and the [`Grant`] as a request
//!   extension and as an extractor. An App that also listens on a port asks for `Option<Grant>`.
//! * `Host` is the client's, and so are host and scheme of
//!   [`ConnectionInfo`](actix_web::dev::ConnectionInfo): the controller says them, whatever the client
//!   claims. The peer address is the one that the controller saw, with port 0. What clients or
//!   proxies before it say of addresses is, as in any App, `realip_remote_addr`.
//!   A `Forwarded` header is removed, because actix-web would believe it before the controller.
//! * HTTP/1.1, whatever the client speaks. What `HttpServer` knows of a connection (`on_connect`,
//!   TLS certificates, local address) is not there.
//!
//! # Threads
//!
//! Each thread ([`WorkerBuilder::threads`]) is an [`Arbiter`](actix_rt::Arbiter) with an App of its own. All
//! requests of a key are handled in one of them, chosen by a hash of the key, so that what
//! belongs to a key can live in a thread without a lock. None is the thread of the sessions: a
//! handler that blocks its thread holds up the other keys of that thread, but no renewal of a lease.
//!
//! # Ownership
//!
//! A request whose lease or key has gone before its handler begins is sent back as not begun. A
//! handler, or the body of its response, is dropped when its client goes away, when it has not
//! answered within the [`handler_timeout`](WorkerBuilder::handler_timeout) (then the client gets a 504),
//! and when the key is to be given back and the [`drain_timeout`](WorkerBuilder::drain_timeout) is
//! over or the lease has ended. A key is given back only when all of them are dropped.
//!
//! A body that never ends by itself, such as one of server-sent events, holds up the move of its key until
//! the `drain_timeout` is over, unless it ends when [`Grant::leaving`] says so:
//!
//! ```
//! use actix_web::HttpResponse;
//! use bytes::Bytes;
//! use constellation_client::Grant;
//! use futures::{Stream, StreamExt};
//!
//! fn follow(
//!     grant: &Grant,
//!     events: impl Stream<Item = Result<Bytes, actix_web::Error>> + 'static,
//! ) -> HttpResponse {
//!     let events = events.take_until(Box::pin(grant.leaving()));
//!     HttpResponse::Ok().content_type("text/event-stream").streaming(events)
//! }
//! ```
//!
//! What a handler spawned, or what an App keeps of a key between requests, is the App's to end:
//! [`WorkerBuilder::on_closing`] is called for each key before it goes. Ask [`Grant::is_in_force`]
//! before what cannot be undone, and put a [fence](crate::fence) at the resource.
//!
//! ```
//! use std::{cell::RefCell, collections::HashMap};
//!
//! use constellation_client::{Grant, ReleaseReason, Worker};
//!
//! thread_local! {
//!     /// What is open, by key. A key has one thread, so nobody else has it open.
//!     static OPEN: RefCell<HashMap<String, std::fs::File>> = RefCell::default();
//! }
//!
//! async fn close(grant: Grant, _why: ReleaseReason) {
//!     OPEN.with_borrow_mut(|open| open.remove(grant.key().as_str()));
//! }
//!
//! let builder = Worker::builder().controller("ws://localhost:8001").on_closing(close);
//! ```
//!
//! # Websockets
//!
//! Handshakes are answered as over a port, with actix-ws or by actors of actix-web-actors. A socket ends
//! with its client, with its handler, or when its key is given back: [`Grant::leaving`] announces that, and
//! the [`tunnel_goodbye`](WorkerBuilder::tunnel_goodbye) is the time for a last word. An actor's context is
//! polled only while its client reads, as over a port.
//!
//! # What is left to the controller
//!
//! `Date`, chunked coding, keep-alive and `Expect: 100-continue` are between the controller and the
//! client. A handler that panics is a 500 for its request alone; a body that fails or panics breaks
//! its response off, so that the client notices.

mod extract;
mod inbound;
mod job;
mod outbound;
mod thread;
mod threads;

use std::{fmt, future::Future, rc::Rc, sync::Arc, thread::available_parallelism};

use actix_http::{Request, Response, body::MessageBody};
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::dev::AppConfig;
use constellation_actors::ownership::reason::ReleaseReason;
use futures::FutureExt;

pub use self::extract::NoGrant;
use self::{
    thread::{OnClosing, Thread},
    threads::Threads,
};
use crate::{
    builder::{WorkerBuilder, check_number},
    client::WorkerClient,
    error::BuildError,
    grant::Grant,
};

/// How an App is hosted.
#[derive(Clone)]
pub(crate) struct Options {
    threads: Option<usize>,
    queue_per_thread_max: usize,
    on_closing: Option<OnClosing>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: None,
            queue_per_thread_max: 10_000,
            on_closing: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("threads", &self.threads)
            .field("queue_per_thread_max", &self.queue_per_thread_max)
            .finish_non_exhaustive()
    }
}

impl WorkerBuilder {
    /// How many threads a hosted `App` has, each with an instance of its own. Default: as many as
    /// the machine has processors for this process.
    pub fn threads(mut self, threads: usize) -> Self {
        self.hosting.threads = Some(threads);
        self
    }

    /// The most requests that wait for a thread of a hosted `App` to take them up, which it does
    /// at once unless a handler blocks it; more are sent back as overload. Default 10,000.
    pub fn queue_per_thread_max(mut self, requests: usize) -> Self {
        self.hosting.queue_per_thread_max = requests;
        self
    }

    /// Calls `closing` before a key of a hosted `App` goes, in the key's thread, when no request of
    /// it runs any more. The key may have another owner once its future is done, or when the
    /// [`closing_timeout`](Self::closing_timeout) is over; when the lease has ended, already after
    /// the lease's margin. Default: nothing is called.
    ///
    /// It is called for every key that was granted, also if no request of it came.
    pub fn on_closing<F, A>(mut self, closing: F) -> Self
    where
        F: Fn(Grant, ReleaseReason) -> A + Send + Sync + 'static,
        A: Future<Output = ()> + 'static,
    {
        self.hosting.on_closing = Some(Arc::new(move |grant, reason| {
            closing(grant, reason).boxed_local()
        }));
        self
    }

    /// Makes a worker whose requests are handled by an actix-web `App`, made by `factory` in each
    /// of its threads, as `HttpServer::new` does. See [`hosting`](crate::hosting).
    ///
    /// # Errors
    ///
    /// When something that was said does not hold up, with the thing and the reason.
    pub fn hosting<F, I, S, B>(mut self, factory: F) -> Result<WorkerClient, BuildError>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig> + 'static,
        S::Error: Into<actix_web::Error>,
        S::InitError: fmt::Debug,
        S::Response: Into<Response<B>>,
        B: MessageBody + 'static,
    {
        let Options {
            threads,
            queue_per_thread_max,
            on_closing,
        } = std::mem::take(&mut self.hosting);
        check_number("threads", threads != Some(0))?;
        check_number("queue_per_thread_max", queue_per_thread_max > 0)?;
        let count = threads.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
        let has_closing = on_closing.is_some();
        let start =
            move || Thread::start(factory.clone(), queue_per_thread_max, on_closing.clone());
        self.build(Rc::new(Threads::new(count, has_closing, start)))
    }
}
