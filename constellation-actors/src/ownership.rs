//! Ownership: the worker's side of the promise, decided in pure code.
//!
//! What [`placement`](crate::placement) is to the controller, this is to the worker: which keys it
//! holds, whether it may act, what the end of a lease, a grant, a revocation, a reconnect or a
//! drain means. Nothing here reads a clock, does I/O, awaits, or draws randomness. [`Ownership`]
//! takes `(now, input)` and pushes [`Effect`]s into an outbox that the caller owns and applies in
//! order. It handles no request; it says whether one may be handled.

pub mod effect;
mod given_back;
pub mod holding;
pub mod input;
mod kept_lease;
pub mod reason;
pub mod refusal;
pub mod rules;
mod table;
mod transition;

use std::time::Duration;

use self::{
    effect::Effect,
    given_back::GivenBack,
    holding::{Holding, HoldingId},
    input::Input,
    kept_lease::KeptLease,
    refusal::Refusal,
    rules::Rules,
    table::Table,
};
use crate::{
    mutation::{self, Mutation},
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey, moment::Moment},
    protocol::frame::Held,
};

/// What one controller gave a worker: a lease, keys, at most one session at a time. A worker of
/// several controllers has one for each; they know nothing of each other.
///
/// * Getters: [`may_start`](Self::may_start), [`may_act`](Self::may_act), [`bound`](Self::bound),
///   [`has_lease`](Self::has_lease), [`lease_end`](Self::lease_end),
///   [`lease_left`](Self::lease_left), [`holding`](Self::holding), [`get`](Self::get),
///   [`owned`](Self::owned), [`holdings`](Self::holdings), [`stage`](Self::stage),
///   [`has_session`](Self::has_session).
/// * The only change: [`handle`](Self::handle).
/// * Time: [`next_deadline`](Self::next_deadline) tells when it next wants an [`Input::Tick`].
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Hash))]
pub struct Ownership {
    rules: Rules,
    stage: Stage,
    connected: bool,
    lease: Option<KeptLease>,
    table: Table,
    given_back: GivenBack,
    /// What was closed while there was no session to tell.
    untold: Vec<(ResourceKey, Epoch)>,
}

/// How far a worker is with its controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Stage {
    /// It takes keys.
    Serving,
    /// It takes no further keys, and serves those it has until the controller takes them.
    HandingOver {
        /// When it gives back by itself what is left.
        until: Moment,
        /// When the controller last took a key, or one that it took was closed.
        progress: Moment,
    },
    /// It gives its keys back by itself.
    GivingBack,
    /// Every key is given back.
    Left,
}

impl Ownership {
    /// The ownership of a worker that has never been connected.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            stage: Stage::Serving,
            connected: false,
            lease: None,
            table: Table::default(),
            given_back: GivenBack::default(),
            untold: Vec::new(),
        }
    }

    /// Whether a request that names `grant` is accepted at `now`, and under which holding.
    ///
    /// An accepted request begins once that [may be acted for](Self::may_act), which is to be
    /// asked right before.
    ///
    /// # Errors
    ///
    /// Why it may not start here.
    pub fn may_start(&self, now: Moment, grant: GrantId) -> Result<HoldingId, Refusal> {
        let id = self.table.named(grant).ok_or(Refusal::NotInForce)?;
        let holding = self.table.get(id).ok_or(Refusal::NotInForce)?;
        if !self.is_held(now, holding) {
            return Err(Refusal::NoLease);
        }
        match holding.ending() {
            None => Ok(id),
            Some(ending) if ending.reason.is_awaited() => Err(Refusal::BeingGivenBack(id)),
            Some(_) => Err(Refusal::NotInForce),
        }
    }

    /// Whether the worker may act under `holding` at `now`: begin with a request that was accepted,
    /// or send its answer.
    #[must_use]
    pub fn may_act(&self, now: Moment, holding: HoldingId) -> bool {
        self.table
            .get(holding)
            .is_some_and(|holding| holding.may_act() && self.is_held(now, holding))
    }

    /// Until when the worker may act under `holding`, if its lease lasts that long; `None` when it may
    /// not.
    #[must_use]
    pub fn bound(&self, holding: HoldingId) -> Option<Moment> {
        let holding = self.table.get(holding)?;
        holding.bound().filter(|_| !holding.is_withdrawn())
    }

    /// Whether the worker has a lease at `now`.
    #[must_use]
    pub fn has_lease(&self, now: Moment) -> bool {
        let unnoticed = mutation::is_active(Mutation::LeaseEndUnnoticed);
        let holds = |lease: &KeptLease| lease.holds(now) || unnoticed;
        self.lease.as_ref().is_some_and(holds)
    }

    /// The first moment at which the lease is over, unless it is renewed; `None` without one.
    #[must_use]
    pub fn lease_end(&self) -> Option<Moment> {
        self.lease.as_ref().map(|lease| lease.end().at)
    }

    /// How much longer the lease runs; `None` when it does not.
    #[must_use]
    pub fn lease_left(&self, now: Moment) -> Option<Duration> {
        let left = self.lease_end()?.saturating_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// What a hello that is sent at `now` names as held, by key: those included that are being
    /// closed, but not those that were lost.
    pub fn holding(&self, now: Moment) -> impl Iterator<Item = Held> {
        self.table
            .all_current()
            .filter(move |(_, holding)| self.is_held(now, holding))
            .map(|(_, holding)| Held {
                epoch: holding.epoch,
                key: holding.key.clone(),
            })
    }

    /// A holding, until it is gone.
    #[must_use]
    pub fn get(&self, holding: HoldingId) -> Option<&Holding> {
        self.table.get(holding)
    }

    /// The holdings that the worker owns: nothing keeps it from acting on them but, at times, the
    /// end of an earlier holding of the key. By key.
    pub fn owned(&self) -> impl Iterator<Item = (HoldingId, &Holding)> {
        self.table
            .all_current()
            .filter(|(_, holding)| !holding.is_withdrawn())
    }

    /// Every holding that is not gone, in the order in which they began.
    pub fn holdings(&self) -> impl Iterator<Item = (HoldingId, &Holding)> {
        self.table.all()
    }

    /// How far it is.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether there is a session.
    #[must_use]
    pub const fn has_session(&self) -> bool {
        self.connected
    }

    /// Takes in what happened and pushes what has to be done.
    ///
    /// `now` must not be earlier than at the call before. Deadlines that have passed by `now` are
    /// handled first, so an input never meets a lease that is already over.
    pub fn handle(&mut self, now: Moment, input: Input, outbox: &mut Vec<Effect>) {
        self.pass_time(now, outbox);
        self.apply(now, input, outbox);
        self.go_on_leaving(now, outbox);
    }

    /// When something is due that needs no input but time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let holding = self.table.next_deadline().map(|(deadline, _)| deadline);
        [
            self.lease_end(),
            self.renewal_due(),
            holding,
            self.handover_end(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether a lease says at `now` that `holding` is the worker's.
    fn is_held(&self, now: Moment, holding: &Holding) -> bool {
        self.has_lease(now) && holding.is_covered(now)
    }
}

#[cfg(test)]
mod tests;
