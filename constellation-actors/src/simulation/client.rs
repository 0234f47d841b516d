//! Clients and the ingress: one request from its beginning to its answer, with the rules of
//! `ingress::forward` about what is offered again.

use super::{
    World,
    clock::{MILLI, SECOND},
    controller::RouteId,
    event::Event,
    network::{End, ExchangeId, Message},
    note,
    record::{Deliveries, Fact},
};
use crate::{
    mutation::{self, Mutation},
    placement::{
        effect::Rejection,
        epoch::Epoch,
        input::{Input, Ticket},
        key::ResourceKey,
    },
};

/// How often a request is offered to an owner, as in `ingress::forward`.
const OFFERS_MAX: u32 = 5;

/// How long a client waits.
const PATIENCE: u64 = 8 * SECOND;

/// One request of a client; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestId(pub(crate) u64);

/// A request that has no answer yet.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) key: ResourceKey,
    pub(crate) safe: bool,
    offers: u32,
    /// What it waits for in the ingress.
    ticket: Option<Ticket>,
    exchange: Option<ExchangeId>,
    /// Whether it was sent after faults stopped.
    probe: bool,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Answered,
    Undelivered { refused: Option<Epoch> },
    Lost,
    BrokenOff,
}

impl World {
    pub(crate) fn client_asks(&mut self, key: ResourceKey, safe: bool, probe: bool) {
        if self.controller.is_none() {
            return;
        }
        self.last_request += 1;
        self.record.counts.requests += 1;
        let id = RequestId(self.last_request);
        note!(self, "client: {id:?} for {key}, safe: {safe}");
        let request = Request {
            key: key.clone(),
            safe,
            offers: 0,
            ticket: None,
            exchange: None,
            probe,
        };
        self.requests.insert(id, request);
        let deliveries = Deliveries {
            safe,
            ..Deliveries::default()
        };
        self.record.deliveries.insert(id, deliveries);
        self.after(PATIENCE, Event::Patience(id));
        let known = self.controller.as_ref().and_then(|it| it.known(&key));
        match known {
            Some(route) => self.hand_route(id, route),
            None => self.resolve(id, None),
        }
    }

    /// A request learns its route, and is sent a moment later: its thread has other things to do.
    pub(crate) fn hand_route(&mut self, id: RequestId, route: RouteId) {
        let late = if self.random.percent(20) {
            self.random.below(self.scenario.gap.as_micros() as u64)
        } else {
            self.random.below(200)
        };
        if let Some(controller) = &mut self.controller {
            controller.hold_route(route);
            let life = controller.life;
            self.after(late, Event::Offer(life, id, route));
        }
    }

    fn resolve(&mut self, id: RequestId, refused: Option<Epoch>) {
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        if request.offers >= OFFERS_MAX {
            return self.finish(id, "undelivered");
        }
        let Some(controller) = &mut self.controller else {
            return;
        };
        let ticket = controller.new_ticket(id);
        request.ticket = Some(ticket);
        let key = request.key.clone();
        self.input(Input::Resolve {
            key,
            ticket,
            refused,
        });
    }

    pub(crate) fn rejected(&mut self, id: RequestId, rejection: Rejection) {
        note!(self, "ingress: {id:?} is rejected, {rejection:?}");
        self.finish(id, "rejected");
    }

    /// Offers a request to the owner of its key.
    pub(crate) fn offer(&mut self, id: RequestId, route: RouteId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        controller.let_go_route(route);
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.offers += 1;
        request.ticket = None;
        let (connection, news) = match controller.open(route) {
            Ok(open) => open,
            Err(refused) => return self.offered(id, Offer::Undelivered { refused }),
        };
        let (key, epoch, grant) = controller.pin_of(route);
        self.last_exchange += 1;
        let exchange = ExchangeId(self.last_exchange);
        controller.begin_exchange(exchange, id, route, connection);
        request.exchange = Some(exchange);
        note!(
            self,
            "ingress: {id:?} for {key} goes out as {exchange:?} over {connection:?} under {epoch}"
        );
        let fact = Fact::Offered {
            request: id,
            exchange,
        };
        self.record.facts.push(fact);
        if news {
            self.send(connection, End::Worker, Message::Grant(grant, epoch, key));
        }
        self.send(connection, End::Worker, Message::Request(exchange, grant));
    }

    /// What becomes of a request after an offer.
    pub(crate) fn offered(&mut self, id: RequestId, offer: Offer) {
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.exchange = None;
        let again = request.safe || mutation::is_active(Mutation::UnsafeRepeated);
        note!(self, "ingress: {id:?} {offer:?}");
        match offer {
            Offer::Answered => {
                self.record.counts.answers += 1;
                if request.probe {
                    let key = request.key.clone();
                    self.record.recovered.insert(key);
                }
                self.finish(id, "answered");
            }
            Offer::Undelivered { refused } => self.resolve(id, refused),
            Offer::Lost if again => self.resolve(id, None),
            Offer::Lost => self.finish(id, "delivery unknown"),
            Offer::BrokenOff => self.finish(id, "broken off"),
        }
    }

    fn finish(&mut self, id: RequestId, how: &str) {
        note!(self, "client: {id:?} {how}");
        self.requests.remove(&id);
    }

    /// The client has waited long enough.
    pub(crate) fn impatient(&mut self, id: RequestId) {
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        note!(self, "client: {id:?} gives up");
        let Some(controller) = &mut self.controller else {
            return;
        };
        if let Some(exchange) = request.exchange {
            controller.forget_exchange(exchange);
        }
        if let Some(ticket) = request.ticket
            && controller.tickets.contains_key(&ticket)
        {
            let key = request.key;
            self.input(Input::Abandoned { key, ticket });
            // It may have been answered by what was due before.
            if let Some(controller) = &mut self.controller {
                controller.tickets.remove(&ticket);
            }
        }
    }

    /// The process that worked on every request is gone.
    pub(crate) fn clients_lose_their_connections(&mut self) {
        self.requests.clear();
    }

    /// Clients come one after the other, for keys and methods of any kind.
    pub(crate) fn next_client(&mut self) {
        let key = self.random.pick(&self.scenario.keys).clone();
        let safe = self.random.percent(50);
        self.client_asks(key, safe, false);
        let pause = self.random.between(5 * MILLI, 250 * MILLI);
        if !self.faults_are_over {
            self.after(pause, Event::Client);
        }
    }
}
