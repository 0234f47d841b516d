//! Why a worker gives a key back. It says how much time what runs has, and never takes any itself.

use std::fmt;

use crate::protocol::frame::code::RevokeReason;

/// Why a key is no longer this worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReleaseReason {
    /// The controller says that another owner holds it. What runs is cancelled at once.
    Stale,
    /// It moves to another worker.
    Moved,
    /// This worker is drained, by itself or by the controller.
    Drained,
    /// Nobody has used it for a while.
    Idle,
    /// It was granted anew under a higher epoch. What runs is cancelled at once.
    Superseded,
    /// The lease ended: no controller has been heard of for too long. What runs is cancelled at
    /// once, and another worker may own the key soon.
    LeaseEnded,
    /// This worker stops without waiting.
    Stopped,
}

impl ReleaseReason {
    /// Whether what runs is cancelled at once, instead of having time to finish.
    #[must_use]
    pub const fn is_immediate(self) -> bool {
        match self {
            Self::Stale | Self::Superseded | Self::LeaseEnded | Self::Stopped => true,
            Self::Moved | Self::Drained | Self::Idle => false,
        }
    }

    /// Whether the controller counts this worker as the owner until it reads RELEASED.
    ///
    /// A request that is refused because of such an end is refused only behind RELEASED: before
    /// it, the controller would find the epoch still current, and doubt the worker's lease.
    #[must_use]
    pub const fn is_awaited(self) -> bool {
        match self {
            Self::Moved | Self::Drained | Self::Idle | Self::Stopped => true,
            Self::Stale | Self::Superseded | Self::LeaseEnded => false,
        }
    }
}

impl From<RevokeReason> for ReleaseReason {
    fn from(reason: RevokeReason) -> Self {
        match reason {
            RevokeReason::Stale => Self::Stale,
            RevokeReason::Move => Self::Moved,
            RevokeReason::Drain => Self::Drained,
            RevokeReason::Idle => Self::Idle,
        }
    }
}

impl fmt::Display for ReleaseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stale => "another owner holds the key",
            Self::Moved => "the key moves to another worker",
            Self::Drained => "the worker is drained",
            Self::Idle => "the key is idle",
            Self::Superseded => "the key was granted anew under a higher epoch",
            Self::LeaseEnded => "the lease ended",
            Self::Stopped => "the worker stops",
        })
    }
}
