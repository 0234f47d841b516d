//! What the operator chose: times, limits, strategy.

use std::time::Duration;

use super::{key_rules::KeyRules, pattern::Pattern, strategy::Strategy};

/// When the keys of a worker move whose connection vanished without a goodbye.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDisconnect {
    /// When its lease has ended: no two owners, as long as clock rates hold.
    #[default]
    WaitForLease,
    /// At once: faster, and the guarantee then rests on fences alone.
    Reassign,
}

/// When keys that nobody uses are released.
#[derive(Clone, Debug)]
pub struct Idleness {
    /// How long a key must not have been used. It is released within a quarter of that later.
    pub after: Duration,
    /// Keys that stay however long nobody uses them.
    pub never: Vec<Pattern>,
}

/// Whether keys are moved so that workers have equally many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rebalancing {
    /// Keys stay where they are.
    #[default]
    Off,
    /// Rounds are held.
    On,
    /// As off, for the time being: an operator interrupted it.
    Paused,
}

/// How far and how fast keys are moved so that workers have equally many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The time between two rounds. Default 30 s.
    pub interval: Duration,
    /// The most keys that one round moves. Default 10.
    pub budget: u32,
    /// By how many keys two workers must differ for one to move. At least 2, because moving a key
    /// changes the difference by that much. Default 5.
    pub gain_min: usize,
    /// How long a key stays where it is after a planned move. Default 5 min.
    pub cooldown: Duration,
}

impl Default for Balance {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(30),
            budget: 10,
            gain_min: 5,
            cooldown: Duration::from_secs(300),
        }
    }
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
    /// How the paths of requests are mapped to keys. Default: the path is the key.
    pub key_rules: KeyRules,
    /// How many keys of a drained worker move at a time. Default 64.
    pub drain_parallel: usize,
    /// How long a worker may take to let one key go before what runs for it is cancelled.
    /// Default 30 s.
    pub handover_patience: Duration,
    /// When unused keys are released. Default: never.
    pub idleness: Option<Idleness>,
    /// How keys are moved once an operator turns rebalancing on.
    pub balance: Balance,
    /// Whether that is on from the start. Default: off.
    pub rebalancing: Rebalancing,
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
            key_rules: KeyRules::default(),
            drain_parallel: 64,
            handover_patience: Duration::from_secs(30),
            idleness: None,
            balance: Balance::default(),
            rebalancing: Rebalancing::default(),
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
