//! A session ends, a life ends, a key is released.

use super::super::{
    Deserted, Placement,
    effect::{Effect, End},
    epoch::Epoch,
    holder::{HolderId, SessionId, Standing},
    input::Departure,
    rules::OnDisconnect,
    worker::Assurance,
};

/// How many pins of departed holders are cleared away at a time: short enough that no request
/// notices, and some hundred thousand a second.
const CLEARED_AT_A_TIME: usize = 5_000;

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
        let keys = holder.grants.into_keys();
        self.deserted.push_back(Deserted { holder: id, keys });
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
            if deserted.keys.is_empty() {
                self.deserted.pop_front();
            }
            for key in batch {
                if self
                    .pins
                    .get(&key)
                    .is_some_and(|pin| pin.holder == holder && pin.confirmed)
                {
                    self.pins.remove(&key).into_iter().for_each(|pin| {
                        let epoch = pin.epoch;
                        outbox.push(Effect::Withdraw {
                            key: key.clone(),
                            epoch,
                        });
                        outbox.push(Effect::Forget {
                            key: key.clone(),
                            epoch,
                        });
                    });
                }
            }
            if left == 0 {
                return;
            }
        }
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
        let Some(pin) = self.pin(key).copied() else {
            return;
        };
        if pin.holder != id || pin.epoch != epoch || !pin.confirmed {
            return;
        }
        let Some((key, _)) = self.pins.get_key_value(key) else {
            return;
        };
        let key = key.clone();
        self.unpin(&key, pin, outbox);
        outbox.push(Effect::Forget {
            key: key.clone(),
            epoch,
        });
        self.settle(&key, outbox);
    }
}
