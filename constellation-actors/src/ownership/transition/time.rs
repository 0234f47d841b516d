//! What happens because time has passed.

use crate::{
    mutation::{self, Mutation},
    ownership::{
        Ownership,
        effect::{Effect, Urgency},
        holding::{HoldingId, Standing},
    },
    placement::moment::Moment,
};

impl Ownership {
    pub(in crate::ownership) fn pass_time(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        let unnoticed = mutation::is_active(Mutation::LeaseEndUnnoticed);
        if self.lease.is_some() && !self.has_lease(now) && !unnoticed {
            self.end_lease(now, outbox);
        }
        while let Some((deadline, id)) = self.table.next_deadline()
            && deadline <= now
        {
            self.due(now, id, outbox);
        }
        if self.renewal_due().is_some_and(|due| due <= now)
            && let Some(lease) = &mut self.lease
        {
            let sequence = lease.renew(now);
            outbox.push(Effect::SendHeartbeat { sequence });
        }
    }

    pub(in crate::ownership) fn renewal_due(&self) -> Option<Moment> {
        let lease = self.lease.as_ref().filter(|_| self.connected)?;
        Some(lease.renewal_due())
    }

    /// The lease is over, by the clock or by the controller's word: nothing may run, every key is
    /// lost, and the session with it. Does nothing without a lease.
    pub(super) fn end_lease(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        let Some(lease) = self.lease.take() else {
            return;
        };
        let close_by = lease.ended(now).close_by;
        let current = self.table.all_current();
        let keys = current.filter(|(_, holding)| !holding.is_lost()).count();
        let held = self.table.all().filter(|(_, holding)| !holding.is_lost());
        for id in held.map(|(id, _)| id).collect::<Vec<_>>() {
            self.lose(now, id, false, close_by, outbox);
        }
        // From now on every request is one of an unknown grant, and refused.
        self.table.forget_names();
        if self.connected {
            outbox.push(Effect::EndSession);
        }
        outbox.push(Effect::LeaseEnded { keys });
    }

    /// A holding's own deadline has come. Each case moves it on, so that none comes twice.
    fn due(&mut self, now: Moment, id: HoldingId, outbox: &mut Vec<Effect>) {
        let Some(holding) = self.table.get(id) else {
            return;
        };
        match holding.standing {
            Standing::Unconfirmed(end) if end.at <= now => {
                // The session goes on. If the controller has asked for the key, it believed the
                // hello, and counts this worker as the owner until it hears of the end.
                let awaited = holding.ending().is_some();
                self.lose(now, id, awaited, end.close_by, outbox);
            }
            Standing::Lost { close_by, .. } if close_by <= now => {
                self.press(id, Urgency::Abandon, outbox);
            }
            Standing::Granted | Standing::Unconfirmed(_) | Standing::Lost { .. } => {
                self.press(id, Urgency::AtOnce, outbox);
            }
        }
    }
}
