//! What goes wrong, and what operators do: one random action after the other, until faults stop.

use std::time::Duration;

use super::{
    World,
    clock::{MILLI, SECOND},
    event::Event,
    network::{ConnectionId, End},
    note,
};
use crate::{
    ownership::input::Input as Owning,
    placement::{command::Command, input::Input, rules::Rebalancing},
};

impl World {
    pub(crate) fn next_fault(&mut self) {
        if self.faults_are_over {
            return;
        }
        self.act();
        let pause = self.random.below(2 * self.scenario.calm * MILLI);
        self.after(pause, Event::Fault);
    }

    fn act(&mut self) {
        let worker = self.random.below(self.workers.len() as u64);
        let worker = usize::try_from(worker).expect("an index");
        self.record.counts.faults += 1;
        match self.random.below(100) {
            0..=29 => self.harm_connection(),
            30..=39 => self.partition(worker),
            40..=51 => self.pause(worker),
            52..=57 => self.crash_worker(worker),
            58..=61 => {
                note!(self, "worker {worker}: is to leave");
                let input = if self.random.percent(70) {
                    Owning::Drain
                } else {
                    Owning::Stop
                };
                self.own(worker, input);
            }
            62..=66 => self.crash_controller(),
            67..=69 => self.pause_controller(),
            _ => {
                self.record.counts.faults -= 1;
                self.order(worker);
            }
        }
    }

    fn harm_connection(&mut self) {
        let ids = self.network.ids();
        let Some(id) = ids.get(self.random.below(ids.len().max(1) as u64) as usize) else {
            return;
        };
        let id = *id;
        match self.random.below(5) {
            0 => {
                note!(self, "network: {id:?} is reset");
                self.network.cut(&mut self.random, id, End::Controller);
                self.network.cut(&mut self.random, id, End::Worker);
                self.notice_soon(id, 1_500);
            }
            1 => {
                note!(self, "network: {id:?} is silently lost");
                self.network.cut(&mut self.random, id, End::Controller);
                self.network.cut(&mut self.random, id, End::Worker);
            }
            2 => {
                let end = self.any_end();
                note!(self, "network: {id:?} breaks towards {end:?}");
                self.network.cut(&mut self.random, id, end);
                if self.random.percent(50) {
                    self.notice_soon(id, 4_000);
                }
            }
            _ => {
                let end = self.any_end();
                let until = self.now + self.random.between(10 * MILLI, 4 * SECOND);
                note!(self, "network: {id:?} stalls towards {end:?} until {until}");
                self.network.stall(id, end, until);
            }
        }
    }

    fn any_end(&mut self) -> End {
        if self.random.percent(50) {
            End::Controller
        } else {
            End::Worker
        }
    }

    fn notice_soon(&mut self, id: ConnectionId, most_millis: u64) {
        for end in [End::Controller, End::Worker] {
            let late = self.random.below(most_millis * MILLI);
            self.after(late, Event::Lost(id, end));
        }
    }

    fn partition(&mut self, worker: usize) {
        let until = self.now + self.random.between(50 * MILLI, 8 * SECOND);
        note!(self, "network: worker {worker} is cut off until {until}");
        self.workers[worker].unreachable_until = until;
        for id in self.network.ids() {
            if self.network.worker_of(id) == Some(worker) {
                self.network.cut(&mut self.random, id, End::Controller);
                self.network.cut(&mut self.random, id, End::Worker);
            }
        }
    }

    fn pause(&mut self, worker: usize) {
        let most = if self.scenario.long_pauses && self.random.percent(60) {
            Duration::from_secs(12)
        } else {
            self.scenario.gap / 2
        };
        let until = self.now + self.random.below(most.as_micros() as u64);
        note!(self, "worker {worker}: is stopped until {until}");
        // Who is stopped already goes on no earlier by being stopped again.
        let paused = &mut self.workers[worker].paused_until;
        *paused = until.max(*paused);
    }

    fn pause_controller(&mut self) {
        let until = self.now + self.random.between(10 * MILLI, 4 * SECOND);
        if let Some(controller) = &mut self.controller {
            note!(self, "controller: is stopped until {until}");
            controller.paused_until = until.max(controller.paused_until);
        }
    }

    fn order(&mut self, worker: usize) {
        let key = self.random.pick(&self.scenario.keys).clone();
        let id = self.workers[worker].id;
        let command = match self.random.below(12) {
            0..=3 => Command::Move {
                key,
                to: self.random.percent(60).then_some(id),
            },
            4 | 5 => Command::Unpin { key },
            6 => Command::Cordon { worker: id },
            7 | 8 => Command::Drain { worker: id },
            9 | 10 => Command::Uncordon { worker: id },
            _ => Command::Rebalance(Rebalancing::On),
        };
        let Some(controller) = &mut self.controller else {
            return;
        };
        if controller.paused_until > self.now {
            return;
        }
        let order = controller.new_order();
        self.input(Input::Ordered { order, command });
    }

    /// Faults stop: whatever is broken may be repaired, and what is drained is wanted again. Who is
    /// stopped goes on at its time: what was held up meanwhile is due then, in its order.
    pub(crate) fn end_faults(&mut self) {
        note!(self, "faults are over");
        self.faults_are_over = true;
        for worker in 0..self.workers.len() {
            self.workers[worker].unreachable_until = 0;
            self.start_worker(worker);
        }
        self.start_controller();
        self.after(SECOND, Event::Probe);
    }

    /// Uncordons everybody, and asks for every key that has not been served again.
    pub(crate) fn probe(&mut self) {
        for worker in 0..self.workers.len() {
            let command = Command::Uncordon {
                worker: self.workers[worker].id,
            };
            if let Some(controller) = &mut self.controller {
                let order = controller.new_order();
                self.input(Input::Ordered { order, command });
            }
        }
        for key in self.scenario.keys.clone() {
            if !self.record.recovered.contains(&key) {
                self.client_asks(key, true, true);
            }
        }
        if self.now < self.ends_at - 9 * SECOND {
            self.after(SECOND, Event::Probe);
        }
    }
}
