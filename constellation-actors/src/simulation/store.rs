//! The simulated store: carries out what it is asked in order, late, sometimes not, and answers
//! what the asker may no longer be there to hear. Decides nothing.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use crate::placement::{
    effect::Claim,
    epoch::Epoch,
    input::{ClaimFailure, ClaimId, Restored, RestoredPin},
    key::ResourceKey,
    worker::{Incarnation, WorkerId},
};

/// One thing that a store is asked.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Claim(Claim),
    Forget(ResourceKey, Epoch),
    Lease(Duration),
    Cordon(WorkerId, bool),
}

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    /// It fails, and the store has not done it.
    Failed(ClaimFailure),
    /// It fails, but the store has done it.
    Uncertain,
}

/// The answer to a claim.
pub(crate) type Answer = (ClaimId, Result<(), ClaimFailure>);

/// A store.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pins: BTreeMap<ResourceKey, (WorkerId, Incarnation, Epoch)>,
    highest: Epoch,
    lease: Duration,
    complete: bool,
    cordoned: BTreeSet<WorkerId>,
    pub(crate) asked: VecDeque<Request>,
}

impl Store {
    /// A store that begins beside a controller whose workers hold nothing.
    pub(crate) fn new() -> Self {
        Self {
            pins: BTreeMap::new(),
            highest: Epoch::new(0),
            lease: Duration::ZERO,
            complete: true,
            cordoned: BTreeSet::new(),
            asked: VecDeque::new(),
        }
    }

    /// Forgets everything but how long leases may be, which an operator knows.
    pub(crate) fn lose(&mut self, wall: Epoch) {
        *self = Self {
            lease: self.lease,
            complete: false,
            highest: wall,
            ..Self::new()
        };
    }

    /// What a controller with leases of this length finds.
    pub(crate) fn load(&mut self, lease: Duration) -> (Restored, Epoch, bool) {
        self.lease = self.lease.max(lease);
        let pins = self.pins.iter();
        let pins = pins.map(|(key, (worker, incarnation, epoch))| RestoredPin {
            key: key.clone(),
            worker: *worker,
            incarnation: *incarnation,
            epoch: *epoch,
        });
        let restored = Restored {
            pins: pins.collect(),
            lease: self.lease,
            cordoned: self.cordoned.clone(),
        };
        (restored, self.highest.next(), self.complete)
    }

    /// Whether a pin is durable.
    pub(crate) fn has(&self, key: &str, incarnation: Incarnation, epoch: Epoch) -> bool {
        let pin = self.pins.get(key);
        pin.is_some_and(|pin| (pin.1, pin.2) == (incarnation, epoch))
    }

    /// Does the next thing it was asked.
    pub(crate) fn step(&mut self, fate: Fate) -> Option<Answer> {
        match self.asked.pop_front()? {
            Request::Claim(claim) => Some(self.claim(claim, fate)),
            Request::Forget(key, epoch) => {
                // Nobody waits for it; a failure leaves the record.
                if fate == Fate::Done && self.pins.get(&key).is_some_and(|pin| pin.2 <= epoch) {
                    self.pins.remove(&key);
                }
                None
            }
            Request::Lease(lease) => {
                if fate == Fate::Done {
                    self.lease = lease;
                    self.complete = true;
                }
                None
            }
            Request::Cordon(worker, true) => {
                self.cordoned.insert(worker);
                None
            }
            Request::Cordon(worker, false) => {
                self.cordoned.remove(&worker);
                None
            }
        }
    }

    fn claim(&mut self, claim: Claim, fate: Fate) -> Answer {
        if let Fate::Failed(failure) = fate {
            return (claim.id, Err(failure));
        }
        if self
            .pins
            .get(&claim.key)
            .is_some_and(|pin| pin.2 >= claim.epoch)
        {
            return (claim.id, Err(ClaimFailure::Terminal));
        }
        self.highest = self.highest.max(claim.epoch);
        let pin = (claim.worker, claim.incarnation, claim.epoch);
        self.pins.insert(claim.key, pin);
        match fate {
            Fate::Uncertain => (claim.id, Err(ClaimFailure::Retryable)),
            Fate::Done | Fate::Failed(_) => (claim.id, Ok(())),
        }
    }
}
