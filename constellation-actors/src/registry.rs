//! The Registry: the actor that owns the placement and publishes its pins to the ingress.
//!
//! A handler turns a message into an input; [`effects`] applies what comes out. No rule of the
//! domain stands here.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, Supervised, WrapFuture,
};
use futures::{FutureExt, channel::oneshot};

use crate::{
    clock::Clock,
    counters::Counters,
    placement::{
        Placement,
        command::{Command, CommandError, OrderId},
        effect::{Claim, Effect, Rejection},
        epoch::Epoch,
        holder::{HolderId, SessionId},
        input::{Arrival, ClaimFailure, ClaimId, Input, Restored, Ticket, Use},
        key::ResourceKey,
        moment::Moment,
        rules::Rebalancing,
        worker::WorkerId,
    },
    session::wire::{Terms, Wire},
    status::{Hooks, KeyStatus, Peer, WorkerStatus},
    store::{self, AnyStore, Note},
};

mod effects;
pub(crate) mod handle;
pub(crate) mod route;

use self::route::{Link, Route, RouteView};

/// The most messages in the Registry's mailbox before its senders are held back or refused.
const MAILBOX_MAX: usize = 4_096;

/// How a request's question for its owner is answered.
pub(crate) type Answer = Result<Arc<Route>, Rejection>;

/// Owns one placement, and is the only writer of the route view.
pub(crate) struct Registry {
    clock: Clock,
    placement: Placement,
    /// Until it is taken in.
    restored: Option<Box<Restored>>,
    store: Box<dyn AnyStore>,
    terms: Terms,
    hooks: Hooks,
    view: Arc<RouteView>,
    counters: Arc<Counters>,
    links: HashMap<HolderId, Arc<Link>>,
    sessions: HashMap<SessionId, Connection>,
    tickets: HashMap<Ticket, oneshot::Sender<Answer>>,
    outbox: Vec<Effect>,
    claims: Vec<Claim>,
    forgotten: Vec<(ResourceKey, Epoch)>,
    notes: Vec<Note>,
    /// Keys whose use the placement asks for.
    asked: Vec<(ResourceKey, Epoch)>,
    /// Frozen keys of workers without a lease, whose requests are watched.
    quieting: Vec<(ResourceKey, Epoch)>,
    orders: HashMap<OrderId, oneshot::Sender<Result<(), CommandError>>>,
    last_order: u64,
}

/// A worker's connection, from its hello to its end.
struct Connection {
    wire: Arc<Wire>,
    peer: Peer,
}

/// What a Registry is made of.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) placement: Placement,
    /// What an earlier life left; taken in first.
    pub(crate) restored: Box<Restored>,
    pub(crate) store: Box<dyn AnyStore>,
    pub(crate) terms: Terms,
    pub(crate) hooks: Hooks,
    pub(crate) view: Arc<RouteView>,
    pub(crate) counters: Arc<Counters>,
}

impl Registry {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            clock,
            placement,
            restored,
            store,
            terms,
            hooks,
            view,
            counters,
        } = parts;
        Self {
            restored: Some(restored),
            clock,
            placement,
            store,
            terms,
            hooks,
            view,
            counters,
            links: HashMap::new(),
            sessions: HashMap::new(),
            tickets: HashMap::new(),
            outbox: Vec::new(),
            claims: Vec::new(),
            forgotten: Vec::new(),
            notes: Vec::new(),
            asked: Vec::new(),
            quieting: Vec::new(),
            orders: HashMap::new(),
            last_order: 0,
        }
    }

    /// Lets the placement handle one input and applies its effects.
    fn input(&mut self, input: Input, context: &mut Context<Self>) {
        let now = self.clock.now();
        let mut effects = std::mem::take(&mut self.outbox);
        self.placement.handle(now, input, &mut effects);
        for effect in effects.drain(..) {
            self.apply(effect);
        }
        self.outbox = effects;
        self.submit(context);
        self.tell_uses(context);
    }

    /// Tells the placement when the keys it asked for were last used.
    fn tell_uses(&mut self, context: &mut Context<Self>) {
        if self.asked.is_empty() {
            return;
        }
        let now = self.clock.now();
        let uses = std::mem::take(&mut self.asked)
            .into_iter()
            .filter_map(|(key, epoch)| {
                let last = self.view.last_use(&key, epoch, now)?;
                Some(Use { key, epoch, last })
            });
        let uses = uses.collect();
        self.input(Input::Used(uses), context);
    }

    /// Tells the placement which of the keys it watches have no request under way.
    fn tell_quiet(&mut self, context: &mut Context<Self>) {
        let now = self.clock.now();
        let (view, watched) = (&self.view, &mut self.quieting);
        let quiet: Vec<_> = watched
            .extract_if(.., |(key, epoch)| {
                view.last_use(key, *epoch, now)
                    .is_none_or(|last| last < now)
            })
            .collect();
        for (key, epoch) in quiet {
            self.input(Input::Quiet { key, epoch }, context);
        }
    }

    /// Hands what has gathered to the store. A store that answers at once is heard at once.
    fn submit(&mut self, context: &mut Context<Self>) {
        if !self.forgotten.is_empty() {
            let released = self.store.release(std::mem::take(&mut self.forgotten));
            let logged = released.map(|outcome| {
                if let Err(error) = outcome {
                    log::warn!(error:% = error; "the store did not forget released pins");
                }
            });
            context.spawn(logged.into_actor(self));
        }
        for note in self.notes.drain(..) {
            let noted = self.store.note(note).map(move |outcome| {
                if let Err(error) = outcome {
                    log::warn!(note:? = note, error:% = error; "the store did not take a note");
                }
            });
            context.spawn(actix::fut::wrap_future::<_, Self>(noted));
        }
        while !self.claims.is_empty() {
            let claims = std::mem::take(&mut self.claims);
            let records = claims.iter().map(Into::into).collect();
            let ids: Vec<_> = claims.into_iter().map(|claim| claim.id).collect();
            let mut answer = self.store.claim(records);
            if let Some(outcomes) = (&mut answer).now_or_never() {
                self.stored(ids, outcomes, context);
                continue;
            }
            let heard = answer.into_actor(self).map(|outcomes, registry, context| {
                registry.stored(ids, outcomes, context);
            });
            context.spawn(heard);
        }
    }

    fn stored(
        &mut self,
        ids: Vec<ClaimId>,
        outcomes: Vec<Result<(), store::Error>>,
        context: &mut Context<Self>,
    ) {
        for (claim, outcome) in ids.into_iter().zip(outcomes) {
            match &outcome {
                Ok(()) => self.counters.pins_claimed.add(),
                Err(error) => {
                    self.counters.claims_failed.add();
                    log::error!(error:% = error; "the store did not take a new pin");
                }
            }
            let outcome = outcome.map_err(|error| ClaimFailure::from(&error));
            self.input(Input::Stored { claim, outcome }, context);
        }
    }

    fn status(&self, holder: HolderId, now: Moment) -> Option<WorkerStatus> {
        let facts = self.placement.holder(holder)?;
        let peer = facts
            .standing()
            .session()
            .and_then(|session| self.sessions.get(&session));
        Some(WorkerStatus::new(
            facts,
            peer.map(|connection| &connection.peer),
            self.placement.rules(),
            now,
        ))
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Registry")
            .field("pins", &self.placement.pins())
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

impl Actor for Registry {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX_MAX);
        if let Some(restored) = self.restored.take() {
            self.input(Input::Restored(restored), context);
        }
    }
}

impl Supervised for Registry {}

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
    pub(crate) departure: crate::placement::input::Departure,
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

/// Where the Registry is reached.
pub(crate) type RegistryAddr = Addr<Registry>;
