//! A session ends, a life ends, a key is released.

use super::super::{
    Departed, Deserted, Placement,
    effect::{Effect, End},
    epoch::Epoch,
    handover::{Cause, Next},
    holder::{HolderId, SessionId, Standing},
    input::Departure,
    key::ResourceKey,
    pin::{Pin, Stage},
    rules::OnDisconnect,
    worker::Assurance,
};

/// How many pins of departed holders are cleared away at a time: short enough that no request
/// notices, and a hundred thousand a second.
const CLEARED_AT_A_TIME: usize = 2_500;

impl Placement {
    pub(super) fn left(
        &mut self,
        session: SessionId,
        departure: Departure,
        outbox: &mut Vec<Effect>,
    ) {
        let Some(id) = self.roster.by_session(session) else {
            return;
        };
        let Some(holder) = self.roster.get(id) else {
            return;
        };
        match (departure, holder.assurance(), self.rules.on_disconnect) {
            (Departure::Goodbye, _, _) => self.end(id, End::Goodbye, outbox),
            (Departure::Vanished, Assurance::Leased, OnDisconnect::WaitForLease) => {
                self.hold_back(id, Standing::Suspended, outbox);
            }
            (Departure::Vanished, Assurance::BestEffort, _)
            | (Departure::Vanished, _, OnDisconnect::Reassign) => {
                self.end(id, End::Disconnected, outbox);
            }
        }
    }

    /// Ends a life: its keys are free. Costs nothing per key, except those that are waited for.
    pub(super) fn end(&mut self, id: HolderId, end: End, outbox: &mut Vec<Effect>) {
        let Some(holder) = self.roster.leave(id) else {
            return;
        };
        outbox.push(Effect::Ended {
            holder: id,
            worker: holder.worker,
            end,
        });
        let departed = Departed {
            worker: holder.worker,
            ending: end.into(),
            at: self.now,
        };
        self.departed.insert(id, departed);
        let keys = holder.grants.into_keys();
        self.deserted.push_back(Deserted { holder: id, keys });
        for key in holder.leaving {
            self.finish_handover(&key, end.into(), outbox);
        }
        for key in holder.awaited {
            self.settle(&key, outbox);
        }
    }

    /// Clears away some of the pins whose holders are gone.
    pub(super) fn clear_deserted(&mut self, outbox: &mut Vec<Effect>) {
        let mut left = CLEARED_AT_A_TIME;
        while let Some(deserted) = self.deserted.front_mut() {
            let holder = deserted.holder;
            let from = deserted.keys.len().saturating_sub(left);
            let batch: Vec<_> = deserted.keys.drain(from..).flatten().collect();
            left -= batch.len().min(left);
            let is_last = deserted.keys.is_empty();
            for key in batch {
                self.clear(key, holder, outbox);
            }
            if is_last {
                self.deserted.pop_front();
                self.departed.remove(&holder);
            }
            if left == 0 {
                return;
            }
        }
    }

    /// Clears a pin of `holder`, which is gone, unless another has replaced it.
    fn clear(&mut self, key: ResourceKey, holder: HolderId, outbox: &mut Vec<Effect>) {
        let is_deserted = |pin: Pin| pin.holder == holder && pin.is_confirmed();
        let Some((key, pin)) = self.pins.take_if(key, is_deserted) else {
            return;
        };
        self.record_departed(&key, pin);
        let epoch = pin.epoch;
        outbox.push(Effect::Withdraw {
            key: key.clone(),
            epoch,
        });
        outbox.push(Effect::Forget { key, epoch });
    }

    pub(super) fn released(
        &mut self,
        session: SessionId,
        key: &str,
        epoch: Epoch,
        outbox: &mut Vec<Effect>,
    ) {
        let Some(id) = self.roster.by_session(session) else {
            return;
        };
        let Some(pin) = self.pin(key) else {
            return;
        };
        if pin.holder != id || pin.epoch != epoch {
            return;
        }
        let Some(key) = self.pins.key(key).cloned() else {
            return;
        };
        match pin.stage {
            // Asked for once the store has confirmed it: until then nobody else may have it.
            Stage::Claimed | Stage::Declined => {
                self.pins.enter(&key, Stage::Declined);
            }
            // A grant of the key may have crossed the release, and the worker holds it anew then. Its
            // answer to a revocation, which nothing crosses, is certain.
            Stage::Held => self.begin_handover(&key, Cause::Release, Next::Nobody, outbox),
            Stage::Leaving => self.finish_planned_handover(&key, outbox),
        }
    }
}
