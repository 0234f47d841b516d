//! What goes over the wire between a controller and its workers, in pure code.
//!
//! Nothing here reads a clock, does I/O, awaits, or draws randomness.

pub mod credential;
pub mod frame;
pub mod handshake;
pub mod head;
pub mod json;
pub mod mux;
pub mod websocket;

mod varint;
