//! Which keys are looked at next for whether anybody uses them, so that each has its turn.

use std::{collections::VecDeque, time::Duration};

use super::{epoch::Epoch, key::ResourceKey, moment::Moment, rules::Idleness};

/// The most keys that are asked about at a time: short enough that no request notices.
const BATCH_MAX: usize = 5_000;

/// The least and the most time between two batches.
const STEP: (Duration, Duration) = (Duration::from_millis(25), Duration::from_secs(1));

/// How many keys are looked at to drop some. More than two, so that a queue of which more than half is
/// over gets shorter although one more key comes each time.
const LOOKED_AT_TO_THIN_OUT: usize = 4;

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

    /// Drops what `is_current` does not know any more of the next few; the others go to the end, and
    /// so have their turn a round later. Not of all at once, which takes seconds with millions.
    pub(super) fn thin_out(&mut self, is_current: impl Fn(&ResourceKey, Epoch) -> bool) {
        for _ in 0..LOOKED_AT_TO_THIN_OUT.min(self.queue.len()) {
            let next = self.queue.pop_front();
            let current = next.filter(|(key, epoch)| is_current(key, *epoch));
            self.queue.extend(current);
        }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_over_goes_faster_than_keys_come_and_nothing_else_goes() {
        let rules = Idleness {
            after: Duration::from_secs(60),
            never: Vec::new(),
        };
        let key = |number| ResourceKey::parse(&format!("/{number}")).unwrap();
        let mut sweep = Sweep::default();
        let (over, current) = (Epoch::new(1), Epoch::new(2));
        for number in 0..1000 {
            let epoch = if number % 5 < 3 { over } else { current };
            sweep.push(Moment::ZERO, key(number), epoch, &rules);
        }
        for number in 1000..1500 {
            sweep.push(Moment::ZERO, key(number), current, &rules);
            sweep.thin_out(|_, epoch| epoch == current);
        }
        let kept: BTreeSet<_> = sweep.queue.iter().map(|(key, _)| key.clone()).collect();
        let current = (0..1500).filter(|number| *number >= 1000 || number % 5 >= 3);
        assert!(kept == current.map(key).collect() && sweep.len() == kept.len());
    }
}
