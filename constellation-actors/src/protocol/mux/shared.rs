//! A mux behind a lock, for the tasks of a session. Never wakes anybody while it holds the lock,
//! and never holds it while anybody waits.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Mux, waking::Wakers};

/// A handle on one side of a session. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<Mux>>);

impl Shared {
    /// Puts `mux` behind a lock.
    #[must_use]
    pub fn new(mux: Mux) -> Self {
        Self(Arc::new(Mutex::new(mux)))
    }

    /// Calls `act` under the lock, then wakes whom that concerns.
    ///
    /// `act` must be short and must not come back to this handle: it would wait for itself.
    pub fn with<T>(&self, act: impl FnOnce(&mut Mux) -> T) -> T {
        let (outcome, wakers) = self.with_wakers(act);
        wakers.wake();
        outcome
    }

    /// Calls `act` under the lock, and leaves waking to the caller.
    ///
    /// For [`Mux::receive`]: whoever handles its events before it wakes, makes what came first
    /// known first. A request that was refused behind a RELEASED is then tried again by somebody
    /// who can already learn of the release.
    pub fn with_wakers<T>(&self, act: impl FnOnce(&mut Mux) -> T) -> (T, Wakers) {
        // A panic under the lock comes from a closure that writes a frame, and such a frame takes
        // itself back: the mux behind a poisoned lock is whole.
        let mut mux = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = act(&mut mux);
        (outcome, mux.take_wakers())
    }
}
