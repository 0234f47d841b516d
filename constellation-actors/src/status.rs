//! What people and programs are told about workers and keys, and the hooks that tell it.

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    clock,
    placement::{
        Placement,
        epoch::Epoch,
        handover::{Cause, Next},
        history::Ending,
        holder::{Holder, Standing},
        key::ResourceKey,
        moment::Moment,
        pin::Stage,
        rules::Rules,
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
    /// What it can be reached for.
    pub state: WorkerState,
    /// How long its keys still stay its own if nothing is heard of it.
    pub lease_left: Duration,
    /// How many of its keys are on their way to another owner, or to none.
    pub leaving: usize,
    /// How many websockets of clients are tunnelled to it, those that it still has to accept
    /// included.
    pub tunnels: usize,
    /// How many keys it had when it began to be drained; `None` when it is not.
    pub draining_from: Option<usize>,
    /// When this connection began: microseconds since 1970.
    pub added_unix_micros: Option<u64>,
    /// When it was last heard of: microseconds since 1970.
    pub last_message_unix_micros: u64,
}

impl WorkerStatus {
    pub(crate) fn new(
        holder: &Holder,
        peer: Option<&Peer>,
        tunnels: usize,
        rules: &Rules,
        now: Moment,
    ) -> Self {
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
            state: holder.standing().into(),
            lease_left: holder.lease_end(rules).saturating_since(now),
            leaving: holder.leaving(),
            tunnels,
            draining_from: holder.drain().map(|drain| drain.total),
            added_unix_micros: peer.map(|peer| peer.added_unix_micros),
            last_message_unix_micros: unix_micros_of(holder.heard(), now),
        }
    }
}

/// What a worker can be reached for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    /// Connected and heard of in time.
    Live,
    /// Connected, but a heartbeat is missing: its requests wait.
    Silent,
    /// Not connected; its lease still runs, and its requests wait.
    Suspended,
}

impl WorkerState {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Silent => "silent",
            Self::Suspended => "suspended",
        }
    }
}

impl From<Standing> for WorkerState {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Live { .. } => Self::Live,
            Standing::Silent { .. } => Self::Silent,
            Standing::Suspended => Self::Suspended,
        }
    }
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The key.
    pub key: ResourceKey,
    /// Who owns it; `None` when nobody does.
    pub owner: Option<OwnerStatus>,
    /// How many of its requests wait.
    pub waiting: usize,
    /// Who would get it, if it had no owner and were asked for now.
    pub next: Option<WorkerId>,
    /// How it lost its owners, latest first, as far as that is remembered.
    pub history: Vec<PastOwner>,
}

/// The owner of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerStatus {
    /// The worker.
    pub worker: WorkerId,
    /// The epoch it owns the key under.
    pub epoch: Epoch,
    /// What the worker can be reached for.
    pub state: WorkerState,
    /// How far the ownership is.
    pub stage: OwnershipStage,
    /// How long the key still stays with this worker if nothing is heard of it.
    pub lease_left: Duration,
    /// How long ago the key was last used, within 100 ms.
    pub unused: Option<Duration>,
}

/// How far an ownership is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnershipStage {
    /// The store has not confirmed it.
    Claimed,
    /// It is in force.
    Held,
    /// The worker was asked to let the key go.
    Leaving {
        /// Why.
        cause: Cause,
        /// The worker that is to have it, if one was named.
        to: Option<WorkerId>,
    },
}

/// An ownership that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastOwner {
    /// The worker.
    pub worker: WorkerId,
    /// The epoch it owned the key under.
    pub epoch: Epoch,
    /// When it ended: microseconds since 1970.
    pub ended_unix_micros: u64,
    /// How it ended.
    pub ending: Ending,
}

impl KeyStatus {
    pub(crate) fn new(
        placement: &Placement,
        key: &ResourceKey,
        now: Moment,
        last_use: impl FnOnce(Epoch) -> Option<Moment>,
    ) -> Self {
        let owner = placement.pin(key).and_then(|pin| {
            let holder = placement.holder(pin.holder)?;
            let stage = match (pin.stage, placement.handover(key)) {
                (Stage::Claimed | Stage::Declined, _) => OwnershipStage::Claimed,
                (Stage::Leaving, Some(handover)) => OwnershipStage::Leaving {
                    cause: handover.cause,
                    to: match handover.next {
                        Next::To(worker) => Some(worker),
                        Next::Anyone | Next::Nobody => None,
                    },
                },
                (Stage::Held, _) | (Stage::Leaving, None) => OwnershipStage::Held,
            };
            Some(OwnerStatus {
                worker: holder.worker(),
                epoch: pin.epoch,
                state: holder.standing().into(),
                stage,
                lease_left: holder.lease_end(placement.rules()).saturating_since(now),
                unused: last_use(pin.epoch).map(|last| now.saturating_since(last)),
            })
        });
        let next = placement
            .next_for(key)
            .and_then(|id| placement.holder(id))
            .map(Holder::worker);
        let history = placement
            .history(key)
            .map(|past| PastOwner {
                worker: past.worker,
                epoch: past.epoch,
                ended_unix_micros: unix_micros_of(past.at, now),
                ending: past.ending,
            })
            .collect();
        Self {
            key: key.clone(),
            owner,
            waiting: placement.waiting_for(key),
            next,
            history,
        }
    }
}

/// What the wall clock showed at a moment, for people.
fn unix_micros_of(moment: Moment, now: Moment) -> u64 {
    let ago = now.saturating_since(moment).as_micros();
    clock::unix_micros().saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX))
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
