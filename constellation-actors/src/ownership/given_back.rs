//! What a worker has given back over its session, as long as a grant may still cross the word of
//! it. Never longer, so that it stays small.

use std::collections::BTreeMap;

use crate::placement::{epoch::Epoch, key::ResourceKey};

/// How many renewals have to be acknowledged until nothing can have crossed any more. By the first
/// the controller has read RELEASED; a thread of it that looked up the key just before may send a
/// grant a moment later, but not as late as the second.
const RENEWALS: u64 = 2;

/// Keys and the highest epochs under which they were given back over this session.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(Hash))]
pub(super) struct GivenBack {
    epochs: BTreeMap<ResourceKey, Epoch>,
    /// Which of them are forgotten with the acknowledgement of which renewal.
    until: BTreeMap<u64, Vec<(ResourceKey, Epoch)>>,
}

impl GivenBack {
    /// The highest epoch under which `key` was given back.
    pub(super) fn epoch(&self, key: &str) -> Option<Epoch> {
        self.epochs.get(key).copied()
    }

    /// A key is given back, before the renewal `next` is sent.
    pub(super) fn enter(&mut self, key: &ResourceKey, epoch: Epoch, next: u64) {
        if self.epoch(key).is_some_and(|before| before >= epoch) {
            return;
        }
        self.epochs.insert(key.clone(), epoch);
        let until = self.until.entry(next + RENEWALS - 1).or_default();
        until.push((key.clone(), epoch));
    }

    /// A renewal was acknowledged.
    pub(super) fn acknowledged(&mut self, sequence: u64) {
        let later = self.until.split_off(&(sequence.saturating_add(1)));
        let settled = std::mem::replace(&mut self.until, later);
        for (key, epoch) in settled.into_values().flatten() {
            if self.epoch(&key) == Some(epoch) {
                self.epochs.remove(&key);
            }
        }
    }

    /// The session is over, and with it whatever was under way.
    pub(super) fn clear(&mut self) {
        self.epochs.clear();
        self.until.clear();
    }
}
