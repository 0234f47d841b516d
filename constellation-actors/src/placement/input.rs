//! What can happen to a placement.

use std::{collections::BTreeSet, time::Duration};

use super::{
    command::{Command, OrderId},
    epoch::Epoch,
    holder::SessionId,
    key::ResourceKey,
    moment::Moment,
    worker::{Assurance, Incarnation, Profile, WorkerId},
};

/// A request that wants to know a key's owner; numbered by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// The ticket with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// One change of a pin that the store has to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(pub(super) u64);

/// A worker that comes in over a new session.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The new session.
    pub session: SessionId,
    /// Who it says it is.
    pub worker: WorkerId,
    /// Which life of the worker this is.
    pub incarnation: Incarnation,
    /// What it says of itself.
    pub profile: Profile,
    /// Whether it keeps a lease.
    pub assurance: Assurance,
    /// The keys it says it still holds, and under which epochs.
    pub holding: Vec<(ResourceKey, Epoch)>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The worker released everything and said so.
    Goodbye,
    /// The connection ended without a goodbye.
    Vanished,
}

/// Why the store did not take a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimFailure {
    /// It may take it later.
    Retryable,
    /// It will not take it.
    Terminal,
}

/// What an earlier life of the controller left in the store.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Every pin.
    pub pins: Vec<RestoredPin>,
    /// The longest lease that one of its workers may still be keeping.
    pub lease: Duration,
    /// Workers that get no new keys until they are uncordoned.
    pub cordoned: BTreeSet<WorkerId>,
}

/// A pin of an earlier life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredPin {
    /// The key.
    pub key: ResourceKey,
    /// Its owner.
    pub worker: WorkerId,
    /// Which life of the owner this is.
    pub incarnation: Incarnation,
    /// The epoch it owns the key under.
    pub epoch: Epoch,
}

/// When a key was last used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The key.
    pub key: ResourceKey,
    /// The epoch it is owned under.
    pub epoch: Epoch,
    /// When its last request was sent; now, while one is under way.
    pub last: Moment,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum Input {
    /// The store told what an earlier life left. Comes first, or never.
    Restored(Box<Restored>),
    /// An operator wants something done. Answered by exactly one `Answer` effect.
    Ordered {
        /// Named so in the answer.
        order: OrderId,
        /// What is wanted.
        command: Command,
    },
    /// When keys were last used that an `AskUse` effect named. Those that are owned by nobody any
    /// more may be left out.
    Used(Vec<Use>),
    /// No request is under way any more for a key that an `AwaitQuiet` effect named.
    Quiet {
        /// The key.
        key: ResourceKey,
        /// The epoch it is owned under.
        epoch: Epoch,
    },
    /// A worker said hello over a new session.
    Arrived(Box<Arrival>),
    /// A worker renewed its lease.
    Renewed {
        /// Over which session.
        session: SessionId,
        /// Which of its renewals.
        sequence: u64,
    },
    /// A best-effort worker gave a sign of life.
    Heard {
        /// Over which session.
        session: SessionId,
    },
    /// A worker wants no new keys.
    Cordoned {
        /// Over which session.
        session: SessionId,
    },
    /// A session ended.
    Left {
        /// Which one.
        session: SessionId,
        /// How.
        departure: Departure,
    },
    /// A request needs the owner of a key. Answered by exactly one `Route` or `Reject` effect,
    /// unless it is abandoned first.
    Resolve {
        /// The key.
        key: ResourceKey,
        /// Who asks.
        ticket: Ticket,
        /// The epoch under which a worker just refused the request as undelivered.
        refused: Option<Epoch>,
    },
    /// The request behind a ticket is gone.
    Abandoned {
        /// The key it waited for.
        key: ResourceKey,
        /// Its ticket.
        ticket: Ticket,
    },
    /// A worker closed a key's resource and lets the key go.
    Released {
        /// Over which session.
        session: SessionId,
        /// The key.
        key: ResourceKey,
        /// The epoch it held it under.
        epoch: Epoch,
    },
    /// The store answered a claim.
    Stored {
        /// Which claim.
        claim: ClaimId,
        /// Whether it is durable now.
        outcome: Result<(), ClaimFailure>,
    },
    /// Time has passed.
    Tick,
}
