//! How long to wait before the next attempt to connect. Draws no randomness of its own.

use std::time::Duration;

/// The bound of the first wait.
const FIRST: Duration = Duration::from_millis(100);

/// The bound that no wait exceeds.
const LONGEST: Duration = Duration::from_secs(5);

/// Waits whose bound doubles from 100 ms to 5 s, each drawn evenly from nothing to its bound
/// ("full jitter": M. Brooker, "Exponential Backoff and Jitter", 2015), so that the workers of a
/// controller that restarts do not all come back at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait. `random` is drawn evenly from all numbers of 64 bits.
    pub(crate) fn next_wait(&mut self, random: u64) -> Duration {
        let bound = FIRST
            .saturating_mul(1 << self.attempts.min(16))
            .min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        let micros = u64::try_from(bound.as_micros()).expect("the longest wait is 5 s");
        let share = (u128::from(random) * u128::from(micros + 1)) >> 64;
        Duration::from_micros(u64::try_from(share).expect("a share of 64 bits"))
    }

    /// The connection was good: the next wait is a first one.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_five_seconds() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8)
            .map(|_| backoff.next_wait(u64::MAX).as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        for _ in 0..100 {
            assert_eq!(backoff.next_wait(u64::MAX), LONGEST);
        }
        backoff.reset();
        assert_eq!(backoff.next_wait(u64::MAX), FIRST);
    }

    #[test]
    fn a_wait_is_anything_up_to_its_bound() {
        assert_eq!(Backoff::default().next_wait(0), Duration::ZERO);
        assert_eq!(Backoff::default().next_wait(u64::MAX / 2 + 1), FIRST / 2);
    }
}
