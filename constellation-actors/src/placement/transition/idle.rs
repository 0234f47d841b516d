//! Keys that nobody uses are released.

use super::super::{
    Placement,
    effect::Effect,
    epoch::Epoch,
    handover::{Cause, Next},
    holder::Standing,
    input::Use,
    key::ResourceKey,
    moment::Moment,
    pin::Stage,
};

/// The most idle keys that are being released at a time.
const RELEASING_MAX: usize = 1_000;

/// How much longer than twice the pins the queue of keys to look at may get.
const SWEEP_SPARE: usize = 1_000;

impl Placement {
    /// From now on a confirmed pin is looked at from time to time.
    pub(super) fn watch_use(&mut self, key: &ResourceKey, epoch: Epoch) {
        if let Some(idleness) = &self.rules.idleness
            && !idleness.never.iter().any(|never| never.matches(key))
        {
            self.sweep.push(self.now, key.clone(), epoch, idleness);
        }
        // A key that moves is taken in again, and what it was before is dropped only when its turn
        // comes. So that the queue does not grow with every move, it is thinned out while it is more than
        // twice as long as it need be.
        if self.sweep.len() > 2 * self.pins.len() + SWEEP_SPARE {
            let pins = &self.pins;
            self.sweep
                .thin_out(|key, epoch| pins.get(key).is_some_and(|pin| pin.epoch == epoch));
        }
    }

    pub(super) fn look_for_idle_keys(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        let Some(idleness) = &self.rules.idleness else {
            return;
        };
        let mut asked = self.sweep.take_due(now, idleness);
        asked.retain(|(key, epoch)| self.pin(key).is_some_and(|pin| pin.epoch == *epoch));
        if !asked.is_empty() {
            outbox.push(Effect::AskUse(asked));
        }
    }

    /// Releases the keys that nobody has used for long enough; the others are looked at again.
    pub(super) fn used(&mut self, uses: Vec<Use>, outbox: &mut Vec<Effect>) {
        let Some(after) = self.rules.idleness.as_ref().map(|rules| rules.after) else {
            return;
        };
        for Use { key, epoch, last } in uses {
            let Some(pin) = self.pin(&key).filter(|pin| pin.epoch == epoch) else {
                continue;
            };
            let standing = self.roster.get(pin.holder).map(|holder| holder.standing);
            let reachable = matches!(standing, Some(Standing::Live { .. }));
            let idle = last + after <= self.now && self.waiting.at(&key) == 0;
            let room = self.handovers.idle() < RELEASING_MAX;
            if idle && reachable && room && pin.stage == Stage::Held {
                self.begin_handover(&key, Cause::Idle, Next::Nobody, outbox);
            } else if pin.stage == Stage::Held {
                self.watch_use(&key, epoch);
            }
        }
    }
}
