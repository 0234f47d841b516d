//! What the tests of several packages share: a small HTTP client that shows every byte, a small
//! websocket client, programs that end with their test, and waiting with a deadline.
//!
//! For tests alone: whatever goes wrong panics.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod http;
pub mod program;
pub mod wait;
pub mod websocket;
