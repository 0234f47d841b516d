//! How long many answers took, and within which time a part of them came.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest time that is told apart from longer ones, in microseconds: an hour.
const MICROS_MAX: u64 = 3_600_000_000;

/// Times, kept with three digits.
#[derive(Clone, Debug)]
pub(crate) struct Times(Histogram<u64>);

impl Times {
    /// No time yet.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_max(MICROS_MAX, 3);
        Self(histogram.expect("three digits of an hour are allowed"))
    }

    /// Takes one in.
    pub(crate) fn record(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        // What is above the most that was given here would be counted as that.
        self.0.saturating_record(micros);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time within which that part of the answers came.
    pub(crate) fn within(&self, part: f64) -> Duration {
        Duration::from_micros(self.0.value_at_quantile(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_count_as_long() {
        let mut times = Times::new();
        for millis in 1..=100 {
            times.record(Duration::from_millis(millis));
        }
        times.record(Duration::from_secs(100_000));
        assert_eq!(times.count(), 101);
        let near = |part, millis: f64| {
            let found = times.within(part).as_secs_f64() * 1e3;
            assert!((found / millis - 1.0).abs() < 0.002, "{found}");
        };
        near(0.5, 51.0);
        near(0.99, 100.0);
        near(1.0, 3_600_000.0);
    }
}
