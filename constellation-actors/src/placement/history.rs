//! How keys changed their owners, the latest times. For people; nothing is decided by it.

use std::{collections::VecDeque, fmt};

use super::{epoch::Epoch, key::ResourceKey, moment::Moment, worker::WorkerId};

/// The most endings that are remembered, over all keys.
const ENTRIES_MAX: usize = 10_000;

/// How an ownership ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Ending {
    /// Its worker said goodbye.
    Goodbye,
    /// Its worker's connection ended, and nothing was waited for.
    Disconnected,
    /// Its worker's lease ended.
    LeaseEnded,
    /// Its worker released it of its own accord.
    Released,
    /// An operator moved it.
    Moved,
    /// An operator unpinned it.
    Unpinned,
    /// Its worker was drained.
    Drained,
    /// Nobody used it.
    Idle,
    /// Its worker had more keys than others.
    Rebalanced,
    /// Another worker turned out to hold it under a higher epoch.
    Superseded,
}

impl Ending {
    /// Its name in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Goodbye => "the worker said goodbye",
            Self::Disconnected => "the worker disconnected",
            Self::LeaseEnded => "the worker's lease ended",
            Self::Released => "the worker released it",
            Self::Moved => "moved",
            Self::Unpinned => "unpinned",
            Self::Drained => "the worker was drained",
            Self::Idle => "idle",
            Self::Rebalanced => "rebalanced",
            Self::Superseded => "another worker held it under a higher epoch",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An ownership that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// When it ended.
    pub at: Moment,
    /// The key.
    pub key: ResourceKey,
    /// Who owned it.
    pub worker: WorkerId,
    /// Under which epoch.
    pub epoch: Epoch,
    /// How it ended.
    pub ending: Ending,
}

/// The latest endings, oldest first.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct History(VecDeque<Past>);

impl History {
    pub(super) fn push(&mut self, past: Past) {
        if self.0.len() == ENTRIES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(past);
    }

    /// What is remembered of `key`, latest first. Looks at every entry.
    pub(super) fn of(&self, key: &str) -> impl Iterator<Item = &Past> {
        self.0.iter().rev().filter(move |past| &*past.key == key)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_oldest_endings_make_room_for_new_ones() {
        let mut history = History::default();
        for number in 0..=ENTRIES_MAX as u64 {
            history.push(Past {
                at: Moment::from_micros(number),
                key: ResourceKey::parse("/a").unwrap(),
                worker: WorkerId::new(Uuid::nil()),
                epoch: Epoch::new(number),
                ending: Ending::Moved,
            });
        }
        assert_eq!(history.0.len(), ENTRIES_MAX);
        let latest = history.of("/a").next().unwrap();
        assert_eq!(latest.epoch, Epoch::new(ENTRIES_MAX as u64));
        assert_eq!(history.of("/b").count(), 0);
    }
}
