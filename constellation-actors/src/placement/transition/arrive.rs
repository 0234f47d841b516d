//! A worker comes in: a new life, or the same one over a new connection.

use super::super::{
    Placement,
    effect::{Dismissal, Effect, Revocation},
    epoch::Epoch,
    history::Ending,
    holder::{HolderId, SessionId},
    input::Arrival,
    key::ResourceKey,
    moment::Moment,
};
use crate::mutation::{self, Mutation};

impl Placement {
    pub(super) fn arrived(&mut self, now: Moment, arrival: Arrival, outbox: &mut Vec<Effect>) {
        let session = arrival.session;
        let known = self
            .roster
            .by_incarnation(arrival.worker, arrival.incarnation);
        if known
            .and_then(|id| self.roster.get(id))
            .is_some_and(|holder| holder.given_up)
        {
            // It begins anew once the lease of this life is over.
            let reason = Dismissal::Unyielding;
            return outbox.push(Effect::Dismiss { session, reason });
        }
        let id = match known {
            Some(id) => self.resume(now, id, &arrival, outbox),
            None => self.roster.enter(now, &arrival, &self.rules),
        };
        let barred = self.cordoned.contains(&arrival.worker);
        let floor = self.grace_until;
        self.roster.update(id, &self.rules, |holder| {
            holder.barred = barred;
            if known.is_none() {
                // It may keep a lease of an earlier life until it has heard the welcome.
                holder.lease_floor = floor.unwrap_or(Moment::ZERO);
            }
        });
        outbox.push(Effect::Welcome {
            session,
            holder: id,
            resumed: known.is_some(),
        });
        if known.is_none() {
            outbox.push(Effect::Open { holder: id });
        }
        if known.is_some() {
            self.go_on_leaving(id, session, &arrival.holding, outbox);
        }
        for (key, epoch) in arrival.holding {
            self.compare(id, session, key, epoch, outbox);
        }
        if known.is_some() {
            self.revive(id, session, outbox);
            self.continue_drain(id, outbox);
        }
    }

    /// The same life over a new connection: the newer one wins.
    fn resume(
        &mut self,
        now: Moment,
        id: HolderId,
        arrival: &Arrival,
        outbox: &mut Vec<Effect>,
    ) -> HolderId {
        let older = self
            .roster
            .get(id)
            .and_then(|holder| holder.standing().session());
        if let Some(older) = older {
            outbox.push(Effect::Dismiss {
                session: older,
                reason: Dismissal::Superseded,
            });
        }
        // Through `Suspended`, so that the new session always opens the holder anew.
        self.hold_back(id, super::Standing::Suspended, outbox);
        self.roster.update(id, &self.rules, |holder| {
            holder.heard = now;
            holder.probed = now;
            holder.cordoned = false;
            // What an earlier life of the controller knew of it is its id and incarnation alone.
            holder.profile = arrival.profile.clone();
            holder.assurance = arrival.assurance;
            if !holder.barred {
                holder.drain = None;
            }
        });
        id
    }

    /// Checks one key that a worker says it holds; after a start without memory, believes it.
    fn compare(
        &mut self,
        id: HolderId,
        session: SessionId,
        key: ResourceKey,
        epoch: Epoch,
        outbox: &mut Vec<Effect>,
    ) {
        let pin = self.pin(&key);
        let unchecked = mutation::is_active(Mutation::EpochOfHoldingUnchecked);
        if pin.is_some_and(|pin| pin.holder == id && pin.epoch == epoch) {
            return;
        }
        let of_an_earlier_life = self.grace_until.is_some() && epoch < self.first_epoch;
        let newest = pin.is_none_or(|pin| pin.epoch < epoch);
        let has_room = self.pins.len() < self.rules.keys_max;
        let misplaced = self.rules.key_rules.is_misplaced(&key);
        let believed = of_an_earlier_life && newest || unchecked;
        if !(believed && has_room) || misplaced {
            outbox.push(Effect::Revoke {
                session,
                key,
                epoch,
                reason: Revocation::Stale,
            });
            return;
        }
        if let Some(older) = pin {
            self.handovers.remove(&key);
            self.misplaced.remove(&key);
            self.record(&key, older, Ending::Superseded);
            self.unpin(&key, older, outbox);
            let other = self
                .roster
                .get(older.holder)
                .and_then(|other| other.standing().session());
            if let Some(session) = other {
                let (key, epoch) = (key.clone(), older.epoch);
                outbox.push(Effect::Revoke {
                    session,
                    key,
                    epoch,
                    reason: Revocation::Stale,
                });
            }
        }
        self.claim(key, id, epoch, outbox);
    }
}
