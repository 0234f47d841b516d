//! The monotonic clock of one process: an offset and a rate of its own. Reads no real clock.

use std::time::Duration;

use crate::placement::{lease::LeaseTerms, moment::Moment};

/// Simulated microseconds since the start of a run, which no process sees.
pub(crate) type Instant = u64;

pub(crate) const MILLI: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000 * MILLI;

/// A clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    offset: u64,
    /// How much faster than real time it goes, in millionths.
    rate: i64,
}

impl Clock {
    pub(crate) const fn new(offset: u64, rate: i64) -> Self {
        Self { offset, rate }
    }

    pub(crate) fn at(&self, instant: Instant) -> Moment {
        let gained = i128::from(instant) * i128::from(self.rate) / 1_000_000;
        let local = i128::from(self.offset) + i128::from(instant) + gained;
        Moment::from_micros(u64::try_from(local).unwrap_or(0))
    }

    /// The first instant at which the clock shows `moment` or later.
    pub(crate) fn reaches(&self, moment: Moment) -> Instant {
        let local = i128::from(moment.as_micros()) - i128::from(self.offset);
        let guess = local * 1_000_000 / (1_000_000 + i128::from(self.rate));
        let mut instant = Instant::try_from(guess.max(2) - 2).unwrap_or(0);
        while self.at(instant) < moment {
            instant += 1;
        }
        instant
    }
}

/// The part of the margin that a scheduling gap, and likewise the closing of a resource after the
/// end of a lease, may take, so that half of the margin is left for the clocks.
pub(crate) const GAP_SHARE: u32 = 5;

/// By how many millionths a clock may be wrong, if all of them may be and half of the margin is
/// left for that.
///
/// A worker acts until `sent + (ttl - margin) / w` of real time, where `w` is the rate of its
/// clock, and half a margin longer for what is late. The controller gives nothing away before
/// `sent + ttl / c`. With rates `c = 1 + x` and `w = 1 - x`, the first is not after the second when
/// `(ttl - margin) / (1 - x) <= (ttl - margin / 2) / (1 + x)`. (That half margin, counted by the
/// controller's clock, is `margin / 2 / (1 + x)` of real time, which two gaps of a fifth stay below.)
pub(crate) fn skew_max(terms: &LeaseTerms) -> i64 {
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).expect("a short time");
    let (worker, controller) = (
        micros(terms.held()),
        micros(terms.ttl() - terms.margin() / 2),
    );
    (controller - worker) * 1_000_000 / (controller + worker)
}
