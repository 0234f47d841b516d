//! How long things took: every single one is kept, so that no percentile is an estimate.

use std::fmt;

/// Delays, in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delays(Vec<u64>);

impl Delays {
    /// Adds one.
    pub(crate) fn add(&mut self, micros: u64) {
        self.0.push(micros);
    }

    /// Adds all of another.
    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The delay that so many of a thousand do not exceed, in microseconds; 0 when there is none.
    pub(crate) fn of_thousand(&self, share: usize) -> u64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * share).div_ceil(1000).saturating_sub(1);
        sorted.get(rank).copied().unwrap_or(0)
    }
}

impl fmt::Display for Delays {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |share| self.of_thousand(share) as f64 / 1000.0;
        write!(
            formatter,
            "p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, longest {:.2} ms ({} samples)",
            milliseconds(500),
            milliseconds(990),
            milliseconds(999),
            milliseconds(1000),
            self.count(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_delays() {
        let mut delays = Delays::default();
        assert_eq!(delays.of_thousand(990), 0);
        for micros in (1..=200).rev() {
            delays.add(micros);
        }
        assert_eq!(delays.of_thousand(500), 100);
        assert_eq!(delays.of_thousand(990), 198);
        assert_eq!(delays.of_thousand(1000), 200);
    }
}
