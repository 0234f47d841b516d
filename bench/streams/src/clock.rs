//! The machine's monotonic clock, which the worker writes into its events: the only reader of a
//! clock here.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Now, in microseconds.
pub(crate) fn micros() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000 + u64::try_from(time.tv_nsec / 1_000).unwrap_or(0)
}

/// How long it is until then; nothing when that has passed.
pub(crate) fn until(micros_then: u64) -> Duration {
    Duration::from_micros(micros_then.saturating_sub(micros()))
}
