//! The worker library of Constellation: owns resource keys and answers the requests for them.
//!
//! A worker dials in to one or more controllers and needs no open port. A controller grants it
//! keys, by default the paths of the requests that clients send; each key has one owner at a time,
//! under an *epoch* that grows with every change of owner. The library keeps the *lease* on which
//! that rests: it renews it, reconnects when a connection is lost, and stops whatever runs when
//! the lease ends, before another worker can own the keys. What it cannot do is stop a process
//! that was itself stopped for longer than the lease: put a [`fence`] at the resource, which
//! refuses a lower [`Request::epoch`].
//!
//! There are three ways to handle requests.
//!
//! # A function
//!
//! Called for every request, all at once; nothing is kept in between.
//!
//! ```no_run
//! use constellation_client::{Request, Response, Worker};
//!
//! #[actix::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let worker = Worker::builder()
//!         .controller("ws://localhost:8001")
//!         .name("greeter")
//!         .handler(async |request: Request| {
//!             Response::ok()
//!                 .content_type("text/plain")
//!                 .body(format!("{} is mine under epoch {}", request.key(), request.epoch()))
//!         })?;
//!     worker.run().await?;
//!     Ok(())
//! }
//! ```
//!
//! # An actor for each key
//!
//! Made at the first request of a key and stopped when the key goes, so that a file can stay open
//! or a world go on ticking. It gets one request at a time; other keys are handled beside it.
//!
//! ```no_run
//! use actix::{Actor, Context, Handler};
//! use constellation_client::{Closing, HandlerError, Request, Response, Worker};
//!
//! /// Counts the requests of one key.
//! struct Counter {
//!     requests: u64,
//! }
//!
//! impl Actor for Counter {
//!     type Context = Context<Self>;
//! }
//!
//! impl Handler<Request> for Counter {
//!     type Result = Result<Response, HandlerError>;
//!
//!     fn handle(&mut self, _: Request, _: &mut Self::Context) -> Self::Result {
//!         self.requests += 1;
//!         Ok(Response::ok().json(&self.requests))
//!     }
//! }
//!
//! impl Handler<Closing> for Counter {
//!     type Result = ();
//!
//!     fn handle(&mut self, closing: Closing, _: &mut Self::Context) {
//!         println!("{} requests until {}", self.requests, closing.reason);
//!     }
//! }
//!
//! #[actix::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let worker = Worker::builder()
//!         .controller("ws://localhost:8001")
//!         .serves("/counters/**")
//!         .actor(|_grant| Counter { requests: 0 })?;
//!     worker.run().await?;
//!     Ok(())
//! }
//! ```
//!
//! # An actix-web `App`
//!
//! An existing application, with its services, middleware and extractors, but without a port: it is
//! given to [`WorkerBuilder::hosting`] instead of to `HttpServer::new`.
//!
//! ```no_run
//! # #[cfg(feature = "hosting")]
//! # mod hosted {
//! use actix_web::{App, web};
//! use constellation_client::{Grant, Worker};
//!
//! async fn greet(name: web::Path<String>, grant: Grant) -> String {
//!     format!("{name} is mine under epoch {}", grant.epoch())
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let worker = Worker::builder()
//!         .controller("ws://localhost:8001")
//!         .hosting(|| App::new().route("/{name}", web::get().to(greet)))?;
//!     worker.run().await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! The module [`hosting`] says what such an App sees and what it may rely on. It is there with the
//! feature `hosting`, which is on by default.
//!
//! # Running, asking, ending
//!
//! [`WorkerClient::run`] is all that a program needs whose only job is to be a worker: it drains
//! at SIGTERM. Elsewhere start the client as the actix actor that it is, and send it [`Status`],
//! [`Owned`], [`Subscribe`], and in the end [`Drain`] or [`Stop`].
//!
//! A handler that fails or panics becomes a 500 for its own request; one that takes longer than
//! [`WorkerBuilder::handler_timeout`] becomes a 504. Neither disturbs other requests. A handler
//! that blocks its thread disturbs all of them: hand such work to
//! [`actix_rt::task::spawn_blocking`].
//!
//! # Fences
//!
//! A worker's process can be stopped in the middle of a write, lose its lease meanwhile, and go on
//! with the write when the key has another owner. No lease prevents that, so what must never be
//! written by two owners needs a fence of its own. One for the files of a directory and one for a value
//! in memory are in [`fence`], one for a SQLite database is there with the feature `sqlite`, and a
//! trait and a conformance suite for those who write another.
//!
//! ```
//! use constellation_client::{Grant, fence::{Entered, Fence, directory::{DirectoryFence, Error}}};
//!
//! /// Called with the grant of a key, before anything of its directory is read.
//! fn open(grant: &Grant) -> Result<Entered<DirectoryFence>, Error> {
//!     DirectoryFence::open("worlds/one")?.enter(grant.epoch())
//! }
//!
//! /// Fails when the key has had another owner since.
//! fn save(world: &mut Entered<DirectoryFence>, state: &[u8]) -> Result<(), Error> {
//!     world.write(|files| files.replace("state.json", state))
//! }
//! ```

#![cfg_attr(
    not(feature = "hosting"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the feature's documentation is linked to from everywhere"
    )
)]

mod backoff;
mod body;
mod builder;
mod client;
mod clock;
mod connection;
mod dispatch;
mod domain;
mod drain;
mod error;
mod event;
mod exchange;
pub mod fence;
mod grant;
mod holding;
#[cfg(feature = "hosting")]
pub mod hosting;
mod problem;
mod release;
mod request;
mod response;
mod session;
mod settings;
mod socket;
mod tenure;
pub mod websocket;

#[cfg(all(doctest, feature = "hosting"))]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use constellation_actors::{
    ownership::reason::ReleaseReason,
    placement::{epoch::Epoch, key::ResourceKey, worker::WorkerId},
};

pub use self::{
    body::Body,
    builder::{Worker, WorkerBuilder},
    client::{
        ConnectionStatus, ControllerStatus, Drain, Owned, OwnedKey, Status, Stop, Subscribe,
        WorkerClient,
    },
    clock::{Clock, ManualClock},
    dispatch::actor::Closing,
    drain::Drained,
    error::{BodyError, BuildError, HandlerError},
    event::WorkerEvent,
    grant::Grant,
    request::{Headers, HeadersIter, Request},
    response::{IntoResponse, Response},
};
