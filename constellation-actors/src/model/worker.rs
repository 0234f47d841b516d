//! A worker of the model: the real ownership, and around it what the worker library does, without
//! a rule of its own. A resource closes in no time once nothing runs under it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    network::{Connection, ConnectionId, End, Message, RequestId},
    record::Noted,
    state::{State, at},
};
use crate::{
    ownership::{
        Ownership,
        effect::{Effect, Urgency},
        holding::HoldingId,
        input::Input,
        refusal::Refusal,
        rules::Rules,
    },
    placement::{
        epoch::Epoch,
        grant::GrantId,
        key::ResourceKey,
        lease::LeaseTerms,
        moment::Moment,
        worker::{Incarnation, WorkerId},
    },
};

/// The connection to the controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Link {
    connection: ConnectionId,
    hello_sent: Moment,
    welcomed: bool,
}

/// A request that was begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Run {
    holding: HoldingId,
    connection: ConnectionId,
}

/// One life of a worker.
#[derive(Clone, Debug, Hash)]
pub(super) struct Process {
    incarnation: Incarnation,
    ownership: Ownership,
    link: Option<Link>,
    running: BTreeMap<RequestId, Run>,
    /// What is closed once nothing runs under it.
    closing: BTreeSet<HoldingId>,
    /// Requests that are refused once their holding is gone.
    refused_later: Vec<(HoldingId, RequestId, ConnectionId)>,
}

/// A worker, alive or not.
#[derive(Clone, Debug, Hash)]
pub(super) struct Worker {
    id: WorkerId,
    pub(super) lives: u64,
    pub(super) is_paused: bool,
    /// By how many ticks its clock is behind.
    pub(super) late: u64,
    pub(super) process: Option<Process>,
}

impl Worker {
    pub(super) fn new(number: u128) -> Self {
        Self {
            id: WorkerId::new(uuid::Uuid::from_u128(1_000 + number)),
            lives: 0,
            is_paused: false,
            late: 0,
            process: None,
        }
    }

    /// Its process, if that gets to run.
    pub(super) fn running(&self) -> Option<&Process> {
        self.process.as_ref().filter(|_| !self.is_paused)
    }

    /// The keys that it may act on by its own clock, whether or not it gets to run.
    pub(super) fn held(&self, now: u64) -> impl Iterator<Item = (&ResourceKey, Epoch)> {
        let now = at(now - self.late);
        self.process.iter().flat_map(move |process| {
            let holdings = process.ownership.holdings();
            let acting = holdings.filter(move |(id, _)| process.ownership.may_act(now, *id));
            acting.map(|(_, holding)| (holding.key(), holding.epoch()))
        })
    }

    /// Whether something is due by its own clock.
    pub(super) fn is_due(&self, now: u64) -> bool {
        let deadline = self.running().map(|it| it.ownership.next_deadline());
        deadline
            .flatten()
            .is_some_and(|due| due <= at(now - self.late))
    }
}

impl Process {
    pub(super) const fn wants_to_dial(&self) -> bool {
        self.link.is_none()
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = RequestId> {
        self.running.keys().copied()
    }

    /// The connection over which it said hello and has not been welcomed.
    pub(super) fn unanswered(&self) -> Option<ConnectionId> {
        let link = self.link.filter(|link| !link.welcomed)?;
        Some(link.connection)
    }
}

impl State {
    /// What a worker's process does, if it is there.
    fn process(&mut self, worker: usize) -> Option<&mut Process> {
        self.workers[worker].process.as_mut()
    }

    pub(super) fn start_worker(&mut self, worker: usize) {
        let state = &mut self.workers[worker];
        state.lives += 1;
        let number = u128::from(state.lives) * 10 + worker as u128;
        let patience = at(4).saturating_since(Moment::ZERO);
        let rules = Rules {
            drain_timeout: patience,
            handover_stall: patience,
        };
        state.process = Some(Process {
            incarnation: Incarnation::new(uuid::Uuid::from_u128(number)),
            ownership: Ownership::new(rules),
            link: None,
            running: BTreeMap::new(),
            closing: BTreeSet::new(),
            refused_later: Vec::new(),
        });
    }

    pub(super) fn crash_worker(&mut self, worker: usize) {
        let state = &mut self.workers[worker];
        state.is_paused = false;
        let link = state.process.take().and_then(|process| process.link);
        if let Some(link) = link {
            self.close(link.connection, End::Worker);
        }
    }

    pub(super) fn dial(&mut self, worker: usize) {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        let hello_sent = at(self.now - self.workers[worker].late);
        let id = self.workers[worker].id;
        let Some(process) = self.process(worker) else {
            return;
        };
        process.link = Some(Link {
            connection,
            hello_sent,
            welcomed: false,
        });
        let holding = process.ownership.holding(hello_sent);
        let hello = Message::Hello {
            worker: id,
            incarnation: process.incarnation,
            holding: holding.map(|held| (held.key, held.epoch)).collect(),
        };
        self.connections.insert(connection, Connection::new(worker));
        self.send(connection, End::Controller, hello);
    }

    /// The connection is over, as the worker sees it.
    pub(super) fn worker_loses(&mut self, worker: usize, connection: ConnectionId) {
        self.close(connection, End::Worker);
        let Some(process) = self.process(worker) else {
            return;
        };
        let Some(link) = process.link.filter(|it| it.connection == connection) else {
            return;
        };
        process.link = None;
        if link.welcomed {
            self.own(worker, Input::Disconnected);
        }
    }

    /// A message of the controller has come.
    pub(super) fn worker_hears(&mut self, worker: usize, from: ConnectionId, message: Message) {
        let Some(process) = self.process(worker) else {
            return;
        };
        let Some(link) = process.link.as_mut().filter(|it| it.connection == from) else {
            return;
        };
        let input = match message {
            Message::Welcome { resumed, terms } => {
                link.welcomed = true;
                let interval = terms.interval().min(terms.held() / 2);
                let terms = LeaseTerms::with_margin(terms.ttl(), terms.margin(), interval);
                Input::Welcomed {
                    resumed,
                    terms: terms.expect("a shorter interval fits too"),
                    hello_sent: link.hello_sent,
                }
            }
            Message::Acknowledgement(sequence) => Input::Acknowledged { sequence },
            Message::Grant(grant, epoch, key) => Input::Granted { grant, epoch, key },
            Message::Revoke(reason, epoch, key) => Input::Revoked { reason, epoch, key },
            Message::GoAway { lease_ended: true } => Input::LeaseExpired,
            Message::GoAway { lease_ended: false } => return,
            Message::Request(request, grant) => {
                return self.requested(worker, from, request, grant);
            }
            Message::Lost => return self.worker_loses(worker, from),
            Message::Hello { .. }
            | Message::Heartbeat(_)
            | Message::Released(..)
            | Message::Answer(_)
            | Message::Refusal(_)
            | Message::BrokenOff(_) => unreachable!("a controller says what only a worker says"),
        };
        self.own(worker, input);
    }

    /// Lets the ownership handle one input and applies its effects, and then what follows from
    /// them without any time passing.
    pub(super) fn own(&mut self, worker: usize, input: Input) {
        let local = at(self.now - self.workers[worker].late);
        let Some(process) = self.process(worker) else {
            return;
        };
        let mut outbox = Vec::new();
        process.ownership.handle(local, input, &mut outbox);
        let (mut closed, mut ended) = (Vec::new(), None);
        for effect in outbox {
            self.obey(worker, effect, &mut closed, &mut ended);
        }
        for holding in closed {
            self.own(worker, Input::Closed { holding });
        }
        if let Some(connection) = ended {
            self.worker_loses(worker, connection);
        }
    }

    fn obey(
        &mut self,
        worker: usize,
        effect: Effect,
        closed: &mut Vec<HoldingId>,
        ended: &mut Option<ConnectionId>,
    ) {
        let Some(process) = self.workers[worker].process.as_mut() else {
            return;
        };
        match effect {
            Effect::Hold { epoch, key, .. } => {
                self.record.held(&key, epoch, process.incarnation);
            }
            Effect::Close {
                holding, urgency, ..
            } => {
                let under = |run: &Run| run.holding == holding;
                if urgency > Urgency::Graceful {
                    let cancelled = process.running.extract_if(.., |_, run| under(run));
                    for (request, run) in cancelled.collect::<Vec<_>>() {
                        self.reply(worker, run.connection, Message::BrokenOff(request));
                    }
                } else if process.running.values().any(under) {
                    process.closing.insert(holding);
                    return;
                }
                closed.push(holding);
            }
            Effect::Gone { holding, .. } => {
                process.closing.remove(&holding);
                let later = |it: &mut (HoldingId, RequestId, ConnectionId)| it.0 == holding;
                let refused = process.refused_later.extract_if(.., later);
                for (_, request, connection) in refused.collect::<Vec<_>>() {
                    self.reply(worker, connection, Message::Refusal(request));
                }
            }
            Effect::SendReleased { epoch, key } => {
                self.say(worker, Message::Released(key, epoch));
            }
            Effect::SendHeartbeat { sequence } => self.say(worker, Message::Heartbeat(sequence)),
            Effect::EndSession => *ended = process.link.map(|link| link.connection),
            Effect::Open { .. } | Effect::GrantIgnored { .. } | Effect::LeaseEnded { .. } => {}
            Effect::SendDraining | Effect::SendGoodbye => unreachable!("no worker leaves"),
        }
    }

    fn say(&mut self, worker: usize, message: Message) {
        let process = self.workers[worker].process.as_ref();
        if let Some(link) = process.and_then(|process| process.link) {
            self.send(link.connection, End::Controller, message);
        }
    }

    /// Answers over the connection of the request, if that is still there.
    fn reply(&mut self, worker: usize, over: ConnectionId, message: Message) {
        let process = self.workers[worker].process.as_ref();
        let link = process.and_then(|process| process.link);
        if link.is_some_and(|link| link.connection == over) {
            self.send(over, End::Controller, message);
        }
    }

    fn requested(
        &mut self,
        worker: usize,
        connection: ConnectionId,
        request: RequestId,
        grant: GrantId,
    ) {
        let local = at(self.now - self.workers[worker].late);
        let Some(process) = self.process(worker) else {
            return;
        };
        let ownership = &process.ownership;
        match ownership.may_start(local, grant) {
            Ok(holding) if ownership.may_act(local, holding) => {
                let run = Run {
                    holding,
                    connection,
                };
                process.running.insert(request, run);
            }
            Err(Refusal::BeingGivenBack(holding)) => {
                process.refused_later.push((holding, request, connection));
            }
            Ok(_) | Err(Refusal::NotInForce | Refusal::NoLease) => {
                self.reply(worker, connection, Message::Refusal(request));
            }
        }
    }

    /// A handler has come to its end.
    pub(super) fn finish(&mut self, worker: usize, request: RequestId) {
        let local = at(self.now - self.workers[worker].late);
        let Some(process) = self.process(worker) else {
            return;
        };
        let Some(run) = process.running.remove(&request) else {
            return;
        };
        let over = !process.running.values().any(|it| it.holding == run.holding);
        let closes = over && process.closing.remove(&run.holding);
        if process.ownership.may_act(local, run.holding) {
            self.reply(worker, run.connection, Message::Answer(request));
        } else {
            self.noted = Some(Noted::LateAnswer);
            self.reply(worker, run.connection, Message::BrokenOff(request));
        }
        if closes {
            let holding = run.holding;
            self.own(worker, Input::Closed { holding });
        }
    }
}
