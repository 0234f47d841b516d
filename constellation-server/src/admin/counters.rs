//! Counters as JSON.

use std::collections::BTreeMap;

use constellation_actors::Counts;
use serde::{Deserialize, Serialize};

/// How often what happened since the controller started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Every counter by its name.
    pub(crate) counters: BTreeMap<String, u64>,
}

impl From<Counts> for Counters {
    fn from(counts: Counts) -> Self {
        let counters = counts.iter();
        Self {
            counters: counters.map(|(name, count)| (name.into(), count)).collect(),
        }
    }
}
