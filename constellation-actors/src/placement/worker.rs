//! Who a worker is: its id, its incarnation, and what it says of itself.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::pattern::Pattern;

/// The stable name of a worker: kept over reconnects, and over restarts when the user asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(Uuid);

impl WorkerId {
    /// The worker with this UUID.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The worker's UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One life of a worker process: random per process, so that a restarted worker under a known id
/// is never taken for the one that still holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(Uuid);

impl Incarnation {
    /// The incarnation with this UUID.
    #[must_use]
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The incarnation's UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a worker promises about its ownership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assurance {
    /// It keeps a lease: it stops acting by itself before its keys are given away.
    Leased,
    /// It keeps none (the original's dialect): its keys move at once when its connection closes.
    BestEffort,
}

/// What a worker says of itself at the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// A name for people; empty when it gave none.
    pub name: String,
    /// The keys it serves; empty means every key.
    pub serves: Vec<Pattern>,
    /// The most keys it takes at a time; `None` means no limit.
    pub capacity: Option<u32>,
    /// Free labels for people and tools.
    pub labels: std::collections::BTreeMap<String, String>,
}
