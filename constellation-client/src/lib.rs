//! The worker library.

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
mod grant;
mod holding;
mod holdings;
mod lease_keeper;
mod problem;
mod release;
mod request;
mod response;
mod session;
mod settings;
mod socket;

pub use constellation_actors::placement::{epoch::Epoch, key::ResourceKey, worker::WorkerId};

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
    event::{ReleaseReason, WorkerEvent},
    grant::Grant,
    request::{Headers, HeadersIter, Request},
    response::{IntoResponse, Response},
};
