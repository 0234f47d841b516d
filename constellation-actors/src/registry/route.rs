//! The route view: who answers for a key, read by the ingress without a message or a lock.
//!
//! Written by the Registry alone.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::http::header::HeaderValue;
use arc_swap::ArcSwapOption;

use crate::{
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey, worker::WorkerId},
    session::wire::Wire,
};

/// A worker's life as the ingress sees it. It outlives the single connections of that life.
#[derive(Debug)]
pub(crate) struct Link {
    worker: WorkerId,
    header: HeaderValue,
    wire: ArcSwapOption<Wire>,
    open: AtomicBool,
    ended: AtomicBool,
}

impl Link {
    pub(crate) fn new(worker: WorkerId) -> Self {
        let header = HeaderValue::from_str(&worker.to_string());
        Self {
            worker,
            header: header.expect("a UUID is a valid header value"),
            wire: ArcSwapOption::empty(),
            open: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        }
    }

    pub(crate) fn worker(&self) -> WorkerId {
        self.worker
    }

    /// The value of `x-worker`.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// The connection, when requests may be delivered now.
    pub(crate) fn wire(&self) -> Option<Arc<Wire>> {
        if !self.open.load(Ordering::Acquire) {
            return None;
        }
        self.wire.load_full()
    }

    pub(super) fn attach(&self, wire: Arc<Wire>) {
        self.wire.store(Some(wire));
    }

    pub(super) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
    }

    /// The life is over: no answer that belongs to it is in force any more. The connection is left
    /// to close by itself, so that what the worker is told still goes out.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.set_open(false);
        if let Some(wire) = self.wire.swap(None) {
            wire.end_exchanges();
        }
    }
}

/// A confirmed pin.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) key: ResourceKey,
    pub(crate) link: Arc<Link>,
    pub(crate) epoch: Epoch,
    pub(crate) grant: GrantId,
    withdrawn: AtomicBool,
}

impl Route {
    /// Whether its epoch is still the current one. An answer under any other is discarded.
    pub(crate) fn is_in_force(&self) -> bool {
        !self.withdrawn.load(Ordering::Acquire) && !self.link.ended.load(Ordering::Acquire)
    }
}

/// Every confirmed pin by its key.
#[derive(Debug, Default)]
pub(crate) struct RouteView {
    routes: papaya::HashMap<ResourceKey, Arc<Route>>,
}

impl RouteView {
    pub(crate) fn get(&self, key: &str) -> Option<Arc<Route>> {
        self.routes.pin().get(key).cloned()
    }

    pub(super) fn publish(&self, key: ResourceKey, link: Arc<Link>, epoch: Epoch, grant: GrantId) {
        let route = Route {
            key: key.clone(),
            link,
            epoch,
            grant,
            withdrawn: AtomicBool::new(false),
        };
        let routes = self.routes.pin();
        if let Some(older) = routes.insert(key, Arc::new(route)) {
            older.withdrawn.store(true, Ordering::Release);
        }
    }

    pub(super) fn withdraw(&self, key: &ResourceKey, epoch: Epoch) {
        let routes = self.routes.pin();
        let Some(route) = routes.get(key).filter(|route| route.epoch <= epoch) else {
            return;
        };
        route.withdrawn.store(true, Ordering::Release);
        routes.remove(key);
    }
}
