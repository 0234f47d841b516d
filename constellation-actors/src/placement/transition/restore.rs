//! What an earlier life of the controller left: its pins are in force, its workers awaited.

use super::super::{
    Placement,
    effect::Effect,
    handover::{Cause, Next},
    input::{Restored, RestoredPin},
    moment::Moment,
    pin::{Pin, Stage},
};
use crate::mutation::{self, Mutation};

impl Placement {
    /// Takes up where an earlier life ended. Its workers have one lease to come back, however long
    /// ago that was: nobody knows when they last renewed.
    pub(super) fn restored(&mut self, now: Moment, restored: Restored, outbox: &mut Vec<Effect>) {
        let floor = now + restored.lease.max(self.rules.ttl());
        self.lease_settles = Some(floor);
        self.cordoned = restored.cordoned;
        for pin in restored.pins {
            self.restore(now, floor, pin, outbox);
        }
        self.clear_misplaced(outbox);
    }

    /// Takes those keys from their owners that no request has any more, because the rules for keys
    /// have changed. What they stand for may have another key now, so no key gets a new owner before
    /// all of them are let go.
    fn clear_misplaced(&mut self, outbox: &mut Vec<Effect>) {
        let rules = &self.rules.key_rules;
        let keys = self.pins.keys().filter(|key| rules.is_misplaced(key));
        self.misplaced = keys.cloned().collect();
        for key in self.misplaced.clone() {
            self.begin_handover(&key, Cause::Unpin, Next::Nobody, outbox);
        }
    }

    fn restore(
        &mut self,
        now: Moment,
        floor: Moment,
        restored: RestoredPin,
        outbox: &mut Vec<Effect>,
    ) {
        let RestoredPin {
            key,
            worker,
            incarnation,
            epoch,
        } = restored;
        let holder = self
            .roster
            .by_incarnation(worker, incarnation)
            .unwrap_or_else(|| {
                let holder = self.roster.expect(now, worker, incarnation, &self.rules);
                let barred = self.cordoned.contains(&worker);
                self.roster.update(holder, &self.rules, |holder| {
                    holder.lease_floor = floor;
                    if mutation::is_active(Mutation::RestartWithoutWaiting) {
                        holder.lease_floor = now;
                        holder.heard = Moment::ZERO;
                    }
                    holder.barred = barred;
                });
                outbox.push(Effect::Expect { holder, worker });
                holder
            });
        let grant = self.roster.give(holder, key.clone(), &self.rules);
        let pin = Pin {
            holder,
            epoch,
            grant,
            stage: Stage::Held,
        };
        self.pins.insert(key.clone(), pin);
        self.watch_use(&key, epoch);
        outbox.push(Effect::Publish {
            key,
            owner: pin.owner(),
        });
    }
}
