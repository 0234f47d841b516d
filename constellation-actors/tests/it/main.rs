//! Uses the library as its users do, and only what remains of it without default features.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

mod vectors;
