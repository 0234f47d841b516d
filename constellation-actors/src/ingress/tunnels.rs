//! Every open tunnel, and how all those of a key or of the controller end. Never moves a byte.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::tunnel::{Ending, Tunnel};
use crate::{
    clock::Clock,
    counters::Counters,
    placement::{epoch::Epoch, key::ResourceKey},
};

/// How long a tunnel may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TunnelTimes {
    /// Without a byte in either direction; `None` for any time.
    pub(crate) idle: Option<Duration>,
    /// At all; `None` for any time.
    pub(crate) lifetime: Option<Duration>,
}

/// The open tunnels of a controller.
pub(crate) struct Tunnels {
    pub(super) times: TunnelTimes,
    pub(super) clock: Clock,
    pub(super) counters: Arc<Counters>,
    /// By key, so that those of one are found without looking at the others.
    open: Mutex<BTreeMap<(ResourceKey, u64), Arc<Tunnel>>>,
    last: AtomicU64,
    stopped: AtomicBool,
}

impl Tunnels {
    pub(crate) fn new(times: TunnelTimes, clock: Clock, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            times,
            clock,
            counters,
            open: Mutex::default(),
            last: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        })
    }

    /// Whether no further tunnel is opened.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// A number that no tunnel had before.
    pub(super) fn next_number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed)
    }

    /// Enters a tunnel. Whoever ends those of its key or all from now on ends it too; whether that
    /// has happened before is for the caller to find out, behind this call.
    pub(super) fn enter(&self, tunnel: &Arc<Tunnel>) {
        let place = (tunnel.key().clone(), tunnel.number());
        self.lock().insert(place, Arc::clone(tunnel));
        self.counters.tunnels_opened.add();
    }

    /// Takes a tunnel out again; tells whether it was still there.
    pub(super) fn remove(&self, tunnel: &Tunnel) -> bool {
        let place = (tunnel.key().clone(), tunnel.number());
        let removed = self.lock().remove(&place);
        // Dropped behind the lock.
        removed.is_some()
    }

    /// Ends the tunnels of a key whose epoch is lower than `epoch`: the key has moved.
    pub(crate) fn end_older(&self, key: &ResourceKey, epoch: Epoch) {
        let range = (key.clone(), 0)..=(key.clone(), u64::MAX);
        let ended: Vec<_> = {
            let open = self.lock();
            if open.is_empty() {
                return;
            }
            let of_key = open.range(range).map(|(_, tunnel)| tunnel);
            of_key
                .filter(|tunnel| tunnel.epoch() < epoch)
                .cloned()
                .collect()
        };
        ended.iter().for_each(|tunnel| tunnel.end(Ending::Moved));
    }

    /// Ends all tunnels, and lets none be opened any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        let ended: Vec<_> = self.lock().values().cloned().collect();
        ended.iter().for_each(|tunnel| tunnel.end(Ending::Stopped));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(ResourceKey, u64), Arc<Tunnel>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tunnels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tunnels")
            .field("times", &self.times)
            .field("open", &self.lock().len())
            .field("stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}
