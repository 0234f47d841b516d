//! How many messages a client may send: so many a second, and a second's worth at once. It is told
//! the time and never reads a clock.

use std::time::Duration;

/// A client's allowance.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    per_second: u32,
    left: f64,
    last: Duration,
}

impl Rate {
    /// An allowance of so many messages a second, full at the time `now`.
    pub(crate) fn new(per_second: u32, now: Duration) -> Self {
        Self {
            per_second,
            left: f64::from(per_second),
            last: now,
        }
    }

    /// How many messages a second it allows.
    pub(crate) fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Takes one message off, at the time `now`; whether it was allowed.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let most = f64::from(self.per_second);
        let passed = now.saturating_sub(self.last).as_secs_f64();
        self.last = now;
        self.left = (self.left + passed * most).min(most);
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_allows_so_many_and_no_more() {
        let mut rate = Rate::new(10, Duration::ZERO);
        assert_eq!((0..20).filter(|_| rate.take(Duration::ZERO)).count(), 10);
        let later = Duration::from_millis(500);
        assert_eq!((0..20).filter(|_| rate.take(later)).count(), 5);
        let much_later = Duration::from_secs(100);
        assert_eq!((0..20).filter(|_| rate.take(much_later)).count(), 10);
        assert!(!rate.take(Duration::ZERO), "time does not run backwards");
    }
}
