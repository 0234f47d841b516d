//! Requests that wait for a key's owner, bounded per key and in total.

use std::collections::{HashMap, VecDeque};

use super::{effect::Rejection, input::Ticket, key::ResourceKey};
use crate::mutation::{self, Mutation};

/// Requests that wait, in a line per key.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Waiting {
    lines: HashMap<ResourceKey, VecDeque<Ticket>>,
    total: usize,
}

impl Waiting {
    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn at(&self, key: &str) -> usize {
        self.lines.get(key).map_or(0, VecDeque::len)
    }

    pub(super) fn push(
        &mut self,
        key: &ResourceKey,
        ticket: Ticket,
        per_key_max: usize,
        total_max: usize,
    ) -> Result<(), Rejection> {
        let unbounded = mutation::is_active(Mutation::WaitingUnbounded);
        if self.total >= total_max && !unbounded {
            return Err(Rejection::WaitingFull);
        }
        if self.at(key) >= per_key_max && !unbounded {
            return Err(Rejection::WaitingPerKeyFull);
        }
        self.lines.entry(key.clone()).or_default().push_back(ticket);
        self.total += 1;
        Ok(())
    }

    /// Everybody who waits for `key`, who then waits no more.
    pub(super) fn take(&mut self, key: &str) -> VecDeque<Ticket> {
        let line = self.lines.remove(key).unwrap_or_default();
        self.total -= line.len();
        line
    }

    /// Forgets one ticket; tells whether anybody still waits for `key`.
    pub(super) fn abandon(&mut self, key: &str, ticket: Ticket) -> bool {
        let Some(line) = self.lines.get_mut(key) else {
            return false;
        };
        let before = line.len();
        line.retain(|waiting| *waiting != ticket);
        self.total -= before - line.len();
        if line.is_empty() {
            self.lines.remove(key);
            return false;
        }
        true
    }
}
