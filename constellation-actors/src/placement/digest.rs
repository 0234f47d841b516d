//! Which placements count as one state when every state is looked at. Never part of a program.
//!
//! What is left out decides nothing: the memory for people, the indexes that follow from the
//! holders, and the rebalancer, which is off in the model. Who waits is left out too: whoever asks
//! knows the order of the tickets that have no answer, and has to count it in.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
};

use super::{Placement, holder::Holder};

impl Hash for Placement {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pins.sorted().hash(state);
        for (id, holder) in self.roster.iter() {
            id.hash(state);
            digest(holder, state);
        }
        sorted(&self.claims).hash(state);
        self.grace_until.hash(state);
        self.misplaced.hash(state);
        self.barred_keys.hash(state);
        self.deserted.hash(state);
        self.handovers.hash(state);
        self.cordoned.hash(state);
        self.sweep.hash(state);
        self.lease_settles.hash(state);
        self.first_epoch.hash(state);
        self.next_epoch.hash(state);
        self.last_claim.hash(state);
    }
}

/// A holder without what follows from the rest of it, and without its profile, which the workers
/// of the model do not change.
fn digest<H: Hasher>(holder: &Holder, state: &mut H) {
    let order = (holder.worker, holder.incarnation, holder.last_turn);
    let flags = (
        holder.cordoned,
        holder.barred,
        holder.given_up,
        holder.drain,
    );
    let times = (holder.heard, holder.lease_floor);
    (order, holder.standing, flags, times).hash(state);
    (&holder.leaving, &holder.grants, &holder.awaited).hash(state);
}

/// What a map holds, in an order that does not depend on how it came to be.
fn sorted<K: Ord, V>(map: &HashMap<K, V>) -> Vec<(&K, &V)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}
