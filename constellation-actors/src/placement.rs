//! Placement: who owns which key, decided in pure code.
//!
//! Nothing here reads a clock, does I/O, awaits, or draws randomness. [`Placement`] takes
//! `(now, input)` and pushes [`Effect`]s into an outbox that the caller owns and applies in order.
//! What depends on the store is withheld until the store's confirmation comes in as an input.

pub mod command;
#[cfg(test)]
mod digest;
pub mod effect;
pub mod epoch;
pub mod grant;
pub mod handover;
pub mod history;
pub mod holder;
pub mod input;
pub mod key;
pub mod key_rules;
pub mod lease;
pub mod moment;
pub mod path;
pub mod pattern;
pub mod pin;
mod pins;
mod rebalance;
mod roster;
mod rotation;
pub mod rules;
mod segment;
pub mod strategy;
mod sweep;
mod transition;
mod waiting;
pub mod worker;

use std::collections::{BTreeSet, HashMap, VecDeque};

use self::{
    effect::Effect,
    epoch::Epoch,
    handover::{Handover, Handovers},
    history::{Ending, History, Past},
    holder::{Holder, HolderId, SessionId},
    input::{ClaimId, Input},
    key::ResourceKey,
    moment::Moment,
    pin::Pin,
    pins::Pins,
    rebalance::Rebalancer,
    roster::Roster,
    rules::{Rebalancing, Rules},
    sweep::Sweep,
    waiting::Waiting,
    worker::WorkerId,
};

/// What a controller knows when it starts.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Higher than every epoch that was ever granted.
    pub first_epoch: Epoch,
    /// Until then workers of an earlier life may still act on keys that nobody remembers, so keys
    /// wait. `None` when the store remembers every pin, or no such worker can exist.
    pub grace_until: Option<Moment>,
}

/// Who owns which key.
///
/// * Getters: [`pin`](Self::pin), [`holder`](Self::holder), [`holders`](Self::holders),
///   [`holder_of`](Self::holder_of), [`pins`](Self::pins), [`waiting`](Self::waiting),
///   [`waiting_for`](Self::waiting_for), [`handover`](Self::handover),
///   [`history`](Self::history), [`next_for`](Self::next_for),
///   [`rebalancing`](Self::rebalancing), [`rules`](Self::rules).
/// * The only change: [`handle`](Self::handle).
/// * Time: [`next_deadline`](Self::next_deadline) tells when it next wants an [`Input::Tick`].
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Placement {
    rules: Rules,
    pins: Pins,
    roster: Roster,
    claims: HashMap<ClaimId, (ResourceKey, Epoch)>,
    waiting: Waiting,
    /// The end of the time after a start without memory in which no key gets a new owner.
    grace_until: Option<Moment>,
    /// Keys that no request has any more, while their workers may still act on them.
    misplaced: BTreeSet<ResourceKey>,
    /// Keys that are asked for and get no owner before the grace is over and no key is misplaced.
    barred_keys: BTreeSet<ResourceKey>,
    deserted: VecDeque<Deserted>,
    departed: HashMap<HolderId, Departed>,
    handovers: Handovers,
    history: History,
    cordoned: BTreeSet<WorkerId>,
    sweep: Sweep,
    rebalancer: Rebalancer,
    /// When every lease of an earlier life of the controller is over.
    lease_settles: Option<Moment>,
    /// The moment of the input that is being handled.
    now: Moment,
    first_epoch: Epoch,
    next_epoch: Epoch,
    last_claim: u64,
}

/// The keys of a holder that is gone, whose pins are cleared away a batch at a time. Until then
/// such a pin counts for nothing, because its holder is not in the roster.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, Hash))]
struct Deserted {
    holder: HolderId,
    keys: Vec<Option<ResourceKey>>,
}

/// A holder that is gone and whose pins are not all cleared away.
#[derive(Clone, Copy, Debug)]
struct Departed {
    worker: WorkerId,
    ending: Ending,
    at: Moment,
}

impl Placement {
    /// A placement without workers or pins.
    #[must_use]
    pub fn new(rules: Rules, start: Start) -> Self {
        let mut rebalancer = Rebalancer::default();
        rebalancer.switch(rules.rebalancing, Moment::ZERO, &rules.balance);
        Self {
            rules,
            pins: Pins::default(),
            roster: Roster::default(),
            claims: HashMap::new(),
            waiting: Waiting::default(),
            grace_until: start.grace_until,
            misplaced: BTreeSet::new(),
            barred_keys: BTreeSet::new(),
            deserted: VecDeque::new(),
            departed: HashMap::new(),
            handovers: Handovers::default(),
            history: History::default(),
            cordoned: BTreeSet::new(),
            sweep: Sweep::default(),
            rebalancer,
            lease_settles: None,
            now: Moment::ZERO,
            first_epoch: start.first_epoch,
            next_epoch: start.first_epoch,
            last_claim: 0,
        }
    }

    /// The rules it follows.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The pin of `key`, unless it has none or its holder is gone.
    #[must_use]
    pub fn pin(&self, key: &str) -> Option<Pin> {
        self.pins
            .get(key)
            .filter(|pin| self.roster.get(pin.holder).is_some())
    }

    /// How many pins there are, those of departed holders that are still to be cleared included.
    #[must_use]
    pub fn pins(&self) -> usize {
        self.pins.len()
    }

    /// A holder.
    #[must_use]
    pub fn holder(&self, holder: HolderId) -> Option<&Holder> {
        self.roster.get(holder)
    }

    /// Every holder, in the order of arrival.
    pub fn holders(&self) -> impl Iterator<Item = (HolderId, &Holder)> {
        self.roster.iter()
    }

    /// The holder whose connection this is.
    #[must_use]
    pub fn holder_of(&self, session: SessionId) -> Option<HolderId> {
        self.roster.by_session(session)
    }

    /// How many requests wait for an owner.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.total()
    }

    /// How many requests wait for the owner of `key`.
    #[must_use]
    pub fn waiting_for(&self, key: &str) -> usize {
        self.waiting.at(key)
    }

    /// The planned hand-over of `key` that is under way.
    #[must_use]
    pub fn handover(&self, key: &str) -> Option<&Handover> {
        self.handovers.get(key)
    }

    /// How `key` lost its owners, latest first, as far as that is remembered. Looks at the whole
    /// memory of some thousand changes.
    pub fn history(&self, key: &str) -> impl Iterator<Item = &Past> {
        self.history.of(key)
    }

    /// The holder that would get `key` if it were new.
    #[must_use]
    pub fn next_for(&self, key: &str) -> Option<HolderId> {
        self.roster.next_for(key, None)
    }

    /// Whether keys are moved so that workers have equally many.
    #[must_use]
    pub fn rebalancing(&self) -> Rebalancing {
        self.rebalancer.mode
    }

    /// Takes in what happened and pushes what has to be done.
    ///
    /// `now` must not be earlier than at the call before. Deadlines that have passed by `now` are
    /// handled first, so an input never meets a lease that is already over.
    pub fn handle(&mut self, now: Moment, input: Input, outbox: &mut Vec<Effect>) {
        self.now = now;
        self.pass_time(now, outbox);
        self.apply(now, input, outbox);
    }

    /// When something is due that needs no input but time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        let deserted = (!self.deserted.is_empty()).then_some(Moment::ZERO);
        let deadlines = [
            self.roster.next_deadline(),
            self.grace_until,
            deserted,
            self.lease_settles,
            self.handovers.next_deadline(),
            self.sweep.next_deadline(),
            self.rebalancer.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
