//! How long to wait before the next attempt to connect. Draws no randomness of its own.

use std::time::Duration;

/// The bound of the first wait.
const FIRST: Duration = Duration::from_millis(100);

/// The bound that no wait exceeds.
pub(crate) const LONGEST: Duration = Duration::from_secs(2);

/// The same while a lease runs: several attempts must fit in what is left of it.
pub(crate) const LONGEST_LEASED: Duration = Duration::from_millis(500);

/// Waits whose bound doubles from 100 ms to the longest, each drawn evenly from nothing to its bound
/// ("full jitter": M. Brooker, "Exponential Backoff and Jitter", 2015), so that the workers of a
/// controller that restarts do not all come back at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait. `random` is drawn evenly from all numbers of 64 bits.
    pub(crate) fn next_wait(&mut self, random: u64, longest: Duration) -> Duration {
        let bound = FIRST
            .saturating_mul(1 << self.attempts.min(16))
            .min(longest);
        self.attempts = self.attempts.saturating_add(1);
        let micros = u64::try_from(bound.as_micros()).expect("the longest wait is seconds");
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

    fn bounds(longest: Duration) -> Vec<u128> {
        let mut backoff = Backoff::default();
        let mut bound = || backoff.next_wait(u64::MAX, longest).as_millis();
        (0..7).map(|_| bound()).collect()
    }

    #[test]
    fn the_bound_doubles_up_to_two_seconds_and_half_a_second_in_a_lease() {
        assert_eq!(bounds(LONGEST), [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(bounds(LONGEST_LEASED)[..4], [100, 200, 400, 500]);
    }

    #[test]
    fn no_number_of_attempts_exceeds_the_bound_and_a_good_connection_ends_them() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.next_wait(u64::MAX, LONGEST) <= LONGEST);
        }
        assert_eq!(backoff.next_wait(u64::MAX, LONGEST), LONGEST);
        backoff.reset();
        assert_eq!(backoff.next_wait(u64::MAX, LONGEST), FIRST);
    }

    #[test]
    fn a_wait_is_anything_up_to_its_bound() {
        let wait = |random| Backoff::default().next_wait(random, LONGEST);
        assert_eq!(wait(0), Duration::ZERO);
        assert_eq!(wait(u64::MAX / 2 + 1), FIRST / 2);
    }
}
