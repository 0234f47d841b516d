//! What whoever runs a worker chose about giving keys back.

use std::time::Duration;

/// How long a draining worker waits for a controller that takes none of its keys.
pub const HANDOVER_STALL: Duration = Duration::from_secs(2);

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Rules {
    /// How long what runs may go on under a key that is given back in order, and how long a
    /// draining worker lets the controller take its keys in all.
    pub drain_timeout: Duration,
    /// How long a draining worker waits for the controller to take a key while none is being
    /// given back. Then it gives back what is left by itself: the controller may be of a version
    /// that takes nothing. [`HANDOVER_STALL`] is a good one.
    pub handover_stall: Duration,
}
