//! The Registry: the actor that owns the placement and publishes its pins to the ingress.
//!
//! A handler turns a message into an input; [`effects`] applies what comes out. No rule of the
//! domain stands here.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Supervised, WrapFuture};
use futures::{FutureExt, channel::oneshot};

use crate::{
    clock::Clock,
    counters::Counters,
    ingress::Tunnels,
    placement::{
        Placement,
        command::{CommandError, OrderId},
        effect::{Claim, Effect, Rejection},
        epoch::Epoch,
        holder::{HolderId, SessionId},
        input::{ClaimFailure, ClaimId, Input, Restored, Ticket, Use},
        key::ResourceKey,
        moment::Moment,
    },
    session::wire::{Terms, Wire},
    status::{Hooks, Peer, WorkerStatus},
    store::{self, AnyStore, Note},
};

mod effects;
pub(crate) mod handle;
pub(crate) mod messages;
pub(crate) mod route;

use self::route::{Link, Route, RouteView};

/// The most messages in the Registry's mailbox before its senders are held back or refused.
const MAILBOX_MAX: usize = 4_096;

/// How long the store has rest before it is asked again to forget what it did not.
const FORGET_AGAIN_AFTER: Duration = Duration::from_secs(1);

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
    tunnels: Arc<Tunnels>,
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
    pub(crate) tunnels: Arc<Tunnels>,
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
            tunnels,
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
            tunnels,
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
            let pins = std::mem::take(&mut self.forgotten);
            let released = self.store.release(pins.clone()).into_actor(self);
            context.spawn(released.map(|outcome, _registry, context| {
                let Err(error) = outcome else { return };
                log::warn!(error:% = error; "the store did not forget released pins");
                if error.is_retryable() {
                    // Left there, each would be waited for after a restart.
                    context.run_later(FORGET_AGAIN_AFTER, |registry, context| {
                        registry.forgotten.extend(pins);
                        registry.submit(context);
                    });
                }
            }));
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
                    log::debug!(error:% = error; "the store did not take a new pin");
                }
            }
            let outcome = outcome.map_err(|error| ClaimFailure::from(&error));
            self.input(Input::Stored { claim, outcome }, context);
        }
    }

    fn status(&self, holder: HolderId, now: Moment) -> Option<WorkerStatus> {
        let facts = self.placement.holder(holder)?;
        let connection = facts
            .standing()
            .session()
            .and_then(|session| self.sessions.get(&session));
        Some(WorkerStatus::new(
            facts,
            connection.map(|connection| &connection.peer),
            connection.map_or(0, |connection| connection.wire.tunnels()),
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

/// Where the Registry is reached.
pub(crate) type RegistryAddr = Addr<Registry>;
