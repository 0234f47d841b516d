//! What people and programs are told about a worker, and the hooks that tell it.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc};

use crate::{
    clock,
    placement::{
        holder::{Holder, Standing},
        moment::Moment,
        worker::{Assurance, WorkerId},
    },
};

/// Where a worker connects from, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Microseconds since 1970 by the wall clock, for people alone.
    pub(crate) added_unix_micros: u64,
}

/// What is known of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerStatus {
    /// Its id.
    pub id: WorkerId,
    /// The name it gave itself; may be empty.
    pub name: String,
    /// The labels it gave itself.
    pub labels: BTreeMap<String, String>,
    /// Where it connects from; `None` while it is suspended.
    pub address: Option<SocketAddr>,
    /// Whether it is connected and was heard of in time: only then it gets new keys.
    pub healthy: bool,
    /// Whether it asked for no new keys.
    pub cordoned: bool,
    /// Whether it keeps a lease. Workers of the JSON dialect do not.
    pub leased: bool,
    /// How many keys it owns.
    pub keys: usize,
    /// The most keys it takes.
    pub capacity: Option<u32>,
    /// When this connection began: microseconds since 1970.
    pub added_unix_micros: Option<u64>,
    /// When it was last heard of: microseconds since 1970.
    pub last_message_unix_micros: u64,
}

impl WorkerStatus {
    pub(crate) fn new(holder: &Holder, peer: Option<&Peer>, now: Moment) -> Self {
        let silence = now.saturating_since(holder.heard()).as_micros();
        let silence = u64::try_from(silence).unwrap_or(u64::MAX);
        let profile = holder.profile();
        Self {
            id: holder.worker(),
            name: profile.name.clone(),
            labels: profile.labels.clone(),
            address: peer.map(|peer| peer.address),
            healthy: matches!(holder.standing(), Standing::Live { .. }),
            cordoned: holder.is_cordoned(),
            leased: holder.assurance() == Assurance::Leased,
            keys: holder.grants().len(),
            capacity: profile.capacity,
            added_unix_micros: peer.map(|peer| peer.added_unix_micros),
            last_message_unix_micros: clock::unix_micros().saturating_sub(silence),
        }
    }
}

/// A function of an embedder that is told of a worker. It runs on the Registry's thread and must
/// not block.
type Hook = Arc<dyn Fn(&WorkerStatus) + Send + Sync>;

/// What an embedder wants to be told.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) on_connected: Option<Hook>,
    pub(crate) on_disconnected: Option<Hook>,
}

impl Hooks {
    pub(crate) fn connected(&self, worker: &WorkerStatus) {
        call(self.on_connected.as_ref(), worker);
    }

    pub(crate) fn disconnected(&self, worker: &WorkerStatus) {
        call(self.on_disconnected.as_ref(), worker);
    }
}

/// A hook that panics is the embedder's fault and must not end the Registry.
fn call(hook: Option<&Hook>, worker: &WorkerStatus) {
    let Some(hook) = hook else { return };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hook(worker)));
    if outcome.is_err() {
        log::error!(worker:% = worker.id; "a hook panicked");
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hooks")
            .field("on_connected", &self.on_connected.is_some())
            .field("on_disconnected", &self.on_disconnected.is_some())
            .finish()
    }
}
