//! What happened, seen from outside: by somebody who looks at every process at once, as nobody in
//! a real system can. The properties are about this, not about what the code believes.

use std::collections::BTreeMap;

use crate::placement::{epoch::Epoch, key::ResourceKey, worker::Incarnation};

/// What a step did that shows how far the exploration comes. Forgotten with the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Noted {
    /// A key of a worker that crashed has a new owner.
    MovedAfterCrash,
    /// An answer came too late, and was dropped by the controller or not given by the worker.
    LateAnswer,
    /// A worker came back and has its pins.
    Resumed,
    /// A key that an operator moved has its new owner.
    PlannedMove,
}

/// Invariants that a step broke; the one about holders is seen in the state itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Broken {
    pub(super) epochs_rise: bool,
    pub(super) durable_first: bool,
    pub(super) no_stale_answer: bool,
}

/// What is remembered.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Record {
    /// The pin of each key that was published last, by whichever life of the controller.
    published: BTreeMap<ResourceKey, (Epoch, Incarnation)>,
    /// Who ever had each epoch of each key.
    owners: BTreeMap<(ResourceKey, Epoch), Incarnation>,
    pub(super) broken: Broken,
}

impl Record {
    /// The controller shows a pin to the ingress; tells whether the key had another owner before.
    pub(super) fn published(
        &mut self,
        key: &ResourceKey,
        epoch: Epoch,
        incarnation: Incarnation,
        durable: bool,
    ) -> bool {
        let before = self.published.insert(key.clone(), (epoch, incarnation));
        let moved = before.is_some_and(|(_, owner)| owner != incarnation);
        let falls = |(before, _)| epoch < before || epoch == before && moved;
        self.broken.epochs_rise |= before.is_some_and(falls);
        self.broken.durable_first |= !durable;
        self.owned(key, epoch, incarnation);
        moved
    }

    /// A worker begins to hold a key.
    pub(super) fn held(&mut self, key: &ResourceKey, epoch: Epoch, incarnation: Incarnation) {
        let was_published = self.owners.contains_key(&(key.clone(), epoch));
        self.broken.durable_first |= !was_published;
        self.owned(key, epoch, incarnation);
    }

    fn owned(&mut self, key: &ResourceKey, epoch: Epoch, incarnation: Incarnation) {
        let owner = self.owners.entry((key.clone(), epoch));
        self.broken.epochs_rise |= *owner.or_insert(incarnation) != incarnation;
    }
}
