//! The only reader of a clock.

use tokio::time::Instant;

/// Now, by the monotonic clock.
pub(crate) fn now() -> Instant {
    Instant::now()
}
