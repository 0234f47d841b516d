//! What the operator chose: times, limits, strategy.

use std::time::Duration;

use super::strategy::Strategy;

/// When the keys of a worker move whose connection vanished without a goodbye.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDisconnect {
    /// When its lease has ended: no two owners, as long as clock rates hold.
    #[default]
    WaitForLease,
    /// At once: faster, and the guarantee then rests on fences alone.
    Reassign,
}

/// The rules a [`Placement`](super::Placement) follows.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How often a worker renews its lease, or a best-effort worker is probed. Default 2 s.
    pub interval: Duration,
    /// How many intervals without a word end a worker. Default 3.
    pub failures_max: u32,
    /// When keys move after a lost connection. Default [`OnDisconnect::WaitForLease`].
    pub on_disconnect: OnDisconnect,
    /// How a new key's worker is chosen. Default [`Strategy::RoundRobin`].
    pub strategy: Strategy,
    /// The most requests that wait for one key. Default 1,000.
    pub waiting_per_key_max: usize,
    /// The most requests that wait for any key. Default 10,000.
    pub waiting_max: usize,
    /// The most pins. Default 10,000,000.
    pub keys_max: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(2),
            failures_max: 3,
            on_disconnect: OnDisconnect::default(),
            strategy: Strategy::default(),
            waiting_per_key_max: 1_000,
            waiting_max: 10_000,
            keys_max: 10_000_000,
        }
    }
}

impl Rules {
    /// The length of a lease: `interval x failures_max`.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.interval * self.failures_max
    }

    /// How long a worker may be silent before it gets no new keys and its requests wait: one
    /// interval missed, and half of one for the way.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.interval * 3 / 2
    }
}
