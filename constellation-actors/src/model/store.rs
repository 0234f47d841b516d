//! The store of the model: carries out what it is asked in order, at a step of its own. Never
//! fails, but for a claim whose epoch is not higher than the one that it holds.

use std::collections::{BTreeMap, VecDeque};

use crate::placement::{
    effect::Claim,
    epoch::Epoch,
    input::{ClaimFailure, ClaimId, Restored, RestoredPin},
    key::ResourceKey,
    worker::{Incarnation, WorkerId},
};

/// One thing that a store is asked.
#[derive(Clone, Debug, Hash)]
pub(super) enum Request {
    Claim(Claim),
    Forget(ResourceKey, Epoch),
}

/// A store.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Store {
    pins: BTreeMap<ResourceKey, (WorkerId, Incarnation, Epoch)>,
    highest: Epoch,
    asked: VecDeque<Request>,
}

impl Store {
    pub(super) fn ask(&mut self, request: Request) {
        self.asked.push_back(request);
    }

    /// How much it was asked and has not done.
    pub(super) fn backlog(&self) -> usize {
        self.asked.len()
    }

    /// Forgets what it was asked and has not done.
    pub(super) fn forget_backlog(&mut self) {
        self.asked.clear();
    }

    /// Whether a pin is durable.
    pub(super) fn has(&self, key: &str, incarnation: Incarnation, epoch: Epoch) -> bool {
        let pin = self.pins.get(key);
        pin.is_some_and(|pin| (pin.1, pin.2) == (incarnation, epoch))
    }

    /// What a controller that starts finds, and the first epoch that it may grant.
    pub(super) fn load(&self) -> (Restored, Epoch) {
        let pins = self.pins.iter();
        let pins = pins.map(|(key, (worker, incarnation, epoch))| RestoredPin {
            key: key.clone(),
            worker: *worker,
            incarnation: *incarnation,
            epoch: *epoch,
        });
        let restored = Restored {
            pins: pins.collect(),
            ..Restored::default()
        };
        (restored, self.highest.next())
    }

    /// Does the next thing it was asked; a claim is answered.
    pub(super) fn step(&mut self) -> Option<(ClaimId, Result<(), ClaimFailure>)> {
        match self.asked.pop_front()? {
            Request::Claim(claim) => {
                let before = self.pins.get(&claim.key);
                if before.is_some_and(|pin| pin.2 >= claim.epoch) {
                    return Some((claim.id, Err(ClaimFailure::Terminal)));
                }
                self.highest = self.highest.max(claim.epoch);
                let pin = (claim.worker, claim.incarnation, claim.epoch);
                self.pins.insert(claim.key, pin);
                Some((claim.id, Ok(())))
            }
            Request::Forget(key, epoch) => {
                if self.pins.get(&key).is_some_and(|pin| pin.2 <= epoch) {
                    self.pins.remove(&key);
                }
                None
            }
        }
    }
}
