//! The bodies of orders about one key.

use constellation_actors::placement::worker::WorkerId;
use serde::{Deserialize, Serialize};

/// Hand a key over.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveOrder {
    /// The key.
    pub(crate) key: String,
    /// The worker that is to have it; whoever is next when it is null or left out.
    #[serde(default)]
    pub(crate) worker: Option<WorkerId>,
}

/// Take a key from its owner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyOrder {
    /// The key.
    pub(crate) key: String,
}
