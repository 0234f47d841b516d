//! One key that a worker holds: whether it may be acted on, and how far its end is. What a change
//! of it sets off is decided by the transitions.

use super::{effect::Urgency, reason::ReleaseReason};
use crate::placement::{epoch::Epoch, grant::GrantId, key::ResourceKey, moment::Moment};

/// One time that a worker holds one key. Never reused, so that two of one key and epoch are told
/// apart: one that was lost with its lease, and one that was granted anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldingId(pub(super) u64);

/// A held key.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Hash))]
pub struct Holding {
    pub(super) key: ResourceKey,
    pub(super) epoch: Epoch,
    pub(super) stage: Stage,
    pub(super) standing: Standing,
    /// What the session that granted it last calls it.
    pub(super) name: Option<GrantId>,
}

/// How far a holding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Stage {
    /// The same key, held before, is still being closed; requests wait for that.
    Waiting,
    /// Requests are handled.
    Open,
    /// It is being closed.
    Ending(Ending),
}

/// The end of a holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Ending {
    /// Why.
    pub reason: ReleaseReason,
    /// How.
    pub urgency: Urgency,
    /// Whether requests were ever handled under it.
    pub opened: bool,
    /// Whether its resource is closed. It is over only when those of its key before it are.
    pub closed: bool,
    /// When what runs is cancelled, if it may still run.
    pub(super) finish_by: Moment,
}

/// The end of a lease, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct LeaseEnd {
    /// The first moment at which the worker must not act.
    pub at: Moment,
    /// The first moment at which another worker may: the margin later.
    pub close_by: Moment,
}

/// What the controller is known to think of a holding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Standing {
    /// It counts this worker as the owner, and waits for its word at the end.
    Granted,
    /// It may have forgotten this worker: the holding lasts only as long as the lease that it had
    /// before.
    Unconfirmed(LeaseEnd),
    /// The lease that it depended on ended.
    Lost {
        /// Whether the controller, heard of again, waits for word of its end.
        awaited: bool,
        /// When its resource is abandoned.
        close_by: Moment,
    },
}

impl Holding {
    pub(super) const fn new(key: ResourceKey, epoch: Epoch) -> Self {
        Self {
            key,
            epoch,
            stage: Stage::Waiting,
            standing: Standing::Granted,
            name: None,
        }
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &ResourceKey {
        &self.key
    }

    /// The epoch it is held under.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How far it is.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What the controller is known to think of it.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Its end, if that has begun.
    #[must_use]
    pub const fn ending(&self) -> Option<Ending> {
        match self.stage {
            Stage::Waiting | Stage::Open => None,
            Stage::Ending(ending) => Some(ending),
        }
    }

    /// Whether the lease that it depended on has ended, as far as has been noticed.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self.standing, Standing::Lost { .. })
    }

    /// Whether nothing may run under it any more, so that the worker owns it no longer.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.ending()
            .is_some_and(|ending| ending.urgency > Urgency::Graceful)
    }

    /// Whether a lease other than the worker's current one allows it at `now`: it is neither lost
    /// nor unconfirmed beyond the end of the lease before.
    pub(super) fn is_covered(&self, now: Moment) -> bool {
        self.bound().is_some_and(|bound| now < bound)
    }

    /// Until when that is so; `None` when it is not.
    pub(super) fn bound(&self) -> Option<Moment> {
        match self.standing {
            Standing::Granted => Some(Moment::from_micros(u64::MAX)),
            Standing::Unconfirmed(end) => Some(end.at),
            Standing::Lost { .. } => None,
        }
    }

    /// Whether a request that was accepted may run, or be answered.
    pub(super) fn may_act(&self) -> bool {
        match self.stage {
            Stage::Waiting => false,
            Stage::Open => true,
            Stage::Ending(ending) => ending.opened && ending.urgency == Urgency::Graceful,
        }
    }

    /// Whether the controller is told of its end: it is, unless the holding was lost, for then the
    /// controller gives the key away without a word. If it asked meanwhile, it waits for the word.
    pub(super) const fn is_release_told(&self) -> bool {
        match self.standing {
            Standing::Granted | Standing::Unconfirmed(_) => true,
            Standing::Lost { awaited, .. } => awaited,
        }
    }

    /// When something is due that needs no input but time.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        let urgency = self.ending().map(|ending| ending.urgency);
        let standing = match self.standing {
            Standing::Unconfirmed(end) => Some(end.at),
            Standing::Lost { close_by, .. } if urgency < Some(Urgency::Abandon) => Some(close_by),
            Standing::Granted | Standing::Lost { .. } => None,
        };
        let finish = self
            .ending()
            .filter(|ending| ending.urgency == Urgency::Graceful)
            .map(|ending| ending.finish_by);
        [standing, finish].into_iter().flatten().min()
    }
}
