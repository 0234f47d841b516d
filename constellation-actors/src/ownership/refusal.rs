//! Why a request may not start here.

use super::holding::HoldingId;

/// Why a request may not start here. Whatever the reason, it provably has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its grant means nothing here, or nothing any more.
    NotInForce,
    /// The worker has no lease, or none that says anything of the key.
    NoLease,
    /// The key is being given back, and the controller counts this worker as its owner until it
    /// reads RELEASED. To be sent only behind that: once the holding is gone.
    BeingGivenBack(HoldingId),
}
