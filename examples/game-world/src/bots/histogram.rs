//! How long things took: counts of milliseconds, so that a percentile costs no list of all of them.

use std::time::Duration;

/// The longest time that is told apart from longer ones, in milliseconds.
const LONGEST_MS: usize = 60_000;

/// Times, rounded down to milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    counts: Vec<u32>,
    all: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; LONGEST_MS + 1],
            all: 0,
        }
    }
}

impl Histogram {
    /// Counts a time.
    pub(super) fn add(&mut self, time: Duration) {
        let milliseconds = usize::try_from(time.as_millis()).unwrap_or(LONGEST_MS);
        self.counts[milliseconds.min(LONGEST_MS)] += 1;
        self.all += 1;
    }

    /// How many times there are.
    pub(super) fn count(&self) -> u64 {
        self.all
    }

    /// How many times are longer than this.
    pub(super) fn longer_than(&self, milliseconds: usize) -> u64 {
        let longer = self.counts.iter().skip(milliseconds + 1);
        longer.map(|count| u64::from(*count)).sum()
    }

    /// The time, in milliseconds, that this share of them, from 0 to 1, does not exceed.
    pub(super) fn percentile(&self, share: f64) -> usize {
        let wanted = (share * self.all as f64).ceil() as u64;
        let mut passed = 0;
        for (milliseconds, count) in self.counts.iter().enumerate() {
            passed += u64::from(*count);
            if passed >= wanted.max(1) {
                return milliseconds;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_counted() {
        let mut times = Histogram::default();
        assert_eq!(times.percentile(0.5), 0, "of nothing");
        for milliseconds in 1..=100 {
            times.add(Duration::from_millis(milliseconds));
        }
        times.add(Duration::from_secs(3_600));
        assert_eq!(times.percentile(0.5), 51);
        assert_eq!(times.percentile(0.99), 100);
        assert_eq!(times.percentile(1.0), LONGEST_MS);
        assert_eq!((times.count(), times.longer_than(75)), (101, 26));
    }
}
