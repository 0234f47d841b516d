//! What a worker's ownership wants done. Effects are applied in the order in which they were pushed.

use super::{holding::HoldingId, reason::ReleaseReason};
use crate::placement::{epoch::Epoch, key::ResourceKey};

/// How a holding is closed. A later one cuts short what an earlier one gives time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// No further requests; those that run may finish; then close the resource.
    Graceful,
    /// Cancel what runs, then close the resource.
    AtOnce,
    /// Another worker may own the key from now on: end the resource, done or not.
    Abandon,
}

/// Why a grant was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// The worker has no lease.
    NoLease,
    /// The worker leaves.
    Leaving,
    /// The key is held under a higher epoch.
    HeldHigher(Epoch),
    /// The worker has given this epoch or a higher one back over this session: the grant and
    /// RELEASED crossed.
    GivenBack(Epoch),
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A key begins to be held. Requests that are accepted under it wait for [`Effect::Open`].
    Hold {
        /// The new holding.
        holding: HoldingId,
        /// Under which epoch.
        epoch: Epoch,
        /// The key.
        key: ResourceKey,
    },
    /// Requests under this holding may be handled. Whatever held its key before is closed.
    Open {
        /// Which one.
        holding: HoldingId,
    },
    /// Accept nothing more under this holding and close its resource, then answer with
    /// `Input::Closed`. Comes again when it becomes more urgent.
    ///
    /// What was accepted and not begun is refused: behind [`Effect::Gone`] if the reason
    /// [is awaited](ReleaseReason::is_awaited), else at once.
    Close {
        /// Which one.
        holding: HoldingId,
        /// Why.
        reason: ReleaseReason,
        /// How.
        urgency: Urgency,
    },
    /// A holding is over, and nothing of it is left. Comes behind its RELEASED, if there is one.
    Gone {
        /// Which one.
        holding: HoldingId,
        /// Why.
        reason: ReleaseReason,
    },
    /// A grant was not taken; requests under it are refused.
    GrantIgnored {
        /// The key.
        key: ResourceKey,
        /// The epoch that was granted.
        epoch: Epoch,
        /// Why.
        because: Ignored,
    },
    /// Tell the controller that a key is free.
    SendReleased {
        /// The epoch that is over.
        epoch: Epoch,
        /// The key.
        key: ResourceKey,
    },
    /// Renew the lease.
    SendHeartbeat {
        /// Which renewal this is.
        sequence: u64,
    },
    /// Tell the controller that the worker wants no further keys.
    SendDraining,
    /// Tell the controller that every key is free, and end the session.
    SendGoodbye,
    /// End the session: the lease is over. Requests that still come are refused.
    EndSession,
    /// The lease is over. The holdings that it ends are being closed already.
    LeaseEnded {
        /// How many keys were held.
        keys: usize,
    },
}
