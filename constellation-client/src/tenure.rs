//! Whether a grant is still in force, asked from any thread. It decides nothing: the ownership tells
//! it how long each holding may be acted for, and it compares that with the clock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use constellation_actors::placement::moment::Moment;
use tokio::sync::Notify;

use crate::clock::SharedClock;

/// The end of a lease, as all its holdings see it: microseconds by the worker's clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedEnd(Arc<AtomicU64>);

impl SharedEnd {
    /// The lease ends at `end`; it is over when there is none.
    pub(crate) fn set(&self, end: Option<Moment>) {
        let micros = end.map_or(0, Moment::as_micros);
        self.0.store(micros, Ordering::Release);
    }

    fn is_over(&self, now: Moment) -> bool {
        now.as_micros() >= self.0.load(Ordering::Acquire)
    }
}

/// How long one holding may be acted for: as long as the lease, and no longer than its own bound.
#[derive(Debug)]
pub(crate) struct Tenure {
    clock: SharedClock,
    lease: SharedEnd,
    bound: AtomicU64,
    leaving: AtomicBool,
    changed: Notify,
}

impl Tenure {
    pub(crate) fn new(clock: SharedClock, lease: SharedEnd) -> Arc<Self> {
        Arc::new(Self {
            clock,
            lease,
            bound: AtomicU64::new(u64::MAX),
            leaving: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    /// It may be acted for until `bound`, whatever the lease says; not at all when there is none.
    pub(crate) fn set_bound(&self, bound: Option<Moment>) {
        let micros = bound.map_or(0, Moment::as_micros);
        self.bound.store(micros, Ordering::Release);
    }

    /// Its key is being given back.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Waits until its key is being given back.
    pub(crate) async fn leaving(&self) {
        // Made before the look, so that a change between look and wait is not missed.
        let changed = self.changed.notified();
        if !self.leaving.load(Ordering::Acquire) {
            changed.await;
        }
    }

    /// Whether it may be acted for now.
    pub(crate) fn holds(&self) -> bool {
        let now = self.clock.now();
        !self.lease.is_over(now) && now.as_micros() < self.bound.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_tenure_ends_with_the_lease_or_at_its_bound_whichever_comes_first() {
        let manual = ManualClock::new();
        let lease = SharedEnd::default();
        let tenure = Tenure::new(manual.clock().shared(), lease.clone());
        assert!(!tenure.holds(), "there is no lease");
        lease.set(Some(Moment::ZERO + Duration::from_secs(5)));
        assert!(tenure.holds());
        tenure.set_bound(Some(Moment::ZERO + Duration::from_secs(2)));
        manual.advance(Duration::from_secs(2));
        assert!(!tenure.holds());
        tenure.set_bound(Some(Moment::from_micros(u64::MAX)));
        assert!(tenure.holds());
        manual.advance(Duration::from_secs(3));
        assert!(!tenure.holds());
        lease.set(Some(Moment::ZERO + Duration::from_secs(10)));
        tenure.set_bound(None);
        assert!(!tenure.holds(), "withdrawn");
    }
}
