//! What a run is made of, resolved from what was typed. Pure.

use std::{path::PathBuf, time::Duration};

/// How often a lease is renewed: the least that a controller takes.
const INTERVAL: Duration = Duration::from_secs(1);

/// The least margin of a lease.
const MARGIN_MIN: Duration = Duration::from_millis(250);

/// What a run is made of.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The controller's program.
    pub(crate) program: PathBuf,
    /// How many workers there are.
    pub(crate) workers: usize,
    /// How many keys there are.
    pub(crate) keys: u32,
    /// How long a lease runs, in renewals; one more than can be missed.
    pub(crate) renewals: u32,
    /// Whether keys move as soon as a connection is lost.
    pub(crate) reassign: bool,
    /// Whether workers compare epochs.
    pub(crate) fenced: bool,
    /// Further settings of the controller, such as `Proxy.TimeoutMs=1000`.
    pub(crate) set: Vec<String>,
}

impl Setup {
    /// How often a lease is renewed.
    pub(crate) fn interval(&self) -> Duration {
        INTERVAL
    }

    /// The controller's setting of that name.
    pub(crate) fn failures_max(&self) -> u32 {
        self.renewals
    }

    /// How long a lease runs.
    pub(crate) fn ttl(&self) -> Duration {
        INTERVAL * self.renewals
    }

    /// How much earlier a worker stops to act.
    pub(crate) fn margin(&self) -> Duration {
        (self.ttl() / 8).max(MARGIN_MIN)
    }
}
