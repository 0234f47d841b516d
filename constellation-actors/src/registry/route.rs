//! The route view: who answers for a key, read by the ingress without a message or a lock.
//!
//! Written by the Registry alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_web::http::header::HeaderValue;
use arc_swap::ArcSwapOption;

use crate::{
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey, moment::Moment, worker::WorkerId},
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

    /// Whether `wire` is its connection no longer.
    pub(crate) fn has_left(&self, wire: &Wire) -> bool {
        let current = self.wire.load();
        current
            .as_ref()
            .is_none_or(|current| !std::ptr::eq(&raw const **current, wire))
    }

    /// Takes a connection in place of the one before, whose exchanges end.
    pub(crate) fn attach(&self, wire: Arc<Wire>) {
        if let Some(older) = self.wire.swap(Some(wire)) {
            older.end_exchanges();
        }
    }

    pub(super) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
    }

    /// The life is over: no answer that belongs to it and has not come completely is in force any
    /// more. The connection is left to close by itself, so that what the worker is told still goes
    /// out.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.set_open(false);
        if let Some(wire) = self.wire.swap(None) {
            wire.end_exchanges();
        }
    }
}

/// A confirmed pin. Whoever holds one besides the route view says by that that its key is in use:
/// a request on its way, and an exchange to its end. Nobody else may keep one.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) key: ResourceKey,
    pub(crate) link: Arc<Link>,
    pub(crate) epoch: Epoch,
    pub(crate) grant: GrantId,
    /// The stage in the lowest bits, and above them when a request last asked for it, by the view's
    /// coarse clock. One word for both, so that a million pins take 16 MB less.
    state: AtomicU32,
}

/// No bit of a stage: new requests may be sent under the pin.
const OPEN: u32 = 0b00;
/// New requests have to ask first; answers under the pin are in force.
const FROZEN: u32 = 0b01;
/// The pin is over.
const WITHDRAWN: u32 = 0b10;

/// The bits of a stage. They are only ever set.
const STAGE: u32 = FROZEN | WITHDRAWN;

/// How far a time is shifted to make room for a stage.
const STAGE_BITS: u32 = STAGE.count_ones();

impl Route {
    /// Whether its epoch is still the current one.
    pub(crate) fn is_in_force(&self) -> bool {
        self.stage() & WITHDRAWN == 0 && !self.link.ended.load(Ordering::Acquire)
    }

    /// Whether new requests may be sent under it.
    pub(crate) fn is_open(&self) -> bool {
        self.stage() == OPEN && !self.link.ended.load(Ordering::Acquire)
    }

    /// Whether its owner was asked to let the key go.
    pub(crate) fn is_frozen(&self) -> bool {
        self.stage() == FROZEN
    }

    fn stage(&self) -> u32 {
        self.state.load(Ordering::Acquire) & STAGE
    }

    fn enter(&self, stage: u32) {
        self.state.fetch_or(stage, Ordering::AcqRel);
    }

    /// The pin is over: of its answers, those count that have come completely.
    fn end(self: &Arc<Self>) {
        self.enter(WITHDRAWN);
        if let Some(wire) = self.link.wire.load_full() {
            wire.withdraw(self);
        }
    }

    fn used(&self) -> u32 {
        self.state.load(Ordering::Relaxed) >> STAGE_BITS
    }

    fn touch(&self, now: u32) {
        let seen = self.state.load(Ordering::Relaxed);
        // Most requests find the number of the one before: nothing is written then, and no other
        // thread's cache is disturbed.
        if seen >> STAGE_BITS != now {
            let touched = now << STAGE_BITS | seen & STAGE;
            // Whoever was quicker has touched it too, or ended it.
            let _quicker =
                self.state
                    .compare_exchange(seen, touched, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

/// One tick of the coarse clock.
const COARSE: Duration = Duration::from_millis(100);

/// Every confirmed pin by its key.
#[derive(Debug, Default)]
pub(crate) struct RouteView {
    routes: papaya::HashMap<ResourceKey, Arc<Route>>,
    /// How often [`COARSE`] has passed since the clock's start, so that a request need not look. Stands
    /// still after three years.
    now: AtomicU32,
}

impl RouteView {
    /// The pin of a key, for a request that is sent under it.
    pub(crate) fn get(&self, key: &str) -> Option<Arc<Route>> {
        let routes = self.routes.pin();
        let route = routes.get(key).filter(|route| route.is_open())?;
        route.touch(self.now.load(Ordering::Relaxed));
        Some(Arc::clone(route))
    }

    /// Calls `look` with every pin, frozen ones included, in no particular order.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&Route)) {
        self.routes.pin().iter().for_each(|(_, route)| look(route));
    }

    /// When the pin of `key` under `epoch` was last used: `now`, while a request is under way.
    /// `None` when there is no such pin.
    pub(crate) fn last_use(&self, key: &str, epoch: Epoch, now: Moment) -> Option<Moment> {
        let routes = self.routes.pin();
        let route = routes.get(key).filter(|route| route.epoch == epoch)?;
        if Arc::strong_count(route) > 1 {
            return Some(now);
        }
        // The end of the tick that it counts, so that no use seems longer ago than it is.
        let used = Moment::ZERO + COARSE * (route.used() + 1);
        Some(used.min(now))
    }

    /// Time has passed.
    pub(super) fn set_now(&self, now: Moment) {
        let ticks = now.as_micros() / (COARSE.as_micros() as u64);
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        self.now
            .store(ticks.min(u32::MAX >> STAGE_BITS), Ordering::Relaxed);
    }

    pub(crate) fn publish(&self, key: ResourceKey, link: Arc<Link>, epoch: Epoch, grant: GrantId) {
        let route = Route {
            key: key.clone(),
            link,
            epoch,
            grant,
            state: AtomicU32::new(self.now.load(Ordering::Relaxed) << STAGE_BITS | OPEN),
        };
        let routes = self.routes.pin();
        if let Some(older) = routes.insert(key, Arc::new(route)) {
            older.end();
        }
    }

    pub(crate) fn freeze(&self, key: &str, epoch: Epoch) {
        if let Some(route) = self
            .routes
            .pin()
            .get(key)
            .filter(|route| route.epoch == epoch)
        {
            route.enter(FROZEN);
        }
    }

    pub(crate) fn withdraw(&self, key: &ResourceKey, epoch: Epoch) {
        let routes = self.routes.pin();
        let Some(route) = routes.get(key).filter(|route| route.epoch <= epoch) else {
            return;
        };
        route.end();
        routes.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn view() -> (RouteView, ResourceKey) {
        let view = RouteView::default();
        let key = ResourceKey::parse("/a").unwrap();
        let link = Arc::new(Link::new(WorkerId::new(Uuid::nil())));
        view.publish(key.clone(), link, Epoch::new(5), GrantId::new(0));
        (view, key)
    }

    fn at(millis: u64) -> Moment {
        Moment::from_micros(millis * 1_000)
    }

    #[test]
    fn a_frozen_pin_takes_no_new_request_and_keeps_its_answers() {
        let (view, key) = view();
        let running = view.get(&key).unwrap();
        view.freeze(&key, Epoch::new(5));
        assert!(view.get(&key).is_none());
        assert!(running.is_in_force());
        view.withdraw(&key, Epoch::new(5));
        assert!(!running.is_in_force());
    }

    #[test]
    fn a_pin_is_in_use_while_a_request_is_under_way_and_until_it_was_last_asked_for() {
        let (view, key) = view();
        let last = |now| view.last_use(&key, Epoch::new(5), now).unwrap();
        view.set_now(at(1_000));
        let running = view.get(&key).unwrap();
        view.set_now(at(60_000));
        assert_eq!(last(at(60_000)), at(60_000), "a request is under way");
        drop(running);
        assert_eq!(last(at(60_000)), at(1_100));
        assert_eq!(view.last_use(&key, Epoch::new(6), at(60_000)), None);
    }
}
