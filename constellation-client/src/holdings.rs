//! The keys that this worker holds from one controller. A table and nothing more.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use constellation_actors::{placement::key::ResourceKey, protocol::frame::Held};
use tokio::sync::Notify;

use crate::holding::Holding;

/// The keys held from one controller, those included whose resources are still being closed.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    by_key: RefCell<HashMap<ResourceKey, Rc<Holding>>>,
    /// How many are not closed; more than the table has while one key is held anew.
    unclosed: Cell<usize>,
    closed: Notify,
}

impl Holdings {
    pub(crate) fn get(&self, key: &str) -> Option<Rc<Holding>> {
        self.by_key.borrow().get(key).cloned()
    }

    /// Enters a new holding, in place of the one that held its key before.
    pub(crate) fn insert(&self, holding: &Rc<Holding>) {
        let key = holding.grant().key().clone();
        self.by_key.borrow_mut().insert(key, Rc::clone(holding));
        self.unclosed.set(self.unclosed.get() + 1);
    }

    /// Forgets a holding that is closed.
    pub(crate) fn remove(&self, holding: &Rc<Holding>) {
        let mut by_key = self.by_key.borrow_mut();
        let key = holding.grant().key();
        if by_key
            .get(&**key)
            .is_some_and(|current| Rc::ptr_eq(current, holding))
        {
            by_key.remove(&**key);
        }
        self.unclosed.set(self.unclosed.get() - 1);
        self.closed.notify_waiters();
    }

    /// Every holding, sorted by key.
    pub(crate) fn all(&self) -> Vec<Rc<Holding>> {
        let mut all: Vec<_> = self.by_key.borrow().values().cloned().collect();
        all.sort_unstable_by(|one, other| one.grant().key().cmp(other.grant().key()));
        all
    }

    /// Those that this worker may still act for, sorted by key.
    pub(crate) fn owned(&self) -> impl Iterator<Item = Rc<Holding>> + use<> {
        self.all()
            .into_iter()
            .filter(|holding| holding.withdrawn().is_none())
    }

    /// How many keys are in the table.
    pub(crate) fn len(&self) -> usize {
        self.by_key.borrow().len()
    }

    /// What a hello says is still held, sorted by key.
    pub(crate) fn held(&self) -> Vec<Held> {
        let held = self.all().into_iter().filter(|holding| !holding.is_lost());
        held.map(|holding| {
            let grant = holding.grant();
            Held {
                epoch: grant.epoch(),
                key: grant.key().clone(),
            }
        })
        .collect()
    }

    /// Waits until every holding is closed.
    pub(crate) async fn emptied(&self) {
        loop {
            let closed = self.closed.notified();
            if self.unclosed.get() == 0 {
                return;
            }
            closed.await;
        }
    }
}
