//! The controller of the model: the real placement, and around it what the registry, its sessions
//! and the ingress do, without a rule of its own. Follows the simulated controller.

use std::collections::BTreeMap;

use super::{
    network::{ConnectionId, End, Message, RequestId},
    record::Noted,
    state::{State, TERMS, at},
    store,
};
use crate::{
    mutation::{self, Mutation},
    placement::{
        Placement, Start,
        command::{Command, OrderId},
        effect::{Dismissal, Effect, Owner, Revocation},
        epoch::Epoch,
        grant::GrantId,
        history::Ending,
        holder::{HolderId, SessionId},
        input::{Arrival, Departure, Input, Ticket},
        key::ResourceKey,
        rules::Rules,
        worker::{Assurance, Incarnation, Profile},
    },
    protocol::frame::code::RevokeReason,
};

/// How often a request is offered to an owner: less often than in the ingress, to end sooner.
const OFFERS_MAX: u8 = 2;

/// What the ingress knows of a key.
#[derive(Clone, Debug, Hash)]
struct Route {
    holder: HolderId,
    epoch: Epoch,
    grant: GrantId,
    is_frozen: bool,
}

/// A worker's life as the ingress sees it, until that is over.
#[derive(Clone, Debug, Default, Hash)]
struct Link {
    incarnation: Option<Incarnation>,
    session: Option<ConnectionId>,
    is_open: bool,
}

#[derive(Clone, Debug, Hash)]
struct Session {
    incarnation: Incarnation,
    /// Which grants the worker has been told of.
    granted: BTreeMap<GrantId, Epoch>,
}

/// A request that was sent to a worker and has no answer.
#[derive(Clone, Debug, Hash)]
struct Exchange {
    holder: HolderId,
    epoch: Epoch,
    connection: ConnectionId,
}

/// A request of a client that is not finished.
#[derive(Clone, Debug, Hash)]
struct Request {
    key: ResourceKey,
    offers: u8,
}

/// One life of the controller.
#[derive(Clone, Debug, Hash)]
pub(super) struct Controller {
    pub(super) placement: Placement,
    sessions: BTreeMap<ConnectionId, Session>,
    links: BTreeMap<HolderId, Link>,
    routes: BTreeMap<ResourceKey, Route>,
    requests: BTreeMap<RequestId, Request>,
    exchanges: BTreeMap<RequestId, Exchange>,
    /// Who waits in the placement, in that order.
    waiting: Vec<RequestId>,
    /// Whose the pins are that an earlier life left.
    restored: BTreeMap<(ResourceKey, Epoch), Incarnation>,
}

impl Controller {
    fn let_through(&mut self, holder: HolderId, is_open: bool) {
        if let Some(link) = self.links.get_mut(&holder) {
            link.is_open = is_open;
        }
    }

    fn freeze(&mut self, key: &ResourceKey, epoch: Epoch) {
        let route = self.routes.get_mut(key);
        if let Some(route) = route.filter(|route| route.epoch == epoch) {
            route.is_frozen = true;
        }
    }

    fn withdraw(&mut self, key: &ResourceKey, epoch: Epoch) {
        let route = self.routes.get(key);
        if route.is_some_and(|route| route.epoch <= epoch) {
            self.routes.remove(key);
        }
    }

    fn is_in_force(&self, key: &str, exchange: &Exchange) -> bool {
        let route = self.routes.get(key);
        let current = |route: &Route| (route.holder, route.epoch);
        route.map(current) == Some((exchange.holder, exchange.epoch))
            && self.links.contains_key(&exchange.holder)
    }

    /// Where a request for `key` is sent, and whether its grant is news there.
    fn open(&mut self, route: &Route) -> Option<(ConnectionId, bool)> {
        let link = self.links.get(&route.holder).filter(|link| link.is_open)?;
        let connection = link.session?;
        let session = self.sessions.get_mut(&connection)?;
        let news = session.granted.insert(route.grant, route.epoch) != Some(route.epoch);
        Some((connection, news))
    }

    fn incarnation_of(&self, key: &ResourceKey, owner: &Owner) -> Option<Incarnation> {
        let of_life = self.links.get(&owner.holder).and_then(|it| it.incarnation);
        let of_pin = || self.restored.get(&(key.clone(), owner.epoch)).copied();
        of_life.or_else(of_pin)
    }
}

impl State {
    /// The controller starts with what the store tells it.
    pub(super) fn start_controller(&mut self) {
        let (restored, first_epoch) = self.store.load();
        let start = Start {
            first_epoch,
            grace_until: None,
        };
        let rules = Rules {
            interval: TERMS.0,
            failures_max: TERMS.1,
            ..Rules::default()
        };
        let pins = restored.pins.iter();
        let pins = pins.map(|pin| ((pin.key.clone(), pin.epoch), pin.incarnation));
        self.controller = Some(Controller {
            restored: pins.collect(),
            placement: Placement::new(rules, start),
            sessions: BTreeMap::new(),
            links: BTreeMap::new(),
            routes: BTreeMap::new(),
            requests: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            waiting: Vec::new(),
        });
        self.input(Input::Restored(Box::new(restored)));
    }

    /// The controller's process dies, and its clients' requests with it. The store has done the
    /// first `done` of the things that it was asked.
    pub(super) fn crash_controller(&mut self, done: usize) {
        self.controller = None;
        for _ in 0..done {
            self.store.step();
        }
        self.store.forget_backlog();
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.close(id, End::Controller);
        }
    }

    /// Lets the placement handle one input and applies its effects.
    pub(super) fn input(&mut self, input: Input) {
        let now = at(self.now);
        let Some(controller) = &mut self.controller else {
            return;
        };
        let mut outbox = Vec::new();
        controller.placement.handle(now, input, &mut outbox);
        let (mut dismissed, mut claims) = (Vec::new(), Vec::new());
        for effect in outbox {
            match effect {
                Effect::Claim(claim) => claims.push(store::Request::Claim(claim)),
                Effect::Forget { key, epoch } => {
                    self.store.ask(store::Request::Forget(key, epoch));
                }
                Effect::Dismiss { session, reason } => {
                    let lease_ended = reason != Dismissal::Superseded;
                    self.tell(session, Message::GoAway { lease_ended });
                    dismissed.push(ConnectionId(session.get()));
                }
                other => self.apply(other),
            }
        }
        for claim in claims {
            self.store.ask(claim);
        }
        for connection in dismissed {
            self.controller_loses(connection);
        }
    }

    fn apply(&mut self, effect: Effect) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        match effect {
            Effect::Expect { holder, .. } => {
                controller.links.insert(holder, Link::default());
            }
            Effect::Welcome {
                session,
                holder,
                resumed,
            } => self.welcome(session, holder, resumed),
            Effect::Acknowledge { session, sequence } => {
                self.tell(session, Message::Acknowledgement(sequence));
            }
            Effect::Revoke {
                session,
                key,
                epoch,
                reason,
            } => self.tell(session, Message::Revoke(revoke_reason(reason), epoch, key)),
            Effect::Open { holder } => controller.let_through(holder, true),
            Effect::Shut { holder } => controller.let_through(holder, false),
            Effect::Ended { holder, .. } => {
                let link = controller.links.remove(&holder);
                if let Some(connection) = link.and_then(|link| link.session) {
                    self.lose_exchanges(connection);
                }
            }
            Effect::Publish { key, owner } => self.publish(key, owner),
            Effect::Freeze { key, epoch } => controller.freeze(&key, epoch),
            Effect::Withdraw { key, epoch } => controller.withdraw(&key, epoch),
            Effect::Reject { ticket, .. } => {
                if let Some(id) = controller.take_waiting(ticket) {
                    controller.requests.remove(&id);
                }
            }
            Effect::Route { ticket, .. } => {
                if let Some(id) = controller.take_waiting(ticket) {
                    self.offer(id);
                }
            }
            Effect::NoteLease
            | Effect::Answer { .. }
            | Effect::NoteCordon { .. }
            | Effect::Probe { .. }
            | Effect::AwaitQuiet { .. }
            | Effect::AskUse(_)
            | Effect::Claim(_)
            | Effect::Forget { .. }
            | Effect::Dismiss { .. } => {}
        }
    }

    fn publish(&mut self, key: ResourceKey, owner: Owner) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let route = Route {
            holder: owner.holder,
            epoch: owner.epoch,
            grant: owner.grant,
            is_frozen: false,
        };
        controller.routes.insert(key.clone(), route);
        let incarnation = controller
            .incarnation_of(&key, &owner)
            .expect("a pin is published for a life that came or is expected");
        let ending = controller.placement.history(&key).next();
        let ending = ending.map(|past| past.ending);
        let durable = self.store.has(&key, incarnation, owner.epoch);
        let moved = self
            .record
            .published(&key, owner.epoch, incarnation, durable);
        match ending.filter(|_| moved) {
            Some(Ending::LeaseEnded) if self.has_dead_worker() => {
                self.noted = Some(Noted::MovedAfterCrash);
            }
            Some(Ending::Moved) => self.noted = Some(Noted::PlannedMove),
            _ => {}
        }
    }

    fn welcome(&mut self, session: SessionId, holder: HolderId, resumed: bool) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let connection = ConnectionId(session.get());
        let known = controller.sessions.get(&connection);
        let incarnation = known.map(|session| session.incarnation);
        let link = controller.links.entry(holder).or_default();
        link.incarnation = link.incarnation.or(incarnation);
        link.session = Some(connection);
        let pinned = controller.placement.holder(holder);
        if resumed && pinned.is_some_and(|holder| !holder.grants().is_empty()) {
            self.noted = Some(Noted::Resumed);
        }
        let terms = super::state::terms();
        self.tell(session, Message::Welcome { resumed, terms });
    }

    fn tell(&mut self, session: SessionId, message: Message) {
        self.send(ConnectionId(session.get()), End::Worker, message);
    }

    fn lose_exchanges(&mut self, connection: ConnectionId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let lost = |exchange: &Exchange| exchange.connection == connection;
        let over = controller.exchanges.extract_if(.., |_, it| lost(it));
        for (id, _) in over {
            controller.requests.remove(&id);
        }
    }

    /// A connection is gone, as the controller sees it.
    fn controller_loses(&mut self, connection: ConnectionId) {
        self.close(connection, End::Controller);
        self.lose_exchanges(connection);
        let Some(controller) = &mut self.controller else {
            return;
        };
        if controller.sessions.remove(&connection).is_some() {
            self.input(Input::Left {
                session: SessionId::new(connection.0),
                departure: Departure::Vanished,
            });
        }
    }

    /// A worker's message has come.
    pub(super) fn controller_hears(&mut self, connection: ConnectionId, message: Message) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let session = SessionId::new(connection.0);
        match message {
            Message::Hello {
                worker,
                incarnation,
                holding,
            } => {
                let entry = Session {
                    incarnation,
                    granted: BTreeMap::new(),
                };
                controller.sessions.insert(connection, entry);
                self.input(Input::Arrived(Box::new(Arrival {
                    session,
                    worker,
                    incarnation,
                    profile: Profile::default(),
                    assurance: Assurance::Leased,
                    holding,
                })));
            }
            Message::Heartbeat(sequence) => self.input(Input::Renewed { session, sequence }),
            Message::Released(key, epoch) => self.input(Input::Released {
                session,
                key,
                epoch,
            }),
            Message::Lost => self.controller_loses(connection),
            Message::Answer(id) => self.answered(connection, id),
            Message::Refusal(id) => {
                if let Some(exchange) = controller.end_exchange(connection, id) {
                    self.resolve(id, Some(exchange.epoch));
                }
            }
            Message::BrokenOff(id) => {
                if controller.end_exchange(connection, id).is_some() {
                    controller.requests.remove(&id);
                }
            }
            Message::Welcome { .. }
            | Message::Acknowledgement(_)
            | Message::Grant(..)
            | Message::Revoke(..)
            | Message::GoAway { .. }
            | Message::Request(..) => unreachable!("a worker says what only a controller says"),
        }
    }

    fn answered(&mut self, connection: ConnectionId, id: RequestId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some(exchange) = controller.end_exchange(connection, id) else {
            // Its connection was lost, or its life ended, before the answer came.
            self.noted = Some(Noted::LateAnswer);
            return;
        };
        let Some(Request { key, .. }) = controller.requests.remove(&id) else {
            return;
        };
        let in_force = controller.is_in_force(&key, &exchange);
        if !in_force && !mutation::is_active(Mutation::StaleAnswerPassed) {
            self.noted = Some(Noted::LateAnswer);
            return;
        }
        // Seen from outside: whose key it is by what the placement decided, not by the route.
        let pin = controller.placement.pin(&key);
        if pin.is_none_or(|pin| pin.epoch != exchange.epoch) {
            self.record.broken.no_stale_answer = true;
        }
    }

    /// A client asks for `key`.
    pub(super) fn ask(&mut self, key: ResourceKey) {
        self.last_request += 1;
        let id = RequestId(self.last_request);
        if let Some(controller) = &mut self.controller {
            controller.requests.insert(id, Request { key, offers: 0 });
            self.offer(id);
        }
    }

    /// Offers a request to the owner of its key, if one is shown; else asks for one.
    fn offer(&mut self, id: RequestId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some(request) = controller.requests.get_mut(&id) else {
            return;
        };
        let key = request.key.clone();
        let route = controller.routes.get(&key).cloned();
        let Some(route) = route.filter(|route| !route.is_frozen) else {
            return self.resolve(id, None);
        };
        request.offers += 1;
        let Some((connection, news)) = controller.open(&route) else {
            return self.resolve(id, None);
        };
        let Route {
            holder,
            epoch,
            grant,
            ..
        } = route;
        let exchange = Exchange {
            holder,
            epoch,
            connection,
        };
        controller.exchanges.insert(id, exchange);
        if news {
            self.send(connection, End::Worker, Message::Grant(grant, epoch, key));
        }
        self.send(connection, End::Worker, Message::Request(id, grant));
    }

    fn resolve(&mut self, id: RequestId, refused: Option<Epoch>) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some(request) = controller.requests.get(&id) else {
            return;
        };
        if request.offers >= OFFERS_MAX {
            controller.requests.remove(&id);
            return;
        }
        let key = request.key.clone();
        controller.waiting.push(id);
        self.input(Input::Resolve {
            key,
            ticket: Ticket::new(id.0),
            refused,
        });
    }

    /// An operator moves `key` to whoever is next.
    pub(super) fn order_move(&mut self, key: ResourceKey) {
        let order = OrderId::new(1);
        let command = Command::Move { key, to: None };
        self.input(Input::Ordered { order, command });
    }
}

impl Controller {
    fn take_waiting(&mut self, ticket: Ticket) -> Option<RequestId> {
        let is_it = |id: &RequestId| Ticket::new(id.0) == ticket;
        let at = self.waiting.iter().position(is_it)?;
        Some(self.waiting.remove(at))
    }

    fn end_exchange(&mut self, connection: ConnectionId, id: RequestId) -> Option<Exchange> {
        let exchange = self.exchanges.get(&id)?;
        if exchange.connection != connection {
            return None;
        }
        self.exchanges.remove(&id)
    }
}

fn revoke_reason(reason: Revocation) -> RevokeReason {
    match reason {
        Revocation::Stale => RevokeReason::Stale,
        Revocation::Move => RevokeReason::Move,
        Revocation::Drain => RevokeReason::Drain,
        Revocation::Idle => RevokeReason::Idle,
    }
}
