//! Uses the library as its users do: what remains of it without default features, and its stores.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

mod store;
mod vectors;
