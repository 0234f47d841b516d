//! Hand-overs under way: which key, why, to whom, and how long its owner has for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    effect::Revocation, history::Ending, key::ResourceKey, moment::Moment, worker::WorkerId,
};

/// Why a key leaves an owner that is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Cause {
    /// An operator moves it.
    Move,
    /// An operator unpins it.
    Unpin,
    /// Its worker is drained.
    Drain,
    /// Nobody uses it.
    Idle,
    /// Its worker let it go of its own accord.
    Release,
    /// Its worker has more keys than others.
    Rebalance,
}

impl Cause {
    /// What the owner is told.
    pub(super) fn revocation(self) -> Revocation {
        match self {
            Self::Move | Self::Unpin | Self::Release | Self::Rebalance => Revocation::Move,
            Self::Drain => Revocation::Drain,
            Self::Idle => Revocation::Idle,
        }
    }

    /// What history says of it.
    pub(super) fn ending(self) -> Ending {
        match self {
            Self::Move => Ending::Moved,
            Self::Unpin => Ending::Unpinned,
            Self::Drain => Ending::Drained,
            Self::Idle => Ending::Idle,
            Self::Release => Ending::Released,
            Self::Rebalance => Ending::Rebalanced,
        }
    }
}

/// Who is to have a key next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Next {
    /// This worker, or somebody else if it cannot by then.
    To(WorkerId),
    /// Whoever is next, but not the owner it leaves.
    Anyone,
    /// Nobody, until the next request.
    Nobody,
}

/// A hand-over of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Handover {
    /// Why.
    pub cause: Cause,
    /// To whom.
    pub next: Next,
    /// When what still runs is cancelled; `None` once that has happened.
    pub deadline: Option<Moment>,
}

/// The hand-overs under way, by key, and their deadlines.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(super) struct Handovers {
    by_key: BTreeMap<ResourceKey, Handover>,
    deadlines: BTreeSet<(Moment, ResourceKey)>,
    idle: usize,
    rebalancing: usize,
}

impl Handovers {
    pub(super) fn get(&self, key: &str) -> Option<&Handover> {
        self.by_key.get(key)
    }

    /// How many release an idle key.
    pub(super) fn idle(&self) -> usize {
        self.idle
    }

    /// How many make workers have equally many keys.
    pub(super) fn rebalancing(&self) -> usize {
        self.rebalancing
    }

    pub(super) fn insert(&mut self, key: ResourceKey, handover: Handover) {
        self.idle += usize::from(handover.cause == Cause::Idle);
        self.rebalancing += usize::from(handover.cause == Cause::Rebalance);
        if let Some(deadline) = handover.deadline {
            self.deadlines.insert((deadline, key.clone()));
        }
        self.by_key.insert(key, handover);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Handover> {
        let (key, handover) = self.by_key.remove_entry(key)?;
        self.idle -= usize::from(handover.cause == Cause::Idle);
        self.rebalancing -= usize::from(handover.cause == Cause::Rebalance);
        if let Some(deadline) = handover.deadline {
            self.deadlines.remove(&(deadline, key));
        }
        Some(handover)
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// A key whose owner has had its time by `now`. It is told once.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<ResourceKey> {
        if self.next_deadline()? > now {
            return None;
        }
        let (_, key) = self.deadlines.pop_first()?;
        if let Some(handover) = self.by_key.get_mut(&key) {
            handover.deadline = None;
        }
        Some(key)
    }
}
