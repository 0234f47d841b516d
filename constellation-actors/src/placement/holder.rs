//! One life of a worker, as placement sees it: what it holds and whether it may.

use std::{collections::BTreeSet, fmt};

use super::{
    command::Obstacle,
    key::ResourceKey,
    moment::Moment,
    pin::Grants,
    rules::Rules,
    strategy::Rank,
    worker::{Assurance, Incarnation, Profile, WorkerId},
};

/// One live connection of one worker; numbered by whoever accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

impl SessionId {
    /// The session with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The session's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One stretch of uninterrupted ownership by one incarnation of a worker: it begins when the
/// incarnation joins and ends for good when it leaves or its lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderId(pub(super) u32);

/// Whether a holder can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Standing {
    /// Connected and heard of in time: gets new keys, its requests are delivered.
    Live {
        /// Its connection.
        session: SessionId,
    },
    /// Connected, but a heartbeat is missing: no new keys, its requests wait.
    Silent {
        /// Its connection.
        session: SessionId,
    },
    /// The connection is gone, the lease still runs: its keys stay, their requests wait.
    Suspended,
}

impl Standing {
    /// The connection, when there is one.
    #[must_use]
    pub fn session(self) -> Option<SessionId> {
        match self {
            Self::Live { session } | Self::Silent { session } => Some(session),
            Self::Suspended => None,
        }
    }
}

/// How far a worker is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Drain {
    /// How many keys it had when that began.
    pub total: usize,
    /// The slot of the key that is looked at next.
    pub(super) cursor: usize,
}

/// One life of a worker and what it holds.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Holder {
    pub(super) worker: WorkerId,
    pub(super) incarnation: Incarnation,
    pub(super) profile: Profile,
    pub(super) assurance: Assurance,
    pub(super) standing: Standing,
    /// When its last renewal, or other sign of life, was handled.
    pub(super) heard: Moment,
    /// When a best-effort worker was last probed.
    pub(super) probed: Moment,
    /// It asked for no new keys.
    pub(super) cordoned: bool,
    /// An operator wants it to get no new keys.
    pub(super) barred: bool,
    /// Its keys are being moved away.
    pub(super) drain: Option<Drain>,
    /// Its lease ends no earlier than this, until it renews: a lease of an earlier life of the
    /// controller may have been longer than one is now.
    pub(super) lease_floor: Moment,
    /// Nothing renews its lease any more: it did not let a key go that it was asked for.
    pub(super) given_up: bool,
    /// Keys of its own that it was asked to let go.
    pub(super) leaving: BTreeSet<ResourceKey>,
    pub(super) grants: Grants,
    /// Keys of its own, or on their way to it, that requests wait for.
    pub(super) awaited: BTreeSet<ResourceKey>,
    /// Its place in the order of choice, while it is in the rotation.
    pub(super) rank: Option<Rank>,
    /// When it was last chosen, in turns; 0 for never.
    pub(super) last_turn: u64,
    /// Under which moment its next deadline is filed.
    pub(super) deadline: Moment,
}

impl Holder {
    /// The worker whose life this is.
    #[must_use]
    pub fn worker(&self) -> WorkerId {
        self.worker
    }

    /// What the worker said of itself.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What the worker promises about its ownership.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// Whether it can be reached.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether it gets no new keys, because it or an operator asked for that.
    #[must_use]
    pub fn is_cordoned(&self) -> bool {
        self.cordoned || self.barred
    }

    /// How far it is emptied, if it is drained.
    #[must_use]
    pub fn drain(&self) -> Option<Drain> {
        self.drain
    }

    /// How many of its keys are on their way to another owner, or to none.
    #[must_use]
    pub fn leaving(&self) -> usize {
        self.leaving.len()
    }

    /// The keys it holds.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// When it was last heard of.
    #[must_use]
    pub fn heard(&self) -> Moment {
        self.heard
    }

    /// When its lease ends, by the controller's clock, unless it is renewed before.
    #[must_use]
    pub fn lease_end(&self, rules: &Rules) -> Moment {
        (self.heard + rules.ttl()).max(self.lease_floor)
    }

    /// Whether its requests are delivered.
    pub(super) fn is_reachable(&self) -> bool {
        matches!(self.standing, Standing::Live { .. })
    }

    /// Whether it takes one more key when it has `keys`.
    pub(super) fn has_room_beside(&self, keys: usize) -> bool {
        self.profile
            .capacity
            .is_none_or(|most| keys < most as usize)
    }

    /// Whether it said that it serves `key`.
    pub(super) fn serves(&self, key: &str) -> bool {
        let serves = &self.profile.serves;
        serves.is_empty() || serves.iter().any(|pattern| pattern.matches(key))
    }

    /// What keeps it from getting `key`, if anything does.
    pub(super) fn obstacle(&self, key: &str) -> Option<Obstacle> {
        if !self.is_reachable() {
            Some(Obstacle::Unreachable)
        } else if self.is_cordoned() {
            Some(Obstacle::Cordoned)
        } else if !self.has_room_beside(self.grants.len()) {
            Some(Obstacle::Full)
        } else if !self.serves(key) {
            Some(Obstacle::NotServed)
        } else {
            None
        }
    }

    /// Whether it may get a new key, of those that it serves.
    pub(super) fn is_eligible(&self) -> bool {
        self.is_reachable() && !self.is_cordoned() && self.has_room_beside(self.grants.len())
    }

    /// When something is due for it: it turns silent, gets a probe, or its lease ends.
    pub(super) fn next_deadline(&self, rules: &Rules) -> Moment {
        let lease_end = self.lease_end(rules);
        match (self.assurance, self.standing) {
            (Assurance::BestEffort, _) => (self.probed + rules.interval).min(lease_end),
            (Assurance::Leased, Standing::Live { .. }) => {
                (self.heard + rules.patience()).min(lease_end)
            }
            (Assurance::Leased, Standing::Silent { .. } | Standing::Suspended) => lease_end,
        }
    }
}
