//! A session begins and ends, and with it what the controller is known to think of each holding.

use crate::{
    mutation::{self, Mutation},
    ownership::{
        Ownership, Stage,
        effect::Effect,
        holding::{LeaseEnd, Standing},
        kept_lease::KeptLease,
    },
    placement::{lease::LeaseTerms, moment::Moment},
};

impl Ownership {
    /// A lease that ended before, by the worker's own clock, has already taken every key with it,
    /// whatever the controller remembers.
    pub(super) fn welcomed(
        &mut self,
        now: Moment,
        resumed: bool,
        terms: LeaseTerms,
        hello_sent: Moment,
        outbox: &mut Vec<Effect>,
    ) {
        self.forget_session();
        let forgotten = !resumed && !mutation::is_active(Mutation::UnconfirmedKept);
        if forgotten && let Some(before) = &self.lease {
            self.put_on_probation(before.end());
        }
        self.lease = Some(KeptLease::new(terms, hello_sent, now));
        self.connected = true;
        for (key, epoch) in std::mem::take(&mut self.untold) {
            self.tell_released(key, epoch, outbox);
        }
        match self.stage {
            Stage::Serving => {}
            Stage::HandingOver { .. } | Stage::GivingBack => outbox.push(Effect::SendDraining),
            Stage::Left => outbox.push(Effect::SendGoodbye),
        }
    }

    /// The controller forgot this worker. What is held stays so only as long as the lease `before`,
    /// unless the controller grants it again: the new lease says nothing of it.
    fn put_on_probation(&mut self, before: LeaseEnd) {
        let granted = |standing| matches!(standing, Standing::Granted);
        let held: Vec<_> = self
            .table
            .all()
            .filter(|(_, holding)| granted(holding.standing))
            .map(|(id, _)| id)
            .collect();
        for id in held {
            self.table.change(id, |holding| {
                holding.standing = Standing::Unconfirmed(before)
            });
        }
    }

    /// Keys stay while the lease runs; what the session called them means nothing any more.
    pub(super) fn disconnected(&mut self) {
        self.connected = false;
        self.forget_session();
    }

    fn forget_session(&mut self) {
        self.table.forget_names();
        self.given_back.clear();
    }

    pub(super) fn acknowledged(&mut self, now: Moment, sequence: u64) {
        if let Some(lease) = &mut self.lease {
            lease.acknowledged(sequence, now);
            self.given_back.acknowledged(sequence);
        }
    }
}
