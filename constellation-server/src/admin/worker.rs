//! A worker as JSON.

use std::{collections::BTreeMap, time::Duration};

use constellation_actors::{
    WorkerState, WorkerStatus, placement::worker::WorkerId, protocol::json::timestamp,
};
use serde::{Deserialize, Serialize};

/// Every worker, in the order of arrival.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WorkerList {
    /// The workers.
    pub(crate) workers: Vec<Worker>,
}

/// A worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    /// May be empty.
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// Where it connects from; null while it is suspended.
    pub(crate) address: Option<String>,
    pub(crate) state: State,
    /// Whether it is connected and was heard of in time.
    pub(crate) healthy: bool,
    /// Whether it gets no new keys.
    pub(crate) cordoned: bool,
    /// Whether it keeps a lease.
    pub(crate) leased: bool,
    /// How many keys it owns.
    pub(crate) keys: usize,
    /// The most keys it takes; null for no limit.
    pub(crate) capacity: Option<u32>,
    /// How long its keys stay its own if nothing more is heard of it.
    pub(crate) lease_left_ms: u64,
    /// How many of its keys are on their way.
    pub(crate) leaving: usize,
    /// How many websockets are tunnelled to it.
    pub(crate) tunnels: usize,
    /// How far it is emptied; null when it is not drained.
    pub(crate) draining: Option<Draining>,
    /// When this connection began; null while it is suspended.
    pub(crate) connected_since: Option<String>,
    /// The same as an age.
    pub(crate) connected_ms: Option<u64>,
    /// When it was last heard of.
    pub(crate) last_heard: String,
    /// The same as an age.
    pub(crate) last_heard_ms: u64,
}

/// How far a worker is emptied.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Draining {
    /// How many keys it had when that began.
    pub(crate) total: usize,
    /// How many it still has.
    pub(crate) left: usize,
}

/// What a worker can be reached for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// Connected and heard of in time.
    Live,
    /// Connected, but a heartbeat is missing.
    Silent,
    /// Not connected; its lease still runs.
    Suspended,
}

impl State {
    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Silent => "silent",
            Self::Suspended => "suspended",
        }
    }
}

impl From<WorkerState> for State {
    fn from(state: WorkerState) -> Self {
        match state {
            WorkerState::Live => Self::Live,
            WorkerState::Silent => Self::Silent,
            WorkerState::Suspended => Self::Suspended,
        }
    }
}

impl Worker {
    /// A worker as it is now, by the wall clock.
    pub(super) fn new(status: &WorkerStatus, now_unix_micros: u64) -> Self {
        let age = |unix_micros: u64| now_unix_micros.saturating_sub(unix_micros) / 1000;
        let added = status.added_unix_micros;
        Self {
            id: status.id,
            name: status.name.clone(),
            labels: status.labels.clone(),
            address: status.address.map(|address| address.to_string()),
            state: status.state.into(),
            healthy: status.healthy,
            cordoned: status.cordoned,
            leased: status.leased,
            keys: status.keys,
            capacity: status.capacity,
            lease_left_ms: milliseconds(status.lease_left),
            leaving: status.leaving,
            tunnels: status.tunnels,
            draining: status.draining_from.map(|total| Draining {
                total,
                left: status.keys,
            }),
            connected_since: added.map(timestamp::format),
            connected_ms: added.map(age),
            last_heard: timestamp::format(status.last_message_unix_micros),
            last_heard_ms: age(status.last_message_unix_micros),
        }
    }
}

/// A duration in whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
