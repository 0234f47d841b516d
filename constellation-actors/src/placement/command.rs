//! What an operator can order, and why an order is refused.

use super::{key::ResourceKey, rules::Rebalancing, worker::WorkerId};

/// An operator's order; numbered by whoever gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(u64);

impl OrderId {
    /// The order with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hand a key over to another worker.
    Move {
        /// The key.
        key: ResourceKey,
        /// The worker that is to have it; whoever is next when `None`.
        to: Option<WorkerId>,
    },
    /// Take a key from its owner; its next request finds it a new one.
    Unpin {
        /// The key.
        key: ResourceKey,
    },
    /// Give a worker no new keys.
    Cordon {
        /// The worker.
        worker: WorkerId,
    },
    /// Give a worker no new keys, and hand those it has over to others.
    Drain {
        /// The worker.
        worker: WorkerId,
    },
    /// Let a worker get keys again. Those that are on their way go on.
    Uncordon {
        /// The worker.
        worker: WorkerId,
    },
    /// Turn rebalancing on or off.
    Rebalance(Rebalancing),
}

/// Why an order is refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The key has no owner.
    #[error("nobody owns {key}")]
    NoOwner {
        /// The key.
        key: ResourceKey,
    },
    /// The key just got its owner, or is on its way to another.
    #[error("{key} is changing its owner at this moment")]
    Changing {
        /// The key.
        key: ResourceKey,
    },
    /// The worker has the key already.
    #[error("{worker} owns {key} already")]
    OwnsAlready {
        /// The key.
        key: ResourceKey,
        /// The worker.
        worker: WorkerId,
    },
    /// Nobody of that name is known.
    #[error("no worker {worker} is known")]
    UnknownWorker {
        /// The worker.
        worker: WorkerId,
    },
    /// The worker cannot get the key.
    #[error("{worker} cannot get {key}: it {obstacle}")]
    NotEligible {
        /// The key.
        key: ResourceKey,
        /// The worker.
        worker: WorkerId,
        /// What stands in the way.
        obstacle: Obstacle,
    },
    /// There is no other worker that can get the key.
    #[error("no other worker can get {key}")]
    NobodyElse {
        /// The key.
        key: ResourceKey,
    },
    /// Too many workers are cordoned.
    #[error("more than {most} workers cannot be cordoned")]
    TooManyCordoned {
        /// How many can.
        most: usize,
    },
}

/// Why a worker cannot get a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// It is not connected, or silent.
    #[error("cannot be reached")]
    Unreachable,
    /// It gets no new keys.
    #[error("is cordoned")]
    Cordoned,
    /// It has as many as it takes.
    #[error("has as many keys as it takes")]
    Full,
    /// It said that it serves other keys.
    #[error("does not serve it")]
    NotServed,
}
