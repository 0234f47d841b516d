//! Listing keys, a page at a time. Reads the route view and never asks the Registry, so that no
//! request waits for a long list.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    placement::{epoch::Epoch, key::ResourceKey, worker::WorkerId},
    registry::route::RouteView,
};

/// The most keys of one page.
pub const PAGE_KEYS_MAX: usize = 10_000;

/// Which keys to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyQuery {
    /// Only those that begin so; empty for all.
    pub prefix: String,
    /// Only those of this worker.
    pub worker: Option<WorkerId>,
    /// Only those that come behind this one: [`KeyPage::next`] of the page before.
    pub after: Option<String>,
    /// How many, at most [`PAGE_KEYS_MAX`].
    pub limit: usize,
}

/// A page of keys, in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<ListedKey>,
    /// Where the next page begins; `None` when there is none.
    pub next: Option<String>,
}

/// A key that has an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The key.
    pub key: ResourceKey,
    /// Its owner.
    pub worker: WorkerId,
    /// The epoch it owns the key under.
    pub epoch: Epoch,
    /// Whether the owner was asked to let it go.
    pub leaving: bool,
}

/// Collects a page. Looks at every pin, and keeps no more than a page of them.
pub(super) fn page(view: &Arc<RouteView>, query: &KeyQuery) -> KeyPage {
    let limit = query.limit.clamp(1, PAGE_KEYS_MAX);
    let mut first = BTreeMap::new();
    view.for_each(|route| {
        let wanted = route.key.starts_with(&query.prefix)
            && query
                .after
                .as_deref()
                .is_none_or(|after| &*route.key > after)
            && query
                .worker
                .is_none_or(|worker| worker == route.link.worker())
            && route.is_in_force();
        let last_so_far = first.last_key_value().map(|(key, _)| key);
        let fits = first.len() <= limit || last_so_far.is_some_and(|last| route.key < *last);
        if wanted && fits {
            let listed = ListedKey {
                key: route.key.clone(),
                worker: route.link.worker(),
                epoch: route.epoch,
                leaving: route.is_frozen(),
            };
            first.insert(route.key.clone(), listed);
            // One more than the page tells whether there is another.
            if first.len() > limit + 1 {
                first.pop_last();
            }
        }
    });
    let mut keys: Vec<_> = first.into_values().collect();
    let more = keys.len() > limit;
    keys.truncate(limit);
    let next = keys
        .last()
        .filter(|_| more)
        .map(|last| last.key.to_string());
    KeyPage { keys, next }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{placement::grant::GrantId, registry::route::Link};

    fn view(paths: &[&str]) -> Arc<RouteView> {
        let view = RouteView::default();
        for (number, path) in paths.iter().enumerate() {
            let worker = WorkerId::new(Uuid::from_u128(number as u128 % 2));
            let key = ResourceKey::parse(path).unwrap();
            let grant = GrantId::new(0);
            view.publish(key, Arc::new(Link::new(worker)), Epoch::new(1), grant);
        }
        Arc::new(view)
    }

    fn paths(page: &KeyPage) -> Vec<&str> {
        page.keys.iter().map(|listed| listed.key.as_str()).collect()
    }

    #[test]
    fn pages_follow_each_other_without_a_gap_or_a_repetition() {
        let view = view(&["/d", "/b", "/a", "/c", "/e"]);
        let mut query = KeyQuery {
            limit: 2,
            ..KeyQuery::default()
        };
        let mut seen = Vec::new();
        loop {
            let page = page(&view, &query);
            seen.push(paths(&page).join(""));
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, ["/a/b", "/c/d", "/e"]);
    }

    #[test]
    fn a_prefix_and_a_worker_choose_among_the_keys() {
        let view = view(&["/x/1", "/x/2", "/y/3", "/x/4"]);
        let query = KeyQuery {
            prefix: "/x".into(),
            worker: Some(WorkerId::new(Uuid::from_u128(1))),
            limit: 10,
            ..KeyQuery::default()
        };
        let page = page(&view, &query);
        assert_eq!(paths(&page), ["/x/2", "/x/4"]);
        assert_eq!(page.next, None);
    }
}
