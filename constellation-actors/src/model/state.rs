//! One state of the model: every process, everything under way, and what may still go wrong; and
//! the steps that lead out of it.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use super::{
    controller::Controller,
    network::{Connection, ConnectionId, End, Message, RequestId},
    record::{Noted, Record},
    store::Store,
    worker::Worker,
};
use crate::{
    ownership::input,
    placement::{input::Input, key::ResourceKey, lease::LeaseTerms, moment::Moment},
};

/// How much time a tick is: the least margin that a lease can have.
const TICK: Duration = crate::placement::lease::MARGIN_MIN;

/// The interval between renewals, and how many of them are a lease.
pub(super) const TERMS: (Duration, u32) = (TICK, 3);

/// The terms of every lease.
pub(super) fn terms() -> LeaseTerms {
    LeaseTerms::new(TERMS.0 * TERMS.1, TERMS.0).expect("three ticks are more than the margin")
}

/// What a clock shows that has seen so many ticks. None begins at zero.
pub(super) fn at(ticks: u64) -> Moment {
    let ticks = u32::try_from(ticks).expect("a few ticks");
    Moment::from_micros(60_000_000) + TICK * ticks
}

/// How much may happen: what is left of it, in a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    pub(super) ticks: u64,
    /// Requests of clients, for each key.
    pub(super) requests: [u8; 2],
    /// Orders of an operator to move the first key.
    pub(super) moves: u8,
    /// Crashes of a worker.
    pub(super) worker_crashes: u8,
    /// Crashes of the controller.
    pub(super) controller_crashes: u8,
    /// Crashes of either.
    pub(super) crashes: u8,
    /// Pauses of a worker.
    pub(super) pauses: u8,
    /// Connections that break, with or without anybody's notice.
    pub(super) losses: u8,
    /// Connections, after the first of each worker.
    pub(super) dials: u8,
    /// Ticks that a worker's clock does not count.
    pub(super) late: u8,
    /// Whether a worker that is not paused does at once what it has to do. Its steps commute with
    /// those of others, and while it is paused they wait, so this hides little, and saves much.
    pub(super) is_eager: bool,
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The first message on its way to that end arrives.
    Deliver(ConnectionId, End),
    /// The store does one thing and answers.
    Store,
    /// The controller does what is due.
    WakeController,
    /// A worker does what is due.
    Wake(usize),
    /// A worker connects and says hello.
    Dial(usize),
    /// A worker waits no longer for a welcome that was lost.
    GiveUp(usize, ConnectionId),
    /// A handler comes to its end.
    Finish(usize, RequestId),
    /// A client asks for a key.
    Ask(usize),
    /// An operator moves the first key.
    Move,
    CrashWorker(usize),
    StartWorker(usize),
    /// The store has done so many of the things that it was asked.
    CrashController(usize),
    StartController,
    Pause(usize),
    Resume(usize),
    /// What is sent to that end is lost from now on, and nobody notices.
    Cut(ConnectionId, End),
    /// What is under way is lost, and both ends notice.
    Tear(ConnectionId),
    /// Time passes.
    Tick,
    /// Time passes, and the clock of a worker does not count it.
    TickLate(usize),
}

/// A state.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) now: u64,
    pub(super) left: Budget,
    pub(super) controller: Option<Controller>,
    pub(super) store: Store,
    pub(super) workers: [Worker; 2],
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) last_connection: u64,
    pub(super) last_request: u64,
    pub(super) record: Record,
    pub(super) noted: Option<Noted>,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.now, self.left, self.noted).hash(state);
        (&self.controller, &self.store, &self.workers).hash(state);
        (&self.connections, &self.record).hash(state);
        (self.last_connection, self.last_request).hash(state);
    }
}

/// Two states are one when the checker cannot tell them apart either.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        let digest = |state: &Self| {
            let mut hasher = DefaultHasher::new();
            state.hash(&mut hasher);
            hasher.finish()
        };
        digest(self) == digest(other)
    }
}

/// The two keys of the model.
pub(super) fn key(number: usize) -> ResourceKey {
    ResourceKey::parse(["/a", "/b"][number]).expect("a short path")
}

impl State {
    /// Two workers that are welcomed; each key asked for and answered once, if `placed`.
    pub(super) fn new(left: Budget, placed: bool) -> Self {
        let mut state = Self {
            now: 0,
            left: Budget {
                dials: 2,
                ..Budget::default()
            },
            controller: None,
            store: Store::default(),
            workers: [Worker::new(0), Worker::new(1)],
            connections: BTreeMap::new(),
            last_connection: 0,
            last_request: 0,
            record: Record::default(),
            noted: None,
        };
        state.start_controller();
        for worker in 0..2 {
            state.start_worker(worker);
            state.settle();
        }
        for number in 0..2 * usize::from(placed) {
            state.ask(key(number));
            state.settle();
        }
        state.left = left;
        state.noted = None;
        state
    }

    /// Does what there is to do until there is nothing left but to let time pass.
    fn settle(&mut self) {
        let mut actions = Vec::new();
        loop {
            actions.clear();
            self.actions(&mut actions);
            match actions.first() {
                Some(action) => self.act(*action),
                None => return,
            }
        }
    }

    /// Every step that is possible. Time passes only when nobody has anything to do but those who
    /// are paused, and handlers.
    pub(super) fn actions(&self, actions: &mut Vec<Action>) {
        self.push_arrivals(actions);
        if let Some(controller) = &self.controller {
            if self.store.backlog() > 0 {
                actions.push(Action::Store);
            }
            let deadline = controller.placement.next_deadline();
            if deadline.is_some_and(|due| due <= at(self.now)) {
                actions.push(Action::WakeController);
            }
        }
        for (number, worker) in self.workers.iter().enumerate() {
            if worker.is_due(self.now) {
                actions.push(Action::Wake(number));
            }
            let dials = |it: &super::worker::Process| it.wants_to_dial();
            let may_dial = self.left.dials > 0 && self.controller.is_some();
            if may_dial && worker.running().is_some_and(dials) {
                actions.push(Action::Dial(number));
            }
        }
        if self.left.is_eager
            && let Some(first) = actions.iter().copied().find(is_of_worker)
        {
            *actions = vec![first];
        }
        if actions.is_empty() && self.left.ticks > 0 {
            actions.push(Action::Tick);
            if self.left.late > 0 {
                actions.extend([Action::TickLate(0), Action::TickLate(1)]);
            }
        }
        self.push_work(actions);
        self.push_accidents(actions);
    }

    fn push_arrivals(&self, actions: &mut Vec<Action>) {
        for (id, connection) in &self.connections {
            if self.controller.is_some() && connection.has_news_for(End::Controller) {
                actions.push(Action::Deliver(*id, End::Controller));
            }
            let worker = &self.workers[connection.worker];
            if worker.running().is_some() && connection.has_news_for(End::Worker) {
                actions.push(Action::Deliver(*id, End::Worker));
            }
        }
    }

    /// What clients, operators and handlers may do now or later.
    fn push_work(&self, actions: &mut Vec<Action>) {
        for (number, worker) in self.workers.iter().enumerate() {
            let Some(process) = worker.running() else {
                continue;
            };
            let runs = process.runs();
            actions.extend(runs.map(|request| Action::Finish(number, request)));
            if let Some(id) = process.unanswered()
                && let Some(connection) = self.connections.get(&id)
                && (connection.is_cut(End::Controller) || connection.is_cut(End::Worker))
            {
                actions.push(Action::GiveUp(number, id));
            }
        }
        if self.controller.is_none() {
            return;
        }
        for (number, left) in self.left.requests.iter().enumerate() {
            if *left > 0 {
                actions.push(Action::Ask(number));
            }
        }
        if self.left.moves > 0 {
            actions.push(Action::Move);
        }
    }

    fn push_accidents(&self, actions: &mut Vec<Action>) {
        let left = &self.left;
        for (number, worker) in self.workers.iter().enumerate() {
            match &worker.process {
                None => {
                    if worker.lives == 1 {
                        actions.push(Action::StartWorker(number));
                    }
                }
                Some(_) => {
                    if left.worker_crashes + left.crashes > 0 {
                        actions.push(Action::CrashWorker(number));
                    }
                    if worker.is_paused {
                        actions.push(Action::Resume(number));
                    } else if left.pauses > 0 {
                        actions.push(Action::Pause(number));
                    }
                }
            }
        }
        if self.controller.is_none() {
            actions.push(Action::StartController);
        } else if left.controller_crashes + left.crashes > 0 {
            let done = 0..=self.store.backlog();
            actions.extend(done.map(Action::CrashController));
        }
        if left.losses > 0 {
            for (id, connection) in &self.connections {
                if connection.is_open_at(End::Controller) && connection.is_open_at(End::Worker) {
                    actions.push(Action::Cut(*id, End::Controller));
                    actions.push(Action::Cut(*id, End::Worker));
                    actions.push(Action::Tear(*id));
                }
            }
        }
    }

    /// Takes a step.
    pub(super) fn act(&mut self, action: Action) {
        self.noted = None;
        match action {
            Action::Deliver(id, end) => self.deliver(id, end),
            Action::Store => {
                if let Some((claim, outcome)) = self.store.step() {
                    self.input(Input::Stored { claim, outcome });
                }
            }
            Action::WakeController => self.input(Input::Tick),
            Action::Wake(worker) => self.own(worker, input::Input::Tick),
            Action::Dial(worker) => {
                self.left.dials -= 1;
                self.dial(worker);
            }
            Action::GiveUp(worker, id) => self.worker_loses(worker, id),
            Action::Finish(worker, request) => self.finish(worker, request),
            Action::Ask(number) => {
                self.left.requests[number] -= 1;
                self.ask(key(number));
            }
            Action::Move => {
                self.left.moves -= 1;
                self.order_move(key(0));
            }
            Action::CrashWorker(worker) => {
                spend(&mut self.left.worker_crashes, &mut self.left.crashes);
                self.crash_worker(worker);
            }
            Action::StartWorker(worker) => self.start_worker(worker),
            Action::CrashController(done) => {
                spend(&mut self.left.controller_crashes, &mut self.left.crashes);
                self.crash_controller(done);
            }
            Action::StartController => self.start_controller(),
            Action::Pause(worker) => {
                self.left.pauses -= 1;
                self.workers[worker].is_paused = true;
            }
            Action::Resume(worker) => self.workers[worker].is_paused = false,
            Action::Cut(id, end) => {
                self.left.losses -= 1;
                self.lose(id, |connection| connection.cut(end));
            }
            Action::Tear(id) => {
                self.left.losses -= 1;
                self.lose(id, Connection::tear);
            }
            Action::Tick => self.tick(),
            Action::TickLate(worker) => {
                self.left.late -= 1;
                self.workers[worker].late += 1;
                self.tick();
            }
        }
    }

    fn tick(&mut self) {
        self.left.ticks -= 1;
        self.now += 1;
    }

    fn deliver(&mut self, id: ConnectionId, end: End) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let worker = connection.worker;
        match (connection.receive(end), end) {
            (None, _) => {}
            (Some(message), End::Controller) => self.controller_hears(id, message),
            (Some(message), End::Worker) => self.worker_hears(worker, id, message),
        }
    }

    fn lose(&mut self, id: ConnectionId, how: impl FnOnce(&mut Connection)) {
        if let Some(connection) = self.connections.get_mut(&id) {
            how(connection);
        }
    }

    pub(super) fn send(&mut self, id: ConnectionId, end: End, message: Message) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.send(end, message);
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId, by: End) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.close(by);
            if connection.is_over() {
                self.connections.remove(&id);
            }
        }
    }

    pub(super) fn has_dead_worker(&self) -> bool {
        let died = |worker: &Worker| worker.lives > 1 || worker.process.is_none();
        self.workers.iter().any(died)
    }

    /// Whether no two workers hold one key.
    pub(super) fn has_one_holder(&self) -> bool {
        let [one, other] = &self.workers;
        let mut held = one.held(self.now).map(|(key, _)| key);
        !held.any(|key| other.held(self.now).any(|(theirs, _)| theirs == key))
    }
}

/// Whether a step is one that a worker takes by itself.
fn is_of_worker(action: &Action) -> bool {
    matches!(
        action,
        Action::Deliver(_, End::Worker) | Action::Wake(_) | Action::Dial(_)
    )
}

fn spend(own: &mut u8, shared: &mut u8) {
    let from = if *own > 0 { own } else { shared };
    *from -= 1;
}
