//! The guarantee, tried: a whole cluster in one thread, whose every accident follows from a seed.
//!
//! The real [`Placement`](crate::placement::Placement) and the real
//! [`Ownership`](crate::ownership::Ownership) of every worker run here, and around them a network, a
//! store, clients, operators and clocks that are made up. After every step every `invariant_*` is
//! checked; in the end faults stop, and every key must be served again. A run never reads a clock,
//! a file or a source of randomness: one seed is one run, to the last event.

mod client;
mod clock;
mod controller;
mod event;
mod faults;
mod invariants;
mod network;
mod random;
mod record;
mod scenario;
mod step;
mod store;
#[cfg(test)]
mod tests;
mod worker;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fmt,
};

use self::{
    client::{Request, RequestId},
    clock::{Clock, Instant, SECOND},
    controller::Controller,
    event::{Due, Event},
    network::{ConnectionId, End, Message, Network},
    random::Random,
    record::Record,
    scenario::Scenario,
    store::Store,
    worker::Worker,
};
pub use self::{invariants::Violation, record::Counts};
use crate::{
    mutation::{self, Mutation},
    placement::{
        epoch::Epoch,
        key::ResourceKey,
        worker::{Incarnation, WorkerId},
    },
};

/// Writes a line of the event log, if there is one.
macro_rules! note {
    ($world:expr, $($arguments:tt)+) => {
        if let Some(log) = &mut $world.log {
            log.push(format!("{:>11.6} {}", $world.now as f64 / 1e6, format_args!($($arguments)+)));
        }
    };
}
use note;

/// How long faults go on.
const FAULTS: u64 = 25 * SECOND;

/// How long a run may take to recover from them: a grace, a lease, a hand-over, what a store is slow
/// for, and a client's patience.
const RECOVERY: u64 = 40 * SECOND;

/// Everything there is.
#[derive(Debug)]
struct World {
    scenario: Scenario,
    random: Random,
    now: Instant,
    ends_at: Instant,
    agenda: BinaryHeap<Reverse<Due>>,
    last_due: u64,
    network: Network,
    store: Store,
    store_busy_until: Instant,
    store_answers_until: Instant,
    controller: Option<Controller>,
    /// How many lives the controller has had.
    lives: usize,
    restoring: BTreeMap<(ResourceKey, Epoch), Incarnation>,
    workers: Vec<Worker>,
    requests: BTreeMap<RequestId, Request>,
    last_request: u64,
    last_exchange: u64,
    last_execution: u64,
    last_process: u64,
    faults_are_over: bool,
    record: Record,
    log: Option<Vec<String>>,
}

/// An invariant that broke, and everything needed to see it again.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of the run.
    pub seed: u64,
    /// The step at which it broke.
    pub step: u64,
    /// What broke.
    pub violation: Violation,
    /// What happened until then; empty unless it was asked for.
    pub log: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { invariant, seen } = &self.violation;
        for line in &self.log {
            writeln!(formatter, "{line}")?;
        }
        write!(
            formatter,
            "SEED={} broke {invariant} at step {}: {seen}",
            self.seed, self.step
        )
    }
}

impl std::error::Error for Failure {}

/// Runs one seed, with a defect or without; a failure has no log, which takes most of the time.
///
/// # Errors
///
/// With the first invariant that broke.
pub fn run(seed: u64, mutation: Option<Mutation>) -> Result<Counts, Box<Failure>> {
    mutation::with(mutation, || World::new(seed, false).run(seed))
}

/// Runs one seed as [`run`] does, and writes down everything that happens.
///
/// # Errors
///
/// With the first invariant that broke, and the log.
pub fn replay(
    seed: u64,
    mutation: Option<Mutation>,
) -> Result<(Counts, Vec<String>), Box<Failure>> {
    mutation::with(mutation, || {
        let mut world = World::new(seed, true);
        let outcome = world.run(seed);
        let log = world.log.take().unwrap_or_default();
        match outcome {
            Ok(counts) => Ok((counts, log)),
            Err(mut failure) => {
                failure.log = log;
                Err(failure)
            }
        }
    })
}

impl World {
    fn new(seed: u64, logged: bool) -> Self {
        let mut random = Random::new(seed);
        let scenario = Scenario::draw(&mut random);
        let mut network = Network::default();
        network.latency = *random.pick(&[2_000, 20_000, 150_000]);
        let workers = 0..scenario.workers as u128;
        let workers = workers.map(|number| Worker {
            id: WorkerId::new(uuid::Uuid::from_u128(1_000 + number)),
            clock: Clock::new(0, 0),
            paused_until: 0,
            unreachable_until: 0,
            process: None,
        });
        let mut world = Self {
            workers: workers.collect(),
            scenario,
            random,
            now: 0,
            ends_at: FAULTS + RECOVERY,
            agenda: BinaryHeap::new(),
            last_due: 0,
            network,
            store: Store::new(),
            store_busy_until: 0,
            store_answers_until: 0,
            controller: None,
            lives: 0,
            restoring: BTreeMap::new(),
            requests: BTreeMap::new(),
            last_request: 0,
            last_exchange: 0,
            last_execution: 0,
            last_process: 0,
            faults_are_over: false,
            record: Record::default(),
            log: logged.then(Vec::new),
        };
        note!(world, "{:?}", world.scenario);
        world.at(0, Event::StartController);
        for worker in 0..world.workers.len() {
            world.at(1, Event::StartWorker(worker));
        }
        world.at(10_000, Event::Client);
        world.at(SECOND, Event::Fault);
        world.at(FAULTS, Event::EndOfFaults);
        world
    }

    fn run(&mut self, seed: u64) -> Result<Counts, Box<Failure>> {
        while let Some(Reverse(due)) = self.agenda.pop() {
            let at = due.at;
            if at > self.ends_at || self.has_recovered() {
                break;
            }
            self.now = at;
            self.step(due);
            self.record.counts.steps += 1;
            let step = self.record.counts.steps;
            invariants::check(self).map_err(|violation| Failure::new(seed, step, violation))?;
        }
        let step = self.record.counts.steps;
        invariants::invariant_it_recovers(self)
            .map_err(|violation| Failure::new(seed, step, violation))?;
        Ok(self.record.counts)
    }

    fn has_recovered(&self) -> bool {
        self.faults_are_over
            && self.requests.is_empty()
            && self.record.recovered.len() == self.scenario.keys.len()
    }

    fn at(&mut self, at: Instant, event: Event) {
        self.last_due += 1;
        let number = self.last_due;
        self.agenda.push(Reverse(Due { at, number, event }));
    }

    fn after(&mut self, delay: u64, event: Event) {
        self.at(self.now + delay, event);
    }

    /// A clock that may be as wrong as the margin allows, or is right.
    fn draw_clock(&mut self) -> Clock {
        let most = self.scenario.skew;
        let rate = match self.random.below(4) {
            0 => -most,
            1 => most,
            2 => 0,
            _ => {
                let span = u64::try_from(2 * most).unwrap_or(0);
                i64::try_from(self.random.below(span + 1)).unwrap_or(0) - most
            }
        };
        Clock::new(self.random.below(1_000 * SECOND), rate)
    }

    fn send(&mut self, connection: ConnectionId, to: End, message: Message) {
        note!(self, "  {connection:?} to {to:?}: {message:?}");
        let sent = self
            .network
            .send(self.now, &mut self.random, connection, to);
        if let Some((arrives, number)) = sent {
            self.at(arrives, Event::Deliver(connection, to, number, message));
        }
    }

    fn close(&mut self, connection: ConnectionId, by: End) {
        if let Some(notice) = self.network.close(self.now, connection, by) {
            self.at(notice, Event::Lost(connection, by.other()));
        }
    }

    /// How many lives of workers a controller may know: those that run, and those whose leases may.
    fn lives_max(&self) -> usize {
        usize::try_from(self.last_process).unwrap_or(usize::MAX)
    }
}

impl Failure {
    fn new(seed: u64, step: u64, violation: Violation) -> Box<Self> {
        Box::new(Self {
            seed,
            step,
            violation,
            log: Vec::new(),
        })
    }
}
