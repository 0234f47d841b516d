//! The service as its users meet it: the real program on free ports, spoken to over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod curl;
mod http;
mod program;
mod service;
