//! Which keys move so that workers have equally many: a plan for one round, and what rests.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    time::Duration,
};

use super::{
    holder::{Holder, HolderId},
    key::ResourceKey,
    moment::Moment,
    pin::Pin,
    roster::Roster,
    rules::{Balance, Rebalancing},
    worker::{Assurance, WorkerId},
};

/// The most keys that one round looks at.
const LOOKS_MAX: usize = 2_000;

/// The most keys that are remembered because they moved a short while ago.
const RESTING_MAX: usize = 100_000;

/// Whether rounds are held, when the next one is, and the keys that stay out of it.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Rebalancer {
    pub(super) mode: Rebalancing,
    due: Option<Moment>,
    moved: VecDeque<(Moment, ResourceKey)>,
    resting: HashSet<ResourceKey>,
}

/// One move of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transfer {
    pub(super) key: ResourceKey,
    pub(super) to: WorkerId,
}

impl Rebalancer {
    pub(super) fn switch(&mut self, mode: Rebalancing, now: Moment, rules: &Balance) {
        self.mode = mode;
        self.due = (mode == Rebalancing::On).then(|| now + rules.interval);
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.due
    }

    /// Whether a round is due by `now`; the next one is an interval later.
    pub(super) fn take_due(&mut self, now: Moment, rules: &Balance) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.due = Some(now + rules.interval);
        }
        due
    }

    /// A key got a new owner by plan, and rests for a while.
    pub(super) fn moved(&mut self, now: Moment, key: ResourceKey) {
        if self.mode == Rebalancing::Off {
            return;
        }
        if self.moved.len() == RESTING_MAX {
            self.wake_one();
        }
        if self.resting.insert(key.clone()) {
            self.moved.push_back((now, key));
        }
    }

    fn wake_one(&mut self) {
        if let Some((_, key)) = self.moved.pop_front() {
            self.resting.remove(&key);
        }
    }

    fn wake_rested(&mut self, now: Moment, cooldown: Duration) {
        while self
            .moved
            .front()
            .is_some_and(|(moved, _)| *moved + cooldown <= now)
        {
            self.wake_one();
        }
    }

    /// The moves of a round that begins `now`. `pin` tells the pin of a key that may move.
    pub(super) fn plan(
        &mut self,
        now: Moment,
        roster: &Roster,
        rules: &Balance,
        pin: impl Fn(&ResourceKey) -> Option<Pin>,
    ) -> Vec<Transfer> {
        self.wake_rested(now, rules.cooldown);
        let mut loads: BTreeMap<HolderId, usize> = roster
            .iter()
            .filter(|(_, holder)| takes_part(holder))
            .map(|(id, holder)| (id, holder.grants().len()))
            .collect();
        let mut sources: Vec<_> = loads.iter().map(|(id, load)| (*load, *id)).collect();
        sources.sort_unstable_by(|one, other| other.cmp(one));

        let mut transfers = Vec::new();
        let mut looks = 0;
        for (_, source) in sources {
            let Some(holder) = roster.get(source) else {
                continue;
            };
            for key in holder.grants().keys() {
                looks += 1;
                if transfers.len() >= rules.budget as usize || looks > LOOKS_MAX {
                    return transfers;
                }
                let free = pin(key).is_some_and(|pin| pin.holder == source);
                if !free || self.resting.contains(key) {
                    continue;
                }
                let load = loads[&source];
                let Some(target) = lightest(roster, &loads, source, key) else {
                    continue;
                };
                if load < loads[&target] + rules.gain_min.max(2) {
                    // A worker that serves other keys may still have room for one further on.
                    continue;
                }
                loads.entry(source).and_modify(|load| *load -= 1);
                loads.entry(target).and_modify(|load| *load += 1);
                let Some(to) = roster.get(target).map(Holder::worker) else {
                    continue;
                };
                transfers.push(Transfer {
                    key: key.clone(),
                    to,
                });
            }
        }
        transfers
    }
}

/// A worker without a lease is left alone: nobody knows when it has let a key go.
fn takes_part(holder: &Holder) -> bool {
    holder.assurance() == Assurance::Leased && holder.is_reachable() && !holder.is_cordoned()
}

fn lightest(
    roster: &Roster,
    loads: &BTreeMap<HolderId, usize>,
    source: HolderId,
    key: &str,
) -> Option<HolderId> {
    let takes = |id: &HolderId, load: usize| {
        roster
            .get(*id)
            .is_some_and(|holder| holder.serves(key) && holder.has_room_beside(load))
    };
    loads
        .iter()
        .filter(|(id, load)| **id != source && takes(id, **load))
        .min_by_key(|(_, load)| **load)
        .map(|(id, _)| *id)
}
