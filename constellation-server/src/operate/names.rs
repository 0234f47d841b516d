//! What workers are called in front of people.

use std::collections::BTreeMap;

use constellation_actors::placement::worker::WorkerId;

use super::words::printable;
use crate::admin::worker::Worker;

/// The least digits of a shortened id.
const DIGITS_MIN: usize = 8;

/// The names of the workers that are there.
#[derive(Debug)]
pub(super) struct Names {
    names: BTreeMap<WorkerId, String>,
    digits: usize,
}

impl Names {
    pub(super) fn new(workers: &[Worker]) -> Self {
        let names: BTreeMap<_, _> = workers
            .iter()
            .map(|worker| (worker.id, printable(&worker.name)))
            .collect();
        let ids: Vec<_> = names.keys().map(WorkerId::to_string).collect();
        // Ids are in order, so whichever share a beginning are neighbours.
        let shared = |pair: &[String]| {
            let (one, other) = (pair[0].bytes(), pair[1].bytes());
            one.zip(other)
                .take_while(|(one, other)| one == other)
                .count()
        };
        let digits = ids.windows(2).map(|pair| shared(pair) + 1).max();
        Self {
            names,
            digits: digits.unwrap_or_default().max(DIGITS_MIN),
        }
    }

    /// The beginning of an id, long enough to tell it from the others.
    pub(super) fn short(&self, id: WorkerId) -> String {
        id.to_string().chars().take(self.digits).collect()
    }

    /// A worker's name, or the beginning of its id when it has none of its own.
    pub(super) fn brief(&self, id: WorkerId) -> String {
        match self.names.get(&id) {
            Some(name) if self.is_own(name) => name.clone(),
            _ => self.short(id),
        }
    }

    /// A worker's name, if it has one, and its id.
    pub(super) fn full(&self, id: WorkerId) -> String {
        match self.names.get(&id) {
            Some(name) if !name.is_empty() => format!("{name} ({id})"),
            _ => id.to_string(),
        }
    }

    fn is_own(&self, name: &str) -> bool {
        !name.is_empty() && self.names.values().filter(|other| *other == name).count() == 1
    }
}
