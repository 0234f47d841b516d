//! Hand-overs under way: which key, why, to whom, and how long its owner has for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

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

/// The patience with an owner that was asked to let a key go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Patience {
    /// What runs may finish.
    Orderly,
    /// What still ran was to be cancelled.
    Hurried,
}

/// A hand-over of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Handover {
    /// Why.
    pub cause: Cause,
    /// To whom.
    pub next: Next,
    /// How far the patience with the owner is.
    pub patience: Patience,
    /// When that ends.
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

    /// A key whose owner has had its time by `now`, and how far the patience with it was. Each end of
    /// it is told once; the owner then has `more` time for the next.
    pub(super) fn take_due(
        &mut self,
        now: Moment,
        more: Duration,
    ) -> Option<(ResourceKey, Patience)> {
        if self.next_deadline()? > now {
            return None;
        }
        let (_, key) = self.deadlines.pop_first()?;
        let handover = self.by_key.get_mut(&key)?;
        let patience = std::mem::replace(&mut handover.patience, Patience::Hurried);
        handover.deadline = match patience {
            Patience::Orderly => Some(now + more),
            Patience::Hurried => None,
        };
        if let Some(deadline) = handover.deadline {
            self.deadlines.insert((deadline, key.clone()));
        }
        Some((key, patience))
    }
}
