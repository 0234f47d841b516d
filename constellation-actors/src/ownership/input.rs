//! What can happen to a worker's ownership.

use super::holding::HoldingId;
use crate::{
    placement::{
        epoch::Epoch, grant::GrantId, key::ResourceKey, lease::LeaseTerms, moment::Moment,
    },
    protocol::frame::code::RevokeReason,
};

/// What can happen. What comes from the controller came over the session that is live.
#[derive(Clone, Debug)]
pub enum Input {
    /// The controller welcomed the worker: a session begins, and a lease with it.
    Welcomed {
        /// Whether the controller knew this life of the worker.
        resumed: bool,
        /// The terms of the lease.
        terms: LeaseTerms,
        /// Noted just before the hello was sent; the lease counts from it.
        hello_sent: Moment,
    },
    /// The session is over.
    Disconnected,
    /// The controller acknowledged a renewal.
    Acknowledged {
        /// Which one.
        sequence: u64,
    },
    /// The controller granted a key.
    Granted {
        /// What the session calls the grant from now on.
        grant: GrantId,
        /// The epoch.
        epoch: Epoch,
        /// The key.
        key: ResourceKey,
    },
    /// The controller wants a key back.
    Revoked {
        /// Why.
        reason: RevokeReason,
        /// The epoch that is to end.
        epoch: Epoch,
        /// The key.
        key: ResourceKey,
    },
    /// The controller said that the lease is over (GOAWAY `lease_expired`).
    LeaseExpired,
    /// Nothing runs under a holding any more and its resource is closed. The answer to
    /// [`Effect::Close`](super::effect::Effect::Close).
    Closed {
        /// Which one.
        holding: HoldingId,
    },
    /// The worker is to leave in order. A second time it means nothing.
    Drain,
    /// The worker is to leave at once.
    Stop,
    /// Time has passed.
    Tick,
}
