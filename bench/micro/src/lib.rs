//! What the benchmarks of the pure parts measure: a placement with workers and keys, heads like those
//! that browsers and servers send, and two muxes without a connection between them. Never does any I/O.

pub mod cluster;
pub mod conversation;
pub mod heads;
