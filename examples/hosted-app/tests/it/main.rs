//! The application as its users meet it: the real program, by itself and behind a real controller,
//! spoken to by the real curl.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod curl;
mod moving;
mod programs;
mod using;
