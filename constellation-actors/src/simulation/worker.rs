//! The simulated worker: the real ownership, and around it what the worker library does, without a
//! rule of its own: it dials, carries messages, runs handlers, opens and closes resources.

mod closing;
mod connection;
mod handling;

use std::collections::BTreeMap;

use super::{
    World,
    clock::{Clock, Instant, MILLI, SECOND},
    event::Event,
    network::{ConnectionId, End, ExchangeId, Message},
    note,
    record::Fact,
};
use crate::{
    ownership::{
        Ownership, Stage,
        effect::{Effect, Urgency},
        holding::HoldingId,
        input::Input,
        reason::ReleaseReason,
        rules::Rules,
    },
    placement::{
        epoch::Epoch,
        key::ResourceKey,
        moment::Moment,
        worker::{Incarnation, WorkerId},
    },
};

/// How long a worker waits for a welcome.
const WELCOME_WITHIN: u64 = 3 * SECOND;

/// How long a session whose lease is over still refuses requests.
const REFUSE_FOR: u64 = 500 * MILLI;

/// One run of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExecutionId(pub(crate) u64);

/// A request as the worker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    connection: ConnectionId,
    exchange: ExchangeId,
}

/// What runs under one holding.
#[derive(Clone, Debug)]
struct Resource {
    key: ResourceKey,
    epoch: Epoch,
    open: bool,
    closing: Option<(Urgency, ReleaseReason)>,
    /// Whether the time it takes to close runs.
    is_closing: bool,
    waiting: Vec<Call>,
    running: BTreeMap<ExecutionId, Call>,
    /// Refused once it is gone.
    refused_later: Vec<Call>,
}

/// The connection to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    connection: ConnectionId,
    hello_sent: Moment,
    welcomed: bool,
}

/// One life of a worker.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) number: u64,
    pub(crate) incarnation: Incarnation,
    ownership: Ownership,
    link: Option<Link>,
    resources: BTreeMap<HoldingId, Resource>,
    attempts: u32,
    wakes_at: Option<Instant>,
}

/// A worker, alive or not.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) clock: Clock,
    pub(crate) paused_until: Instant,
    pub(crate) unreachable_until: Instant,
    pub(crate) process: Option<Process>,
}

impl Process {
    /// The keys that it holds at `now` by its own clock; with `open`, those too whose resources are
    /// open.
    pub(crate) fn held(
        &self,
        now: Moment,
        open: bool,
    ) -> impl Iterator<Item = (&ResourceKey, Epoch)> {
        let acting = self.ownership.holdings();
        let acting = acting.filter(move |(id, _)| self.ownership.may_act(now, *id));
        let acting = acting.map(|(_, holding)| (holding.key(), holding.epoch()));
        let open = self.resources.values().filter(move |it| open && it.open);
        acting.chain(open.map(|resource| (&resource.key, resource.epoch)))
    }
}

impl World {
    pub(crate) fn start_worker(&mut self, worker: usize) {
        if self.workers[worker].process.is_some() {
            return;
        }
        self.last_process += 1;
        let number = self.last_process;
        let clock = self.draw_clock();
        let incarnation = Incarnation::new(uuid::Uuid::from_u128(u128::from(number)));
        note!(self, "worker {worker}: starts as {incarnation}");
        let state = &mut self.workers[worker];
        state.clock = clock;
        state.paused_until = 0;
        let rules = Rules {
            drain_timeout: std::time::Duration::from_millis(1_500),
            handover_stall: std::time::Duration::from_millis(800),
        };
        state.process = Some(Process {
            number,
            incarnation,
            ownership: Ownership::new(rules),
            link: None,
            resources: BTreeMap::new(),
            attempts: 0,
            wakes_at: None,
        });
        let late = self.random.below(20 * MILLI);
        self.after(late, Event::Dial(worker, number));
    }

    pub(crate) fn crash_worker(&mut self, worker: usize) {
        let Some(process) = self.workers[worker].process.take() else {
            return;
        };
        note!(self, "worker {worker}: is gone");
        if let Some(link) = process.link {
            if self.random.percent(50) {
                self.network
                    .cut(&mut self.random, link.connection, End::Controller);
            }
            self.close(link.connection, End::Worker);
        }
        let down = self.random.between(10 * MILLI, 5 * SECOND);
        self.after(down, Event::StartWorker(worker));
    }

    /// Lets the ownership handle one input and applies its effects.
    pub(crate) fn own(&mut self, worker: usize, input: Input) {
        let local = self.workers[worker].clock.at(self.now);
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        note!(self, "  worker {worker} <- {input:?}");
        let mut outbox = Vec::new();
        process.ownership.handle(local, input, &mut outbox);
        for effect in outbox {
            note!(self, "  worker {worker} -> {effect:?}");
            self.obey(worker, effect);
        }
        self.reschedule_worker(worker);
        self.exit_if_left(worker);
    }

    fn reschedule_worker(&mut self, worker: usize) {
        let late = self.random.below(self.scenario.gap.as_micros() as u64 / 2);
        let now = self.now;
        let state = &mut self.workers[worker];
        let Some(process) = &mut state.process else {
            return;
        };
        let Some(deadline) = process.ownership.next_deadline() else {
            return;
        };
        let due = state.clock.reaches(deadline).max(now);
        if process.wakes_at.is_none_or(|wakes| wakes > due) {
            process.wakes_at = Some(due);
            let event = Event::Wake(worker, process.number);
            self.at(due + late, event);
        }
    }

    pub(crate) fn wake_worker(&mut self, worker: usize) {
        if let Some(process) = &mut self.workers[worker].process {
            process.wakes_at = None;
        }
        self.own(worker, Input::Tick);
    }

    fn obey(&mut self, worker: usize, effect: Effect) {
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        match effect {
            Effect::Hold {
                holding,
                epoch,
                key,
            } => self.hold(worker, holding, key, epoch),
            Effect::Open { holding } => {
                let Some(resource) = process.resources.get_mut(&holding) else {
                    return;
                };
                resource.open = true;
                for call in resource.waiting.clone() {
                    self.begin_soon(worker, holding, call);
                }
            }
            Effect::Close {
                holding,
                reason,
                urgency,
            } => self.close_resource(worker, holding, reason, urgency),
            Effect::Gone { holding, .. } => {
                if let Some(resource) = process.resources.remove(&holding) {
                    for call in resource.refused_later {
                        self.refuse(worker, call);
                    }
                }
            }
            Effect::GrantIgnored { .. } | Effect::LeaseEnded { .. } => {}
            Effect::SendReleased { epoch, key } => {
                self.say(worker, Message::Released(key, epoch));
            }
            Effect::SendHeartbeat { sequence } => self.say(worker, Message::Heartbeat(sequence)),
            Effect::SendDraining => self.say(worker, Message::Draining),
            Effect::SendGoodbye => {
                self.say(worker, Message::Goodbye);
                self.depart(worker, MILLI);
            }
            Effect::EndSession => self.depart(worker, REFUSE_FOR),
        }
    }

    fn hold(&mut self, worker: usize, holding: HoldingId, key: ResourceKey, epoch: Epoch) {
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let resource = Resource {
            key: key.clone(),
            epoch,
            open: false,
            closing: None,
            is_closing: false,
            waiting: Vec::new(),
            running: BTreeMap::new(),
            refused_later: Vec::new(),
        };
        process.resources.insert(holding, resource);
        self.record.facts.push(Fact::Held {
            durable: self.record.owners.contains_key(&(key.clone(), epoch)),
            key,
            epoch,
            incarnation: process.incarnation,
        });
    }

    /// A worker that has given everything back ends, whether or not anybody was told.
    fn exit_if_left(&mut self, worker: usize) {
        let process = self.workers[worker].process.as_ref();
        let left = process.filter(|process| process.ownership.stage() == Stage::Left);
        if let Some(process) = left {
            let event = Event::Exit(worker, process.number);
            self.after(10 * MILLI, event);
        }
    }
}
