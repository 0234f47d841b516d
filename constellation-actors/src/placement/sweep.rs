//! Which keys are looked at next for whether anybody uses them, so that each has its turn.

use std::{collections::VecDeque, time::Duration};

use super::{epoch::Epoch, key::ResourceKey, moment::Moment, rules::Idleness};

/// The most keys that are asked about at a time: short enough that no request notices.
const BATCH_MAX: usize = 5_000;

/// The least and the most time between two batches.
const STEP: (Duration, Duration) = (Duration::from_millis(25), Duration::from_secs(1));

/// A round takes this part of the time after which a key counts as idle.
const ROUNDS_PER_IDLE_TIME: u32 = 4;

/// The keys that may become idle, in the order in which they are looked at.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub(super) struct Sweep {
    queue: VecDeque<(ResourceKey, Epoch)>,
    due: Option<Moment>,
}

impl Sweep {
    /// Takes a pin in that was just confirmed, or looked at.
    pub(super) fn push(&mut self, now: Moment, key: ResourceKey, epoch: Epoch, rules: &Idleness) {
        self.queue.push_back((key, epoch));
        self.due.get_or_insert(now + step(rules));
    }

    /// How many pins it keeps, those included that are over.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Drops what `is_current` does not know any more.
    pub(super) fn retain(&mut self, is_current: impl Fn(&ResourceKey, Epoch) -> bool) {
        self.queue.retain(|(key, epoch)| is_current(key, *epoch));
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.due
    }

    /// The keys whose turn it is by `now`; none if it is nobody's.
    pub(super) fn take_due(&mut self, now: Moment, rules: &Idleness) -> Vec<(ResourceKey, Epoch)> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        let steps = (rules.after / ROUNDS_PER_IDLE_TIME).as_micros() / step(rules).as_micros();
        let steps = usize::try_from(steps).unwrap_or(usize::MAX).max(1);
        let count = self.queue.len().div_ceil(steps).min(BATCH_MAX);
        let batch: Vec<_> = self.queue.drain(..count).collect();
        // What was taken comes back by itself, and sets the next step then.
        self.due = (!self.queue.is_empty()).then(|| now + step(rules));
        batch
    }
}

fn step(rules: &Idleness) -> Duration {
    (rules.after / 64).clamp(STEP.0, STEP.1)
}
