//! Constellation places every resource key on exactly one worker.
//!
//! Clients speak HTTP to a [`Controller`]; the path of a request is its key; workers dial in over
//! a websocket and answer the requests for the keys they own. Read on in this order: what is
//! decided ([`placement`] at the controller, [`ownership`] at the worker), what goes over the wire
//! ([`protocol`]), who carries it out (the actors), and what a user holds ([`Controller`]).
//!
//! Without default features only the pure modules remain: no actix, no tokio, no clock, no I/O.

pub mod placement;

pub mod ownership;

pub mod protocol;

#[cfg(test)]
mod model;
#[cfg(not(any(test, feature = "simulation")))]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "without the simulation no defect is ever made"
)]
mod mutation;
#[cfg(any(test, feature = "simulation"))]
pub mod mutation;
#[cfg(any(test, feature = "simulation"))]
pub mod simulation;

#[cfg(feature = "controller")]
mod clock;
#[cfg(feature = "controller")]
mod controller;
#[cfg(feature = "controller")]
mod counters;
#[cfg(feature = "controller")]
mod gateway;
#[cfg(feature = "controller")]
mod heartbeat;
#[cfg(feature = "controller")]
mod ingress;
#[cfg(feature = "controller")]
mod registry;
#[cfg(feature = "controller")]
mod session;
#[cfg(feature = "controller")]
mod status;
#[cfg(feature = "controller")]
pub mod store;

#[cfg(feature = "controller")]
pub use self::{
    controller::{
        BuildError, Controller, ControllerBuilder, KeyPage, KeyQuery, ListedKey, OrderError,
        PAGE_KEYS_MAX,
    },
    counters::Counts,
    status::{KeyStatus, OwnerStatus, OwnershipStage, PastOwner, WorkerState, WorkerStatus},
};
