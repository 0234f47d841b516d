//! The holdings of a worker, found by id, key, name and deadline. A table and nothing more.

use std::collections::{BTreeMap, BTreeSet};

use super::holding::{Holding, HoldingId};
use crate::placement::{grant::GrantId, key::ResourceKey, moment::Moment};

/// Every holding that is not gone.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(Hash))]
pub(super) struct Table {
    by_id: BTreeMap<HoldingId, Holding>,
    /// Of each key, in the order in which they were granted. Only the first may be open, and only
    /// the last is held: those before it are being closed.
    by_key: BTreeMap<ResourceKey, Vec<HoldingId>>,
    by_name: BTreeMap<GrantId, HoldingId>,
    deadlines: BTreeSet<(Moment, HoldingId)>,
    ending: usize,
    last: u64,
}

impl Table {
    pub(super) fn get(&self, id: HoldingId) -> Option<&Holding> {
        self.by_id.get(&id)
    }

    pub(super) fn named(&self, name: GrantId) -> Option<HoldingId> {
        self.by_name.get(&name).copied()
    }

    /// The holding that holds `key` now.
    pub(super) fn current(&self, key: &str) -> Option<(HoldingId, &Holding)> {
        let id = *self.by_key.get(key)?.last()?;
        Some((id, self.by_id.get(&id)?))
    }

    /// Those of `key`, the latest first.
    pub(super) fn of_key(&self, key: &str) -> impl Iterator<Item = (HoldingId, &Holding)> {
        let ids = self.by_key.get(key).into_iter().flatten().rev();
        ids.filter_map(|id| Some((*id, self.by_id.get(id)?)))
    }

    /// The holding that each key is held by, by key.
    pub(super) fn all_current(&self) -> impl Iterator<Item = (HoldingId, &Holding)> {
        let last = |ids: &Vec<HoldingId>| ids.last().copied();
        let ids = self.by_key.values().filter_map(last);
        ids.filter_map(|id| Some((id, self.by_id.get(&id)?)))
    }

    /// Every holding, in the order in which they were granted.
    pub(super) fn all(&self) -> impl Iterator<Item = (HoldingId, &Holding)> {
        self.by_id.iter().map(|(id, holding)| (*id, holding))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many are being closed.
    pub(super) fn ending(&self) -> usize {
        self.ending
    }

    /// Whether no other holding of its key is before it.
    pub(super) fn is_first(&self, id: HoldingId) -> bool {
        let key = self.by_id.get(&id).map(|holding| &holding.key);
        key.and_then(|key| self.by_key.get(key))
            .is_some_and(|ids| ids.first() == Some(&id))
    }

    pub(super) fn next_deadline(&self) -> Option<(Moment, HoldingId)> {
        self.deadlines.first().copied()
    }

    pub(super) fn insert(&mut self, holding: Holding) -> HoldingId {
        self.last += 1;
        let id = HoldingId(self.last);
        self.by_key.entry(holding.key.clone()).or_default().push(id);
        self.enter(id, &holding);
        self.by_id.insert(id, holding);
        id
    }

    /// Changes a holding; does nothing without it.
    pub(super) fn change(&mut self, id: HoldingId, change: impl FnOnce(&mut Holding)) {
        if let Some(mut holding) = self.by_id.remove(&id) {
            self.leave(id, &holding);
            change(&mut holding);
            self.enter(id, &holding);
            self.by_id.insert(id, holding);
        }
    }

    /// Takes a holding out, and tells the one of its key that is first then.
    pub(super) fn remove(&mut self, id: HoldingId) -> Option<(Holding, Option<HoldingId>)> {
        let holding = self.by_id.remove(&id)?;
        self.leave(id, &holding);
        if let Some(name) = holding.name
            && self.named(name) == Some(id)
        {
            self.by_name.remove(&name);
        }
        let ids = self.by_key.get_mut(&holding.key)?;
        ids.retain(|other| *other != id);
        let first = ids.first().copied();
        if first.is_none() {
            self.by_key.remove(&holding.key);
        }
        Some((holding, first))
    }

    /// From now on requests call the holding so.
    pub(super) fn name(&mut self, id: HoldingId, name: GrantId) {
        let before = self.by_id.get_mut(&id).and_then(|it| it.name.replace(name));
        if let Some(before) = before
            && self.named(before) == Some(id)
        {
            self.by_name.remove(&before);
        }
        self.by_name.insert(name, id);
    }

    pub(super) fn forget_name(&mut self, name: GrantId) {
        self.by_name.remove(&name);
    }

    pub(super) fn forget_names(&mut self) {
        self.by_name.clear();
    }

    fn enter(&mut self, id: HoldingId, holding: &Holding) {
        if let Some(deadline) = holding.next_deadline() {
            self.deadlines.insert((deadline, id));
        }
        self.ending += usize::from(holding.ending().is_some());
    }

    fn leave(&mut self, id: HoldingId, holding: &Holding) {
        if let Some(deadline) = holding.next_deadline() {
            self.deadlines.remove(&(deadline, id));
        }
        self.ending -= usize::from(holding.ending().is_some());
    }
}
