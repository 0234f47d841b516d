//! The simulated controller: the real placement, and around it what the Registry, its sessions and
//! the ingress do, without a rule of its own. Follows `registry::effects` effect by effect.

mod effects;
mod hearing;
mod storing;

use std::collections::BTreeMap;

use super::{
    World,
    client::RequestId,
    clock::{Clock, Instant, MILLI, SECOND},
    event::Event,
    network::{ConnectionId, End, ExchangeId},
    note,
    scenario::Memory,
    store,
};
use crate::{
    mutation::{self, Mutation},
    placement::{
        Placement, Start,
        command::OrderId,
        epoch::Epoch,
        grant::GrantId,
        holder::HolderId,
        input::{Input, Ticket},
        key::ResourceKey,
        moment::Moment,
        worker::Incarnation,
    },
};

/// A route, by the order of publishing within one life of the controller.
pub(crate) type RouteId = usize;

/// How far a route is, as in `registry::route`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Open,
    Frozen,
    Withdrawn,
}

#[derive(Clone, Debug)]
struct Route {
    key: ResourceKey,
    holder: HolderId,
    epoch: Epoch,
    grant: GrantId,
    stage: Stage,
    used: Moment,
    /// Requests that have it in hand.
    users: usize,
}

/// A worker's life as the ingress sees it.
#[derive(Clone, Debug, Default)]
struct Link {
    incarnation: Option<Incarnation>,
    session: Option<ConnectionId>,
    open: bool,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Session {
    goodbye: bool,
    incarnation: Incarnation,
    /// Which grants the worker has been told of, by number.
    granted: BTreeMap<GrantId, Epoch>,
}

#[derive(Clone, Debug)]
struct Exchange {
    request: RequestId,
    route: RouteId,
    connection: ConnectionId,
}

/// One life of the controller.
#[derive(Debug)]
pub(crate) struct Controller {
    pub(crate) placement: Placement,
    pub(crate) life: u64,
    pub(crate) clock: Clock,
    pub(crate) paused_until: Instant,
    pub(crate) wakes_at: Option<Instant>,
    pub(crate) tickets: BTreeMap<Ticket, RequestId>,
    sessions: BTreeMap<ConnectionId, Session>,
    links: BTreeMap<HolderId, Link>,
    routes: Vec<Route>,
    shown: BTreeMap<ResourceKey, RouteId>,
    exchanges: BTreeMap<ExchangeId, Exchange>,
    incarnations: BTreeMap<(ResourceKey, Epoch), Incarnation>,
    last_ticket: u64,
    last_order: u64,
}

impl Controller {
    /// The route of a key, for a request that is sent under it.
    pub(crate) fn known(&self, key: &str) -> Option<RouteId> {
        let route = *self.shown.get(key)?;
        (self.routes[route].stage == Stage::Open).then_some(route)
    }

    pub(crate) fn hold_route(&mut self, route: RouteId) {
        self.routes[route].users += 1;
    }

    pub(crate) fn let_go_route(&mut self, route: RouteId) {
        self.routes[route].users -= 1;
    }

    pub(crate) fn pin_of(&self, route: RouteId) -> (ResourceKey, Epoch, GrantId) {
        let route = &self.routes[route];
        (route.key.clone(), route.epoch, route.grant)
    }

    pub(crate) fn new_ticket(&mut self, request: RequestId) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket::new(self.last_ticket);
        self.tickets.insert(ticket, request);
        ticket
    }

    pub(crate) fn new_order(&mut self) -> OrderId {
        self.last_order += 1;
        OrderId::new(self.last_order)
    }

    /// Where a request under `route` is sent, and whether its grant is news there. None is sent
    /// once the route is frozen, so that no grant follows a revocation, nor behind a goodbye.
    ///
    /// # Errors
    ///
    /// The epoch in doubt, if it is the connection that is over.
    pub(crate) fn open(&mut self, route: RouteId) -> Result<(ConnectionId, bool), Option<Epoch>> {
        let Route {
            holder,
            epoch,
            grant,
            stage,
            ..
        } = self.routes[route];
        if stage != Stage::Open {
            return Err(None);
        }
        let link = self.links.get(&holder).filter(|link| link.open);
        let connection = link.and_then(|link| link.session).ok_or(None)?;
        let session = self.sessions.get_mut(&connection);
        let session = session
            .filter(|session| !session.goodbye)
            .ok_or(Some(epoch))?;
        let news = session.granted.insert(grant, epoch) != Some(epoch);
        Ok((connection, news))
    }

    pub(crate) fn begin_exchange(
        &mut self,
        exchange: ExchangeId,
        request: RequestId,
        route: RouteId,
        connection: ConnectionId,
    ) {
        self.hold_route(route);
        let entry = Exchange {
            request,
            route,
            connection,
        };
        self.exchanges.insert(exchange, entry);
    }

    pub(crate) fn forget_exchange(&mut self, exchange: ExchangeId) -> Option<(RequestId, RouteId)> {
        let Exchange { request, route, .. } = self.exchanges.remove(&exchange)?;
        self.let_go_route(route);
        Some((request, route))
    }

    fn is_in_force(&self, route: RouteId) -> bool {
        let route = &self.routes[route];
        let link = self.links.get(&route.holder);
        route.stage != Stage::Withdrawn && link.is_some_and(|link| !link.ended)
    }

    fn last_use(&self, key: &str, epoch: Epoch, now: Moment) -> Option<Moment> {
        let route = &self.routes[*self.shown.get(key)?];
        if route.epoch != epoch {
            return None;
        }
        Some(if route.users > 0 { now } else { route.used })
    }

    fn exchanges_over(&self, connection: ConnectionId) -> Vec<ExchangeId> {
        let over = |exchange: &&ExchangeId| self.exchanges[exchange].connection == connection;
        self.exchanges.keys().filter(over).copied().collect()
    }
}

impl World {
    /// The controller starts with what the store tells it.
    pub(crate) fn start_controller(&mut self) {
        if self.controller.is_some() {
            return;
        }
        let rules = self.scenario.rules_of(self.lives);
        let loses = match self.scenario.memory {
            Memory::Durable => false,
            Memory::Losing => self.random.percent(30) && !self.faults_are_over,
            Memory::Forgetful => true,
        };
        if self.lives > 0 && loses {
            note!(self, "store: everything is lost");
            self.store.lose(Epoch::new(1_000_000_000 + self.now));
        }
        self.lives += 1;
        self.record.counts.restarts += u64::from(self.lives > 1);
        let clock = self.draw_clock();
        let now = clock.at(self.now);
        let (restored, first_epoch, complete) = self.store.load(rules.ttl());
        let waits = !complete && !mutation::is_active(Mutation::NoGrace);
        let start = Start {
            first_epoch,
            grace_until: waits.then_some(now + restored.lease),
        };
        note!(
            self,
            "controller: life {} starts with {} pins, complete: {complete}, epoch {first_epoch}, ttl {:?}",
            self.lives,
            restored.pins.len(),
            rules.ttl()
        );
        for pin in &restored.pins {
            let pinned = (pin.key.clone(), pin.epoch);
            self.restoring.insert(pinned, pin.incarnation);
        }
        self.controller = Some(Controller {
            placement: Placement::new(rules, start),
            life: self.lives as u64,
            clock,
            paused_until: 0,
            wakes_at: None,
            tickets: BTreeMap::new(),
            sessions: BTreeMap::new(),
            links: BTreeMap::new(),
            routes: Vec::new(),
            shown: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            incarnations: std::mem::take(&mut self.restoring),
            last_ticket: 0,
            last_order: 0,
        });
        self.input(Input::Restored(Box::new(restored)));
    }

    /// The controller's process dies.
    pub(crate) fn crash_controller(&mut self) {
        if self.controller.take().is_none() {
            return;
        }
        note!(self, "controller: crashes");
        self.record.in_force.clear();
        self.clients_lose_their_connections();
        // What was handed to the store may be done or not, in order.
        let kept = self.random.below(self.store.asked.len() as u64 + 1);
        for _ in 0..kept {
            self.store.step(store::Fate::Done);
        }
        self.store.asked.clear();
        for id in self.network.ids() {
            self.network.cut(&mut self.random, id, End::Worker);
            self.close(id, End::Controller);
            let late = self.random.between(MILLI, 2 * SECOND);
            self.after(late, Event::Lost(id, End::Worker));
        }
        let down = self.random.between(10 * MILLI, 4 * SECOND);
        self.after(down, Event::StartController);
    }
}
