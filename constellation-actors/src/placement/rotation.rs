//! Whose turn it is: the workers that may get a new key, grouped by what they serve.

use std::collections::BTreeSet;

use super::{holder::HolderId, pattern::Pattern, strategy::Rank};

/// The workers that may get a new key, in the order of choice. A choice costs as many comparisons
/// as there are *different* lists of served patterns, whatever the number of workers and keys.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Rotation {
    groups: Vec<Group>,
}

/// The workers in rotation that serve the same patterns.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
struct Group {
    serves: Vec<Pattern>,
    order: BTreeSet<(Rank, HolderId)>,
}

impl Group {
    fn serves(&self, key: &str) -> bool {
        self.serves.is_empty() || self.serves.iter().any(|pattern| pattern.matches(key))
    }
}

impl Rotation {
    /// Who is next for `key`, other than `except`.
    pub(super) fn next(&self, key: &str, except: Option<HolderId>) -> Option<HolderId> {
        let serving = self.groups.iter().filter(|group| group.serves(key));
        serving
            .filter_map(|group| group.order.iter().find(|(_, id)| Some(*id) != except))
            .min()
            .map(|(_, holder)| *holder)
    }

    pub(super) fn insert(&mut self, serves: &[Pattern], rank: Rank, holder: HolderId) {
        let known = self.groups.iter().position(|group| group.serves == serves);
        let at = known.unwrap_or_else(|| {
            self.groups.push(Group {
                serves: serves.to_vec(),
                order: BTreeSet::new(),
            });
            self.groups.len() - 1
        });
        self.groups[at].order.insert((rank, holder));
    }

    pub(super) fn remove(&mut self, serves: &[Pattern], rank: Rank, holder: HolderId) {
        let Some(at) = self.groups.iter().position(|group| group.serves == serves) else {
            return;
        };
        self.groups[at].order.remove(&(rank, holder));
        if self.groups[at].order.is_empty() {
            self.groups.remove(at);
        }
    }
}
