//! The arithmetic of leases: their terms, which both sides share, and the worker's view.
//!
//! Each side counts with its own clock: the controller from the moment it *handled* a renewal, the
//! worker from the moment it *sent* it, and the worker takes a margin off its end. So the worker's
//! view always ends first (C. Gray and D. Cheriton, "Leases", 1989). Nothing here reads a clock or
//! decides what happens at an end.

use std::{collections::VecDeque, time::Duration};

use super::moment::Moment;
use crate::mutation::{self, Mutation};

/// The least margin, whatever the length of the lease.
pub const MARGIN_MIN: Duration = Duration::from_millis(250);

/// What part of the lease the margin is, by default: an eighth.
const MARGIN_SHARE: u32 = 8;

/// The most renewals a worker remembers while it waits for their acknowledgements. With three to
/// a lease only the latest few can still extend it.
const OUTSTANDING_MAX: usize = 64;

/// How long a lease runs, how much of it the worker leaves unused, and how often it is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct LeaseTerms {
    ttl: Duration,
    margin: Duration,
    interval: Duration,
}

/// Why three durations are not terms of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// The worker would never hold it.
    #[error("a lease of {ttl:?} leaves nothing beside a margin of {margin:?}")]
    MarginTooLong {
        /// The length of the lease.
        ttl: Duration,
        /// The margin.
        margin: Duration,
    },
    /// It would end before its first renewal is due.
    #[error("renewing every {interval:?} cannot keep a lease that a worker holds for {held:?}")]
    IntervalTooLong {
        /// The time between renewals.
        interval: Duration,
        /// The length of the lease without the margin.
        held: Duration,
    },
    /// Renewals would follow each other without a pause.
    #[error("the interval between renewals is zero")]
    NoInterval,
}

impl LeaseTerms {
    /// Terms with the default margin: an eighth of `ttl`, at least [`MARGIN_MIN`].
    ///
    /// # Errors
    ///
    /// When `ttl` is not longer than that margin, or `interval` is zero or not shorter than what
    /// is left of `ttl`.
    pub fn new(ttl: Duration, interval: Duration) -> Result<Self, TermsError> {
        Self::with_margin(ttl, (ttl / MARGIN_SHARE).max(MARGIN_MIN), interval)
    }

    /// Terms with a margin that somebody else chose, as a worker reads them from its welcome.
    ///
    /// # Errors
    ///
    /// When `ttl` is not longer than `margin`, or `interval` is zero or not shorter than
    /// `ttl - margin`.
    pub fn with_margin(
        ttl: Duration,
        margin: Duration,
        interval: Duration,
    ) -> Result<Self, TermsError> {
        let held = ttl.saturating_sub(margin);
        if held.is_zero() {
            return Err(TermsError::MarginTooLong { ttl, margin });
        }
        if interval.is_zero() {
            return Err(TermsError::NoInterval);
        }
        if interval >= held {
            return Err(TermsError::IntervalTooLong { interval, held });
        }
        Ok(Self {
            ttl,
            margin,
            interval,
        })
    }

    /// The length of the lease as the controller counts it.
    #[must_use]
    pub const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// How much earlier than that the worker stops acting.
    #[must_use]
    pub const fn margin(&self) -> Duration {
        self.margin
    }

    /// How often the worker renews it.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// The length of the lease as the worker counts it: `ttl - margin`.
    #[must_use]
    pub const fn held(&self) -> Duration {
        self.ttl.saturating_sub(self.margin)
    }
}

/// A lease as the worker sees it: it acts only before `sent + ttl - margin`, where `sent` is when
/// it sent the latest renewal that was acknowledged.
///
/// * Getters: [`end`](Self::end), [`holds`](Self::holds), [`terms`](Self::terms).
/// * Changes: [`sent`](Self::sent), [`acknowledged`](Self::acknowledged).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct SelfLease {
    terms: LeaseTerms,
    end: Moment,
    /// Renewals that are not acknowledged yet, by rising sequence and rising time.
    outstanding: VecDeque<(u64, Moment)>,
    last_sent: u64,
}

impl SelfLease {
    /// The lease that a welcome gives. The hello, sent at `hello_sent`, counts as renewal number
    /// zero and is hereby acknowledged.
    #[must_use]
    pub fn new(terms: LeaseTerms, hello_sent: Moment) -> Self {
        let end = hello_sent + counted(&terms);
        Self {
            terms,
            end,
            outstanding: VecDeque::new(),
            last_sent: 0,
        }
    }

    /// The terms it runs under.
    #[must_use]
    pub const fn terms(&self) -> &LeaseTerms {
        &self.terms
    }

    /// Renewal `sequence` is about to be sent at `now`.
    ///
    /// A sequence that is not higher than the one before is not remembered, so its
    /// acknowledgement extends nothing. The oldest of too many outstanding ones is forgotten.
    pub fn sent(&mut self, sequence: u64, now: Moment) {
        if sequence <= self.last_sent {
            return;
        }
        self.last_sent = sequence;
        if self.outstanding.len() == OUTSTANDING_MAX {
            self.outstanding.pop_front();
        }
        self.outstanding.push_back((sequence, now));
    }

    /// The controller acknowledged renewal `sequence`; tells whether that extended the lease.
    ///
    /// An acknowledgement of a renewal that was never sent, or is acknowledged already, extends
    /// nothing. One of a later renewal settles all earlier ones, whose own acknowledgements then
    /// come too late to matter. Never moves the end back.
    pub fn acknowledged(&mut self, sequence: u64) -> bool {
        let Ok(at) = self
            .outstanding
            .binary_search_by_key(&sequence, |&(sent, _)| sent)
        else {
            return false;
        };
        let (_, sent) = self.outstanding[at];
        self.outstanding.drain(..=at);
        self.extend(sent)
    }

    /// Lets the lease run from `sent`; tells whether that extended it.
    pub(crate) fn extend(&mut self, sent: Moment) -> bool {
        let end = sent + counted(&self.terms);
        let extended = end > self.end;
        self.end = self.end.max(end);
        extended
    }

    /// The first moment at which the worker must no longer act.
    #[must_use]
    pub const fn end(&self) -> Moment {
        self.end
    }

    /// Whether the worker may act at `now`.
    #[must_use]
    pub fn holds(&self, now: Moment) -> bool {
        now < self.end
    }
}

/// How long the worker acts after it sent a renewal that was acknowledged.
fn counted(terms: &LeaseTerms) -> Duration {
    if mutation::is_active(Mutation::NoMargin) {
        return terms.ttl;
    }
    terms.held()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(millis)
    }

    fn terms() -> LeaseTerms {
        LeaseTerms::new(6 * SECOND, 2 * SECOND).unwrap()
    }

    fn ends(lease: &SelfLease) -> u64 {
        lease.end().as_micros() / 1000
    }

    #[test]
    fn the_margin_is_an_eighth_and_never_less_than_a_quarter_second() {
        assert_eq!(terms().margin(), Duration::from_millis(750));
        let short = LeaseTerms::new(SECOND, SECOND / 4).unwrap();
        assert_eq!(short.margin(), MARGIN_MIN);
        assert_eq!(short.held(), SECOND * 3 / 4);
    }

    #[test]
    fn terms_that_cannot_be_kept_are_refused() {
        let millis = Duration::from_millis;
        assert_eq!(
            LeaseTerms::new(millis(250), millis(10)),
            Err(TermsError::MarginTooLong {
                ttl: millis(250),
                margin: millis(250)
            })
        );
        assert_eq!(
            LeaseTerms::new(SECOND, millis(750)),
            Err(TermsError::IntervalTooLong {
                interval: millis(750),
                held: millis(750)
            })
        );
        assert!(LeaseTerms::new(SECOND, millis(749)).is_ok());
        assert_eq!(
            LeaseTerms::new(SECOND, Duration::ZERO),
            Err(TermsError::NoInterval)
        );
        assert!(LeaseTerms::with_margin(SECOND, 2 * SECOND, millis(1)).is_err());
    }

    #[test]
    fn the_worker_counts_from_the_moment_it_sent() {
        let mut lease = SelfLease::new(terms(), at(100));
        assert!(lease.holds(at(5_349)));
        assert!(!lease.holds(at(5_350)));
        lease.sent(1, at(2_000));
        assert_eq!(ends(&lease), 5_350, "sending alone extends nothing");
        assert!(lease.acknowledged(1));
        assert_eq!(ends(&lease), 7_250);
    }

    #[test]
    fn the_workers_view_ends_first_whatever_the_way_takes() {
        for way in [0, 1, 300, 5_000, 60_000] {
            let mut worker = SelfLease::new(terms(), at(0));
            worker.sent(1, at(1_000));
            let handled = at(1_000 + way);
            worker.acknowledged(1);
            assert!(worker.end() + terms().margin() <= handled + terms().ttl());
        }
    }

    #[test]
    fn an_acknowledgement_of_something_never_sent_extends_nothing() {
        let mut lease = SelfLease::new(terms(), at(0));
        lease.sent(1, at(1_000));
        assert!(!lease.acknowledged(2));
        assert!(!lease.acknowledged(0));
        assert!(!lease.acknowledged(u64::MAX));
        assert_eq!(ends(&lease), 5_250);
    }

    #[test]
    fn acknowledgements_twice_or_out_of_order_extend_by_their_own_sending_only() {
        let mut lease = SelfLease::new(terms(), at(0));
        for sequence in 1..=3 {
            lease.sent(sequence, at(1_000 * sequence));
        }
        assert!(lease.acknowledged(2));
        assert_eq!(ends(&lease), 7_250);
        assert!(!lease.acknowledged(1), "settled by the later one");
        assert!(!lease.acknowledged(2), "twice");
        assert_eq!(ends(&lease), 7_250);
        assert!(lease.acknowledged(3));
        assert_eq!(ends(&lease), 8_250);
    }

    #[test]
    fn a_sequence_that_does_not_rise_is_not_a_renewal() {
        let mut lease = SelfLease::new(terms(), at(0));
        lease.sent(5, at(1_000));
        lease.sent(5, at(4_000));
        lease.sent(4, at(4_000));
        assert!(!lease.acknowledged(4));
        assert!(lease.acknowledged(5));
        assert_eq!(ends(&lease), 6_250, "counted from the first sending");
    }

    #[test]
    fn unanswered_renewals_take_bounded_memory() {
        let mut lease = SelfLease::new(terms(), at(0));
        for sequence in 1..=10_000 {
            lease.sent(sequence, at(sequence));
        }
        assert_eq!(lease.outstanding.len(), OUTSTANDING_MAX);
        assert!(!lease.acknowledged(1), "forgotten");
        assert!(lease.acknowledged(10_000));
        assert!(lease.outstanding.is_empty());
    }
}
