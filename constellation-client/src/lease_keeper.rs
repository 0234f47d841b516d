//! Keeps the lease that one controller gives: renews it, notices its end, and answers whether it
//! runs. What ends with it is for the domain to do.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use constellation_actors::{
    placement::{
        lease::{LeaseTerms, SelfLease},
        moment::Moment,
    },
    protocol::frame::encode,
};
use futures::future::select;
use tokio::sync::Notify;

use crate::{clock::Clock, domain::Domain, session::Session};

/// The lease of one controller, as long as there is one.
#[derive(Debug)]
pub(crate) struct LeaseKeeper {
    clock: Clock,
    lease: RefCell<Option<SelfLease>>,
    /// Of the latest lease, also when that is over.
    margin: Cell<Duration>,
    begun: Notify,
}

/// What an acknowledgement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// The lease runs on.
    Runs,
    /// It came after the lease's end, which it cannot undo.
    TooLate,
}

impl LeaseKeeper {
    pub(crate) fn new(clock: Clock) -> Self {
        let margin = Cell::new(Duration::ZERO);
        Self {
            clock,
            lease: RefCell::new(None),
            margin,
            begun: Notify::new(),
        }
    }

    /// A welcome began the lease anew, counted from when the hello was sent.
    ///
    /// The terms are the welcome's, even where the lease before ran longer: the controller counts
    /// by them from now on.
    pub(crate) fn begin(&self, terms: LeaseTerms, hello_sent: Moment) {
        self.margin.set(terms.margin());
        *self.lease.borrow_mut() = Some(SelfLease::new(terms, hello_sent));
        self.begun.notify_one();
    }

    /// Whether the worker may act now.
    pub(crate) fn holds(&self) -> bool {
        self.lease
            .borrow()
            .as_ref()
            .is_some_and(|lease| lease.holds(self.clock.now()))
    }

    /// The first moment at which it may not, unless it is renewed; `None` without a lease.
    pub(crate) fn end(&self) -> Option<Moment> {
        self.lease.borrow().as_ref().map(SelfLease::end)
    }

    /// How much longer the worker may act; `None` when it may not.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.end()?.saturating_since(self.clock.now());
        (!left.is_zero()).then_some(left)
    }

    /// How long after the lease's end another worker may own the keys at the earliest.
    pub(crate) fn margin(&self) -> Duration {
        self.margin.get()
    }

    pub(crate) fn acknowledged(&self, sequence: u64) -> Acknowledged {
        if !self.holds() {
            return Acknowledged::TooLate;
        }
        if let Some(lease) = &mut *self.lease.borrow_mut() {
            lease.acknowledged(sequence);
        }
        Acknowledged::Runs
    }

    /// The lease is over.
    pub(crate) fn forget(&self) {
        *self.lease.borrow_mut() = None;
    }

    fn interval(&self) -> Option<Duration> {
        self.lease
            .borrow()
            .as_ref()
            .map(|lease| lease.terms().interval())
    }

    fn sent(&self, sequence: u64) {
        if let Some(lease) = &mut *self.lease.borrow_mut() {
            lease.sent(sequence, self.clock.now());
        }
    }

    /// Waits for the end of the lease, through all its renewals. Without one, for the next.
    async fn ended(&self) {
        loop {
            let begun = self.begun.notified();
            match self.end() {
                None => begun.await,
                Some(_) if !self.holds() => return,
                // A lease that begins anew may be shorter than the one before.
                Some(end) => {
                    select(pin!(begun), pin!(self.clock.sleep_until(end))).await;
                }
            }
        }
    }
}

/// Ends whatever depends on the lease, each time it ends. Runs as long as the worker.
pub(crate) async fn watch(domain: Rc<Domain>) {
    loop {
        domain.lease().ended().await;
        domain.end_lease();
    }
}

/// Renews the lease over `session`, until there is no lease to renew.
pub(crate) async fn renew(domain: &Domain, session: &Session) {
    let lease = domain.lease();
    let mut due = lease.clock.now();
    let mut sequence = 0;
    while let Some(interval) = lease.interval() {
        // After a pause of the process the missed renewals are not made up for.
        due = (due + interval).max(lease.clock.now());
        lease.clock.sleep_until(due).await;
        if !lease.holds() {
            return;
        }
        sequence += 1;
        lease.sent(sequence);
        session.control(|buffer| encode::heartbeat(buffer, sequence));
    }
}

#[cfg(test)]
mod tests {
    use std::task::Context;

    use futures::{FutureExt, task::noop_waker_ref};

    use super::*;
    use crate::clock::ManualClock;

    const SECOND: Duration = Duration::from_secs(1);

    fn keeper() -> (ManualClock, LeaseKeeper) {
        let manual = ManualClock::new();
        let keeper = LeaseKeeper::new(manual.clock());
        let terms = LeaseTerms::new(6 * SECOND, 2 * SECOND).unwrap();
        keeper.begin(terms, Moment::ZERO);
        (manual, keeper)
    }

    #[test]
    fn an_acknowledgement_after_the_end_does_not_bring_a_lease_back() {
        let (manual, keeper) = keeper();
        keeper.sent(1);
        manual.advance(Duration::from_millis(5_250));
        assert!(!keeper.holds());
        assert_eq!(keeper.acknowledged(1), Acknowledged::TooLate);
        assert!(!keeper.holds());
    }

    #[test]
    fn the_end_is_told_at_the_end_and_not_before() {
        let (manual, keeper) = keeper();
        manual.advance(2 * SECOND);
        keeper.sent(1);
        assert_eq!(keeper.acknowledged(1), Acknowledged::Runs);
        manual.advance(4 * SECOND);
        assert!(
            keeper.ended().now_or_never().is_none(),
            "renewed until 7.25 s"
        );
        manual.advance(Duration::from_millis(1_250));
        assert!(keeper.ended().now_or_never().is_some());
    }

    #[test]
    fn a_lease_that_begins_anew_and_shorter_ends_at_its_own_end() {
        let (manual, keeper) = keeper();
        let mut ended = pin!(keeper.ended());
        let mut context = Context::from_waker(noop_waker_ref());
        assert!(ended.as_mut().poll(&mut context).is_pending());
        let terms = LeaseTerms::new(2 * SECOND, SECOND / 2).unwrap();
        keeper.begin(terms, Moment::ZERO);
        assert!(ended.as_mut().poll(&mut context).is_pending());
        manual.advance(2 * SECOND);
        assert!(ended.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn a_worker_without_a_lease_may_not_act() {
        let keeper = LeaseKeeper::new(ManualClock::new().clock());
        assert!(!keeper.holds());
        assert_eq!(keeper.left(), None);
    }
}
