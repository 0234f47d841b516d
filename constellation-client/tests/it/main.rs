//! The worker library from outside: against the real controller in this process, and, where a test
//! has to choose what the controller says and when, against a scripted one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod actors;
mod controllers;
mod drain;
mod failures;
#[cfg(unix)]
mod fences;
mod functions;
#[cfg(feature = "hosting")]
mod hosting;
mod lease;
mod observing;
mod resuming;
mod streaming;
mod support;
mod tokens;
mod tunnels;
