//! The service as its users meet it: the real program on free ports, spoken to over HTTP.

mod curl;
mod http;
mod program;
mod service;
