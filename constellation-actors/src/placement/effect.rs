//! What a placement wants done. Effects are applied in the order in which they were pushed.

use super::{
    command::{CommandError, OrderId},
    epoch::Epoch,
    grant::GrantId,
    history::Ending,
    holder::{HolderId, SessionId},
    input::{ClaimId, Ticket},
    key::ResourceKey,
    worker::{Incarnation, WorkerId},
};

/// The owner of a key, as a request needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub holder: HolderId,
    /// Under which epoch.
    pub epoch: Epoch,
    /// What the pin is called on the wire.
    pub grant: GrantId,
}

/// Why a request got no owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No worker can own the key now.
    NoWorker,
    /// Too many requests wait for this key.
    WaitingPerKeyFull,
    /// Too many requests wait in all.
    WaitingFull,
    /// Too many keys are pinned.
    KeysFull,
    /// The store did not take the claim.
    StoreFailed,
}

/// Why a session is told to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dismissal {
    /// A newer session of the same incarnation took over.
    Superseded,
    /// Its lease ended, or it did not answer.
    LeaseEnded,
    /// It did not let a key go that it was asked for.
    Unyielding,
}

/// Why a worker's life as a holder ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It said goodbye.
    Goodbye,
    /// Its connection ended, and it keeps no lease, or the rules say not to wait for it.
    Disconnected,
    /// Its lease ended, or it did not answer.
    LeaseEnded,
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        match end {
            End::Goodbye => Self::Goodbye,
            End::Disconnected => Self::Disconnected,
            End::LeaseEnded => Self::LeaseEnded,
        }
    }
}

/// Why a worker has to let a key go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// It is no longer the owner, or had its time to let go in order.
    Stale,
    /// Another worker is to have the key.
    Move,
    /// The worker is to be emptied.
    Drain,
    /// Nobody uses the key.
    Idle,
}

/// A pin that has to be made durable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Claim {
    /// Named so in the store's answer.
    pub id: ClaimId,
    /// The key.
    pub key: ResourceKey,
    /// Its new owner.
    pub worker: WorkerId,
    /// The life of the owner that is to hold it.
    pub incarnation: Incarnation,
    /// The new epoch, higher than any before.
    pub epoch: Epoch,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a pin durable, then answer with `Input::Stored`.
    Claim(Claim),
    /// Forget a pin, unless the store holds a higher epoch by then. Needs no answer.
    Forget {
        /// The key.
        key: ResourceKey,
        /// The epoch that is over.
        epoch: Epoch,
    },
    /// Remember that no lease longer than the one in force may be running any more.
    NoteLease,
    /// Remember whether a worker may get new keys.
    NoteCordon {
        /// The worker.
        worker: WorkerId,
        /// Whether it may not.
        cordoned: bool,
    },
    /// A holder of an earlier life of the controller is waited for; its pins are published next.
    Expect {
        /// The holder.
        holder: HolderId,
        /// Its worker.
        worker: WorkerId,
    },
    /// Welcome the worker of this session.
    Welcome {
        /// The session.
        session: SessionId,
        /// The life it belongs to.
        holder: HolderId,
        /// Whether that life began with an earlier session.
        resumed: bool,
    },
    /// Acknowledge a renewal.
    Acknowledge {
        /// The session.
        session: SessionId,
        /// Which renewal.
        sequence: u64,
    },
    /// Ask a best-effort worker for a sign of life.
    Probe {
        /// The session.
        session: SessionId,
    },
    /// Tell a session to go, and close it.
    Dismiss {
        /// The session.
        session: SessionId,
        /// Why.
        reason: Dismissal,
    },
    /// Tell a worker to let a key go.
    Revoke {
        /// The session.
        session: SessionId,
        /// The key.
        key: ResourceKey,
        /// The epoch that is over.
        epoch: Epoch,
        /// Why.
        reason: Revocation,
    },
    /// Requests of this holder may be delivered from now on.
    Open {
        /// The holder.
        holder: HolderId,
    },
    /// Requests of this holder have to ask first, from now on.
    Shut {
        /// The holder.
        holder: HolderId,
    },
    /// A holder's life is over: nothing that belongs to it may reach a client any more.
    Ended {
        /// The holder.
        holder: HolderId,
        /// The worker.
        worker: WorkerId,
        /// Why.
        end: End,
    },
    /// Show a confirmed pin to the ingress.
    Publish {
        /// The key.
        key: ResourceKey,
        /// Its owner.
        owner: Owner,
    },
    /// Let new requests for a key ask first. Answers under its epoch stay in force.
    Freeze {
        /// The key.
        key: ResourceKey,
        /// The epoch it is owned under.
        epoch: Epoch,
    },
    /// Tell by `Input::Quiet` when no request is under way for a frozen key.
    AwaitQuiet {
        /// The key.
        key: ResourceKey,
        /// The epoch it is owned under.
        epoch: Epoch,
    },
    /// Tell by `Input::Used` when these keys were last used.
    AskUse(Vec<(ResourceKey, Epoch)>),
    /// Take a pin from the ingress; answers under its epoch are no longer in force.
    Withdraw {
        /// The key.
        key: ResourceKey,
        /// The epoch that is over.
        epoch: Epoch,
    },
    /// Tell a request its key's owner.
    Route {
        /// Who asked.
        ticket: Ticket,
        /// For which key.
        key: ResourceKey,
        /// The owner.
        owner: Owner,
    },
    /// Tell a request that it gets no owner.
    Reject {
        /// Who asked.
        ticket: Ticket,
        /// Why.
        rejection: Rejection,
    },
    /// Tell an operator whether an order was taken. What it takes may go on for a while.
    Answer {
        /// Which order.
        order: OrderId,
        /// Whether it was taken.
        outcome: Result<(), CommandError>,
    },
}
