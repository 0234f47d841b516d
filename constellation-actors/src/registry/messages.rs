//! What the Registry is told and asked. Each handler makes an input, or reads.

use std::{collections::BTreeMap, sync::Arc};

use actix::{Handler, Message};
use futures::channel::oneshot;

use super::{Answer, Connection, Registry};
use crate::{
    placement::{
        command::{Command, CommandError, OrderId},
        epoch::Epoch,
        holder::SessionId,
        input::{Arrival, Departure, Input, Ticket},
        key::ResourceKey,
        rules::Rebalancing,
        worker::WorkerId,
    },
    session::wire::Wire,
    status::{KeyStatus, Peer, WorkerStatus},
};

/// A worker has said hello over a new session.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Enlist {
    pub(crate) arrival: Box<Arrival>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) peer: Peer,
}

impl Handler<Enlist> for Registry {
    type Result = ();

    fn handle(&mut self, enlist: Enlist, context: &mut Self::Context) {
        let Enlist {
            arrival,
            wire,
            peer,
        } = enlist;
        self.sessions
            .insert(arrival.session, Connection { wire, peer });
        self.input(Input::Arrived(arrival), context);
    }
}

/// What a session's worker did, in order.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Happened(pub(crate) Vec<Input>);

impl Handler<Happened> for Registry {
    type Result = ();

    fn handle(&mut self, Happened(inputs): Happened, context: &mut Self::Context) {
        for input in inputs {
            self.input(input, context);
        }
    }
}

/// A session is over.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Left {
    pub(crate) session: SessionId,
    pub(crate) departure: Departure,
}

impl Handler<Left> for Registry {
    type Result = ();

    fn handle(&mut self, Left { session, departure }: Left, context: &mut Self::Context) {
        if let Some(holder) = self.placement.holder_of(session)
            && let Some(status) = self.status(holder, self.clock.now())
        {
            log::info!(worker:% = status.id, session:% = session, departure:? = departure;
                "a worker disconnected");
            self.hooks.disconnected(&status);
        }
        self.input(Input::Left { session, departure }, context);
        self.sessions.remove(&session);
    }
}

/// A request needs the owner of its key.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Resolve {
    pub(crate) key: ResourceKey,
    pub(crate) ticket: Ticket,
    pub(crate) refused: Option<Epoch>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

impl Handler<Resolve> for Registry {
    type Result = ();

    fn handle(&mut self, resolve: Resolve, context: &mut Self::Context) {
        let Resolve {
            key,
            ticket,
            refused,
            answer,
        } = resolve;
        if answer.is_canceled() {
            return;
        }
        self.tickets.insert(ticket, answer);
        self.input(
            Input::Resolve {
                key,
                ticket,
                refused,
            },
            context,
        );
    }
}

/// A request that waited for an owner is gone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Abandon {
    pub(crate) key: ResourceKey,
    pub(crate) ticket: Ticket,
}

impl Handler<Abandon> for Registry {
    type Result = ();

    fn handle(&mut self, Abandon { key, ticket }: Abandon, context: &mut Self::Context) {
        if self.tickets.remove(&ticket).is_some() {
            self.input(Input::Abandoned { key, ticket }, context);
        }
    }
}

/// Time has passed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Tick;

impl Handler<Tick> for Registry {
    type Result = ();

    fn handle(&mut self, Tick: Tick, context: &mut Self::Context) {
        self.view.set_now(self.clock.now());
        if !self.quieting.is_empty() {
            self.tell_quiet(context);
        }
        if self
            .placement
            .next_deadline()
            .is_some_and(|due| due <= self.clock.now())
        {
            self.input(Input::Tick, context);
        }
    }
}

/// Every worker, in the order of arrival.
#[derive(Debug, Message)]
#[rtype(result = "Vec<WorkerStatus>")]
pub(crate) struct Workers;

impl Handler<Workers> for Registry {
    type Result = Vec<WorkerStatus>;

    fn handle(&mut self, Workers: Workers, _context: &mut Self::Context) -> Self::Result {
        let now = self.clock.now();
        self.placement
            .holders()
            .filter_map(|(holder, _)| self.status(holder, now))
            .collect()
    }
}

/// The keys of every worker that has some.
#[derive(Debug, Message)]
#[rtype(result = "BTreeMap<WorkerId, Vec<ResourceKey>>")]
pub(crate) struct Pins;

impl Handler<Pins> for Registry {
    type Result = actix::MessageResult<Pins>;

    fn handle(&mut self, Pins: Pins, _context: &mut Self::Context) -> Self::Result {
        let mut pins = BTreeMap::<_, Vec<_>>::new();
        for (_, holder) in self
            .placement
            .holders()
            .filter(|(_, holder)| !holder.grants().is_empty())
        {
            pins.entry(holder.worker())
                .or_default()
                .extend(holder.grants().keys().cloned());
        }
        actix::MessageResult(pins)
    }
}

/// An operator wants something done.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Order {
    pub(crate) command: Command,
    pub(crate) answer: oneshot::Sender<Result<(), CommandError>>,
}

impl Handler<Order> for Registry {
    type Result = ();

    fn handle(&mut self, Order { command, answer }: Order, context: &mut Self::Context) {
        log::info!(command:? = command; "an operator ordered");
        self.last_order += 1;
        let order = OrderId::new(self.last_order);
        self.orders.insert(order, answer);
        self.input(Input::Ordered { order, command }, context);
    }
}

/// What is known of one key.
#[derive(Debug, Message)]
#[rtype(result = "KeyStatus")]
pub(crate) struct Explain(pub(crate) ResourceKey);

impl Handler<Explain> for Registry {
    type Result = actix::MessageResult<Explain>;

    fn handle(&mut self, Explain(key): Explain, _context: &mut Self::Context) -> Self::Result {
        let now = self.clock.now();
        let last = |epoch| self.view.last_use(&key, epoch, now);
        actix::MessageResult(KeyStatus::new(&self.placement, &key, now, last))
    }
}

/// Whether keys are moved so that workers have equally many.
#[derive(Debug, Message)]
#[rtype(result = "Rebalancing")]
pub(crate) struct AskBalancing;

impl Handler<AskBalancing> for Registry {
    type Result = actix::MessageResult<AskBalancing>;

    fn handle(&mut self, _: AskBalancing, _context: &mut Self::Context) -> Self::Result {
        actix::MessageResult(self.placement.rebalancing())
    }
}

/// Say goodbye to every worker and fail every request that waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Shutdown;

impl Handler<Shutdown> for Registry {
    type Result = ();

    fn handle(&mut self, Shutdown: Shutdown, _context: &mut Self::Context) {
        self.tickets.clear();
        for connection in self.sessions.values() {
            connection.wire.shut_down();
        }
    }
}
