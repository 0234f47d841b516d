//! Runs the real `constellation` binary as its users do.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

mod admin;
mod ambiguous;
mod binary;
mod clients;
mod cluster;
mod config;
mod contract;
mod first_start;
mod hostile;
mod operate;
mod pace;
mod routes;
mod scenarios;
mod store;
mod streams;
mod websockets;
mod workers;
