//! The clock that every process of this machine shares: its monotonic time. The only reader of a
//! clock here; the times of two processes can be compared, and no wall clock is ever read.

use std::{fmt, num::ParseIntError, str::FromStr, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// A moment of the machine's monotonic clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(u64);

impl Moment {
    /// The end of time: for what has not ended.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The moment after so many nanoseconds.
    #[cfg(test)]
    pub(crate) const fn at(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// How much later this is than `earlier`; zero when it is not.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// So much later.
    pub(crate) fn after(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Moment {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// Now.
pub(crate) fn now() -> Moment {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    Moment(seconds * 1_000_000_000 + nanoseconds)
}
