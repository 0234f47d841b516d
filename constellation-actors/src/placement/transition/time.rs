//! Time passes: workers turn silent, get probes, lose their leases; the grace ends.

use super::super::{
    Placement,
    effect::{Dismissal, Effect, End},
    handover::Patience,
    holder::{HolderId, Standing},
    moment::Moment,
    worker::Assurance,
};
use crate::mutation::{self, Mutation};

impl Placement {
    /// Handles every deadline that is over by `now`.
    pub(in super::super) fn pass_time(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        while let Some(id) = self.roster.due(now) {
            self.deadline(now, id, outbox);
        }
        if self.grace_until.is_some_and(|until| until <= now) {
            self.grace_until = None;
            self.end_barrier(outbox);
        }
        if self.lease_settles.is_some_and(|settles| settles <= now) {
            self.lease_settles = None;
            outbox.push(Effect::NoteLease);
        }
        // An owner that does not even answer that it is none has a lease more, at the least.
        let more = self.rules.handover_patience.max(self.rules.ttl());
        while let Some((key, patience)) = self.handovers.take_due(now, more) {
            match patience {
                Patience::Orderly => self.hurry_handover(&key, outbox),
                Patience::Hurried => self.give_up_owner(&key, outbox),
            }
        }
        self.look_for_idle_keys(now, outbox);
        if self.rebalancer.take_due(now, &self.rules.balance) {
            self.rebalance(now, outbox);
        }
    }

    fn deadline(&mut self, now: Moment, id: HolderId, outbox: &mut Vec<Effect>) {
        let Some(holder) = self.roster.get(id) else {
            return;
        };
        let standing = holder.standing;
        let kept = mutation::is_active(Mutation::SuspendedForEver) && standing.session().is_none();
        if holder.lease_end(&self.rules) <= now && kept {
            self.roster
                .update(id, &self.rules, |holder| holder.heard = now);
            return;
        }
        if holder.lease_end(&self.rules) <= now {
            if let Some(session) = standing.session() {
                outbox.push(Effect::Dismiss {
                    session,
                    reason: Dismissal::LeaseEnded,
                });
            }
            return self.end(id, End::LeaseEnded, outbox);
        }
        match (holder.assurance, standing) {
            (Assurance::BestEffort, Standing::Live { session } | Standing::Silent { session }) => {
                if holder.heard + self.rules.patience() <= now {
                    self.hold_back(id, Standing::Silent { session }, outbox);
                }
                self.roster
                    .update(id, &self.rules, |holder| holder.probed = now);
                outbox.push(Effect::Probe { session });
            }
            (Assurance::Leased, Standing::Live { session }) => {
                self.hold_back(id, Standing::Silent { session }, outbox);
            }
            (Assurance::Leased, Standing::Silent { .. }) | (_, Standing::Suspended) => {
                unreachable!("nothing but the end of its lease is due for such a holder")
            }
        }
    }
}
