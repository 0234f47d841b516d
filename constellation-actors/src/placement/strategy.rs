//! How the worker of a new key is chosen among those that may own it.

/// How the worker of a new key is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The one that was chosen longest ago.
    #[default]
    RoundRobin,
    /// The one with the fewest keys; among equals the one that was chosen longest ago.
    LeastPinned,
}

/// A worker's place in the order of choice; the lowest is chosen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    load: usize,
    last_turn: u64,
}

impl Strategy {
    pub(super) fn rank(self, keys: usize, last_turn: u64) -> Rank {
        match self {
            Self::RoundRobin => Rank { load: 0, last_turn },
            Self::LeastPinned => Rank {
                load: keys,
                last_turn,
            },
        }
    }
}
