//! A key leaves its owner by plan: frozen, let go, confirmed, and given to the next.

use super::super::{
    Placement,
    effect::{Dismissal, Effect, Revocation},
    epoch::Epoch,
    handover::{Cause, Handover, Next, Patience},
    history::{Ending, Past},
    holder::{Drain, HolderId, SessionId, Standing},
    key::ResourceKey,
    moment::Moment,
    pin::{Pin, Stage},
    worker::Assurance,
};
use crate::mutation::{self, Mutation};

impl Placement {
    /// Asks the owner of a held `key` to let it go. Requests wait from now on.
    pub(super) fn begin_handover(
        &mut self,
        key: &ResourceKey,
        cause: Cause,
        next: Next,
        outbox: &mut Vec<Effect>,
    ) {
        let Some(pin) = self.pins.enter(key, Stage::Leaving) else {
            return;
        };
        let handover = Handover {
            cause,
            next,
            patience: Patience::Orderly,
            deadline: Some(self.now + self.rules.handover_patience),
        };
        self.handovers.insert(key.clone(), handover);
        let epoch = pin.epoch;
        outbox.push(Effect::Freeze {
            key: key.clone(),
            epoch,
        });
        self.roster.update(pin.holder, &self.rules, |holder| {
            holder.leaving.insert(key.clone());
        });
        self.ask_to_let_go(key, pin, cause.revocation(), outbox);
        if mutation::is_active(Mutation::ReleaseNotAwaited) {
            self.finish_planned_handover(key, outbox);
        }
    }

    /// A worker without a lease does not say when it has let a key go: its requests are watched.
    fn ask_to_let_go(
        &self,
        key: &ResourceKey,
        pin: Pin,
        reason: Revocation,
        outbox: &mut Vec<Effect>,
    ) {
        let Some(holder) = self.roster.get(pin.holder) else {
            return;
        };
        let (key, epoch) = (key.clone(), pin.epoch);
        match (holder.assurance, holder.standing.session()) {
            (Assurance::BestEffort, _) => outbox.push(Effect::AwaitQuiet { key, epoch }),
            (Assurance::Leased, Some(session)) => outbox.push(Effect::Revoke {
                session,
                key,
                epoch,
                reason,
            }),
            // It is asked when it comes back, unless its lease ends before.
            (Assurance::Leased, None) => {}
        }
    }

    /// The owner of `key` has had its time to let it go in order.
    pub(super) fn hurry_handover(&mut self, key: &ResourceKey, outbox: &mut Vec<Effect>) {
        let Some(pin) = self.pins.get(key) else {
            return;
        };
        match self.roster.get(pin.holder).map(|holder| holder.assurance) {
            Some(Assurance::Leased) => self.ask_to_let_go(key, pin, Revocation::Stale, outbox),
            Some(Assurance::BestEffort) | None => self.finish_planned_handover(key, outbox),
        }
    }

    /// The owner of `key` was told that it owns it no longer, has had its time again, and has not
    /// said a word. It is given up: it gets no renewal any more, and with its lease its keys are free.
    pub(super) fn give_up_owner(&mut self, key: &ResourceKey, outbox: &mut Vec<Effect>) {
        let Some(id) = self.pins.get(key).map(|pin| pin.holder) else {
            return;
        };
        let session = self.roster.update(id, &self.rules, |holder| {
            holder.given_up = true;
            holder.standing.session()
        });
        if let Some(session) = session.flatten() {
            outbox.push(Effect::Dismiss {
                session,
                reason: Dismissal::Unyielding,
            });
            self.hold_back(id, Standing::Silent { session }, outbox);
        }
    }

    /// No request is under way any more for a frozen key.
    pub(super) fn quiet(&mut self, key: &ResourceKey, epoch: Epoch, outbox: &mut Vec<Effect>) {
        let leaving = |pin: &Pin| pin.epoch == epoch && pin.stage == Stage::Leaving;
        if self.pins.get(key).filter(leaving).is_some() {
            self.finish_planned_handover(key, outbox);
        }
    }

    /// A holder came back. It is asked anew for the keys that it was asked to let go, those too
    /// that it does not say it `holds`: what it lost with its own lease, a little before that ends
    /// here, it no longer names and may not have closed. It answers at once for what is closed.
    pub(super) fn go_on_leaving(
        &mut self,
        id: HolderId,
        session: SessionId,
        holds: &[(ResourceKey, Epoch)],
        outbox: &mut Vec<Effect>,
    ) {
        let Some(holder) = self.roster.get(id) else {
            return;
        };
        for key in holder.leaving.clone() {
            let Some(pin) = self.pins.get(&key) else {
                continue;
            };
            let Some(handover) = self.handovers.get(&key).copied() else {
                continue;
            };
            let unnamed = !holds.contains(&(key.clone(), pin.epoch));
            if unnamed && mutation::is_active(Mutation::UnnamedIsReleased) {
                self.finish_planned_handover(&key, outbox);
                continue;
            }
            let reason = match handover.patience {
                Patience::Orderly => handover.cause.revocation(),
                Patience::Hurried => Revocation::Stale,
            };
            outbox.push(Effect::Revoke {
                session,
                key,
                epoch: pin.epoch,
                reason,
            });
        }
    }

    /// The owner of `key` has let it go.
    pub(super) fn finish_planned_handover(&mut self, key: &ResourceKey, outbox: &mut Vec<Effect>) {
        if let Some(handover) = self.handovers.get(key) {
            let ending = handover.cause.ending();
            self.finish_handover(key, ending, outbox);
        }
    }

    /// The owner of `key` has let it go, or is gone, as `ending` says: whoever is next gets it.
    pub(super) fn finish_handover(
        &mut self,
        key: &ResourceKey,
        ending: Ending,
        outbox: &mut Vec<Effect>,
    ) {
        let Some(handover) = self.handovers.remove(key) else {
            return;
        };
        let Some(pin) = self.pins.get(key) else {
            return;
        };
        self.record(key, pin, ending);
        self.unpin(key, pin, outbox);
        self.roster.update(pin.holder, &self.rules, |holder| {
            holder.awaited.remove(key);
        });
        match self.next_owner(key, handover.next, pin.holder) {
            Some(next) => {
                self.rebalancer.moved(self.now, key.clone());
                let epoch = self.raise_epoch();
                self.claim(key.clone(), next, epoch, outbox);
            }
            None => outbox.push(Effect::Forget {
                key: key.clone(),
                epoch: pin.epoch,
            }),
        }
        self.settle(key, outbox);
        if self.misplaced.remove(key) {
            self.end_barrier(outbox);
        }
        self.continue_drain(pin.holder, outbox);
    }

    fn next_owner(&self, key: &str, next: Next, from: HolderId) -> Option<HolderId> {
        let wanted = match next {
            Next::Nobody => return None,
            Next::Anyone => None,
            Next::To(worker) => self.roster.eligible(worker, key).ok(),
        };
        wanted
            .or_else(|| self.roster.next_for(key, Some(from)))
            .or_else(|| self.roster.next_for(key, None))
    }

    /// Begins to move every key of a holder away.
    pub(super) fn begin_drain(&mut self, id: HolderId, outbox: &mut Vec<Effect>) {
        self.roster.update(id, &self.rules, |holder| {
            holder.drain.get_or_insert(Drain {
                total: holder.grants.len(),
                cursor: 0,
            });
        });
        self.continue_drain(id, outbox);
    }

    /// Moves the next keys of a holder that is drained, as many as may be under way at a time.
    pub(super) fn continue_drain(&mut self, id: HolderId, outbox: &mut Vec<Effect>) {
        let parallel = self.rules.drain_parallel;
        while let Some(key) = self
            .roster
            .update(id, &self.rules, |holder| {
                let drain = holder.drain.as_mut()?;
                if holder.leaving.len() >= parallel {
                    return None;
                }
                let (key, behind) = holder.grants.next_from(drain.cursor)?;
                drain.cursor = behind;
                Some(key.clone())
            })
            .flatten()
        {
            if self.is_held(&key, id) {
                self.begin_handover(&key, Cause::Drain, Next::Anyone, outbox);
            }
        }
    }

    /// A claim was confirmed for a holder that is drained meanwhile.
    pub(super) fn drain_late_comer(
        &mut self,
        key: &ResourceKey,
        pin: Pin,
        outbox: &mut Vec<Effect>,
    ) {
        let drained = |id| {
            self.roster
                .get(id)
                .is_some_and(|holder| holder.drain.is_some())
        };
        if drained(pin.holder) && self.is_held(key, pin.holder) {
            self.begin_handover(key, Cause::Drain, Next::Anyone, outbox);
        }
    }

    fn is_held(&self, key: &str, id: HolderId) -> bool {
        let pin = self.pins.get(key);
        pin.is_some_and(|pin| pin.holder == id && pin.stage == Stage::Held)
    }

    /// Remembers how the ownership of a pin ended.
    pub(super) fn record(&mut self, key: &ResourceKey, pin: Pin, ending: Ending) {
        let departed = self.departed.get(&pin.holder).map(|gone| gone.worker);
        let holder = self.roster.get(pin.holder).map(|holder| holder.worker);
        if let Some(worker) = holder.or(departed) {
            self.history.push(Past {
                at: self.now,
                key: key.clone(),
                worker,
                epoch: pin.epoch,
                ending,
            });
        }
    }

    /// Remembers how the ownership of a pin ended whose holder is gone.
    pub(super) fn record_departed(&mut self, key: &ResourceKey, pin: Pin) {
        if let Some(departed) = self.departed.get(&pin.holder) {
            self.history.push(Past {
                at: departed.at,
                key: key.clone(),
                worker: departed.worker,
                epoch: pin.epoch,
                ending: departed.ending,
            });
        }
    }

    /// Moves keys from workers that have many to workers that have few.
    pub(super) fn rebalance(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        let (pins, handovers) = (&self.pins, &self.handovers);
        if handovers.rebalancing() > 0 {
            // Until the round before is over, nobody knows how many keys anybody has.
            return;
        }
        let held = |key: &ResourceKey| pins.get(key).filter(|pin| pin.stage == Stage::Held);
        let plan = self
            .rebalancer
            .plan(now, &self.roster, &self.rules.balance, held);
        for transfer in plan {
            let next = Next::To(transfer.to);
            self.begin_handover(&transfer.key, Cause::Rebalance, next, outbox);
        }
    }
}
