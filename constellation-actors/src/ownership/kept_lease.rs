//! The lease that a worker keeps, and when its next renewal is due. What its end means is decided
//! by the transitions.

use super::holding::LeaseEnd;
use crate::{
    mutation::{self, Mutation},
    placement::{
        lease::{LeaseTerms, SelfLease},
        moment::Moment,
    },
};

/// A lease and its renewals over the session that began it.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Hash))]
pub(super) struct KeptLease {
    lease: SelfLease,
    renewal_due: Moment,
    last_renewal: u64,
}

impl KeptLease {
    /// The lease of a welcome that came at `now`.
    ///
    /// The terms are the welcome's, even where the lease before ran longer: the controller counts
    /// by them from now on.
    pub(super) fn new(terms: LeaseTerms, hello_sent: Moment, now: Moment) -> Self {
        Self {
            renewal_due: now + terms.interval(),
            lease: SelfLease::new(terms, hello_sent),
            last_renewal: 0,
        }
    }

    pub(super) fn holds(&self, now: Moment) -> bool {
        self.lease.holds(now)
    }

    /// Its end, unless it is renewed, and what follows from that.
    pub(super) fn end(&self) -> LeaseEnd {
        let at = self.lease.end();
        LeaseEnd {
            at,
            close_by: at + self.lease.terms().margin(),
        }
    }

    /// Its end, if it is over at `now` already, because the controller says so.
    pub(super) fn ended(&self, now: Moment) -> LeaseEnd {
        let at = self.lease.end().min(now);
        LeaseEnd {
            at,
            close_by: at + self.lease.terms().margin(),
        }
    }

    pub(super) fn renewal_due(&self) -> Moment {
        self.renewal_due
    }

    /// The renewal that follows the last one that was sent.
    pub(super) fn next_renewal(&self) -> u64 {
        self.last_renewal + 1
    }

    /// The next renewal, about to be sent at `now`. After a pause of the process the missed ones
    /// are not made up for.
    pub(super) fn renew(&mut self, now: Moment) -> u64 {
        self.last_renewal += 1;
        self.lease.sent(self.last_renewal, now);
        let interval = self.lease.terms().interval();
        let in_time = self.renewal_due + interval;
        self.renewal_due = if in_time > now {
            in_time
        } else {
            now + interval
        };
        self.last_renewal
    }

    pub(super) fn acknowledged(&mut self, sequence: u64, now: Moment) {
        if mutation::is_active(Mutation::LeaseFromAcknowledgement) {
            self.lease.extend(now);
        }
        self.lease.acknowledged(sequence);
    }
}
