//! One step: an event is held up, has lost its meaning, or happens.

use std::cmp::Reverse;

use super::{
    Due, World,
    event::{Event, Scheduled},
    network::End,
    note,
};
use crate::placement::input::Input;

impl World {
    pub(crate) fn step(&mut self, Due { number, event, .. }: Due) {
        let held_up_until = match self.scheduled(&event) {
            Scheduled::Nobody => 0,
            Scheduled::Controller => self.controller.as_ref().map_or(0, |it| it.paused_until),
            Scheduled::Worker(worker) => self.workers[worker].paused_until,
        };
        if held_up_until > self.now {
            // What comes from outside keeps its order, however often it is held up; what the process
            // itself wanted to do then is done in any.
            let jitter = match event {
                Event::Deliver(..) | Event::Lost(..) | Event::Stored(..) => 0,
                _ => self.random.below(2_000),
            };
            let at = held_up_until + jitter;
            return self.agenda.push(Reverse(Due { at, number, event }));
        }
        if self.is_outdated(&event) {
            return;
        }
        note!(self, "{event:?}");
        self.happen(event);
    }

    pub(crate) fn scheduled(&self, event: &Event) -> Scheduled {
        match event {
            Event::Deliver(id, End::Worker, ..) | Event::Lost(id, End::Worker) => {
                match self.network.worker_of(*id) {
                    Some(worker) => Scheduled::Worker(worker),
                    None => Scheduled::Nobody,
                }
            }
            Event::Deliver(..)
            | Event::Lost(..)
            | Event::HangUp(_)
            | Event::TickController(_)
            | Event::Stored(..)
            | Event::Offer(..)
            | Event::Offered(..)
            | Event::Patience(_)
            | Event::Client => Scheduled::Controller,
            Event::HangUpWorker(worker, _)
            | Event::Dial(worker, _)
            | Event::WelcomeTimeout(worker, ..)
            | Event::Wake(worker, _)
            | Event::Begin(worker, ..)
            | Event::Finish(worker, ..)
            | Event::Closed(worker, ..)
            | Event::Exit(worker, _) => Scheduled::Worker(*worker),
            Event::StartController
            | Event::Store(_)
            | Event::StartWorker(_)
            | Event::Fault
            | Event::EndOfFaults
            | Event::Probe => Scheduled::Nobody,
        }
    }

    pub(crate) fn is_outdated(&self, event: &Event) -> bool {
        match event {
            Event::TickController(life)
            | Event::Stored(life, ..)
            | Event::Offer(life, ..)
            | Event::Offered(life, ..) => {
                self.controller.as_ref().is_none_or(|it| it.life != *life)
            }
            Event::Dial(worker, number)
            | Event::WelcomeTimeout(worker, number, _)
            | Event::Wake(worker, number)
            | Event::Begin(worker, number, ..)
            | Event::Finish(worker, number, ..)
            | Event::Closed(worker, number, _)
            | Event::Exit(worker, number) => {
                let process = self.workers[*worker].process.as_ref();
                process.is_none_or(|process| process.number != *number)
            }
            _ => false,
        }
    }

    pub(crate) fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver(connection, to, number, message) => {
                if !self.network.arrives(connection, to, number) {
                    return;
                }
                match (to, self.network.worker_of(connection)) {
                    (End::Controller, _) => self.controller_hears(connection, message),
                    (End::Worker, Some(worker)) => self.worker_hears(worker, connection, message),
                    (End::Worker, None) => {}
                }
            }
            Event::Lost(connection, end) if self.network.is_open_at(connection, end) => {
                match (end, self.network.worker_of(connection)) {
                    (End::Controller, _) => self.controller_loses(connection),
                    (End::Worker, Some(worker)) => self.worker_loses(worker, connection),
                    (End::Worker, None) => {}
                }
            }
            Event::Lost(..) => {}
            Event::HangUp(connection) => {
                if self.network.is_open_at(connection, End::Controller) {
                    self.controller_loses(connection);
                }
            }
            Event::HangUpWorker(worker, connection) => self.worker_loses(worker, connection),
            Event::StartController => self.start_controller(),
            Event::TickController(_) => self.tick_controller(),
            Event::Store(life) => self.store_works(life),
            Event::Stored(_, claim, outcome) => {
                self.input(Input::Stored { claim, outcome });
            }
            Event::Offer(_, request, route) => self.offer(request, route),
            Event::Offered(_, request, offer) => self.offered(request, offer),
            Event::Patience(request) => self.impatient(request),
            Event::Client => self.next_client(),
            Event::StartWorker(worker) => self.start_worker(worker),
            Event::Dial(worker, _) => self.dial(worker),
            Event::WelcomeTimeout(worker, _, connection) => {
                self.welcome_timeout(worker, connection);
            }
            Event::Wake(worker, _) => self.wake_worker(worker),
            Event::Begin(worker, _, holding, connection, exchange) => {
                self.begin(worker, holding, connection, exchange);
            }
            Event::Finish(worker, _, holding, execution) => {
                self.finish_handler(worker, holding, execution);
            }
            Event::Closed(worker, _, holding) => self.closed(worker, holding),
            Event::Exit(worker, _) => self.crash_worker(worker),
            Event::Fault => self.next_fault(),
            Event::EndOfFaults => self.end_faults(),
            Event::Probe => self.probe(),
        }
    }
}
