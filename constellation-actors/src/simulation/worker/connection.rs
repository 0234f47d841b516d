//! The connection to the controller: dialled, lost, dialled again, and what comes over it.

use super::{
    super::{
        World,
        clock::MILLI,
        event::Event,
        network::{ConnectionId, End, ExchangeId, Message},
        note,
    },
    Call, Link, WELCOME_WITHIN,
};
use crate::{
    ownership::{Stage, input::Input},
    placement::lease::LeaseTerms,
};

impl World {
    pub(crate) fn dial(&mut self, worker: usize) {
        let now = self.now;
        let (random, network) = (&mut self.random, &mut self.network);
        let state = &mut self.workers[worker];
        let local = state.clock.at(now);
        let Some(process) = &mut state.process else {
            return;
        };
        if process.link.is_some() || process.ownership.stage() == Stage::Left {
            return;
        }
        let number = process.number;
        if self.controller.is_none() || state.unreachable_until > now {
            let longest = if process.ownership.has_lease(local) {
                500
            } else {
                2_000
            };
            process.attempts = (process.attempts + 1).min(8);
            let bound = (50 << process.attempts).min(longest);
            let wait = random.below(bound * MILLI + 1) + MILLI;
            return self.after(wait, Event::Dial(worker, number));
        }
        let connection = network.connect(worker, now);
        process.link = Some(Link {
            connection,
            hello_sent: local,
            welcomed: false,
        });
        let holding = process.ownership.holding(local);
        let holding: Vec<_> = holding.map(|held| (held.key, held.epoch)).collect();
        note!(
            self,
            "worker {worker}: says hello over {connection:?}, holding {holding:?}"
        );
        let hello = Message::Hello {
            worker: state.id,
            incarnation: process.incarnation,
            holding,
        };
        self.send(connection, End::Controller, hello);
        self.after(
            WELCOME_WITHIN,
            Event::WelcomeTimeout(worker, number, connection),
        );
    }

    pub(crate) fn welcome_timeout(&mut self, worker: usize, connection: ConnectionId) {
        let process = self.workers[worker].process.as_ref();
        let link = process.and_then(|process| process.link);
        if link.is_some_and(|link| link.connection == connection && !link.welcomed) {
            self.worker_loses(worker, connection);
        }
    }

    /// The connection is over, as the worker sees it.
    pub(crate) fn worker_loses(&mut self, worker: usize, connection: ConnectionId) {
        self.close(connection, End::Worker);
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let Some(link) = process.link.filter(|link| link.connection == connection) else {
            return;
        };
        process.link = None;
        process.attempts = 0;
        let number = process.number;
        if link.welcomed {
            self.own(worker, Input::Disconnected);
        }
        let wait = self.random.below(100 * MILLI);
        self.after(wait, Event::Dial(worker, number));
    }

    /// A message of the controller has come.
    pub(crate) fn worker_hears(&mut self, worker: usize, from: ConnectionId, message: Message) {
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let Some(link) = process.link.as_mut().filter(|link| link.connection == from) else {
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
            Message::GoAway { lease_ended } => {
                self.after(MILLI, Event::HangUpWorker(worker, from));
                if !lease_ended {
                    return;
                }
                Input::LeaseExpired
            }
            Message::Request(exchange, grant) => {
                let call = Call {
                    connection: from,
                    exchange,
                };
                return self.requested(worker, call, grant);
            }
            Message::Hello { .. }
            | Message::Heartbeat(_)
            | Message::Released(..)
            | Message::Draining
            | Message::Goodbye
            | Message::Answer(_)
            | Message::Refusal(_)
            | Message::BrokenOff(_) => {
                self.record.broken = Some("a controller says what only a worker says".to_owned());
                return;
            }
        };
        self.own(worker, input);
    }

    pub(crate) fn depart(&mut self, worker: usize, within: u64) {
        let process = self.workers[worker].process.as_ref();
        if let Some(link) = process.and_then(|process| process.link) {
            self.after(within, Event::HangUpWorker(worker, link.connection));
        }
    }

    pub(crate) fn say(&mut self, worker: usize, message: Message) {
        let process = self.workers[worker].process.as_ref();
        if let Some(link) = process.and_then(|process| process.link) {
            self.send(link.connection, End::Controller, message);
        }
    }

    /// Answers over the connection of the request, if that is still there.
    pub(crate) fn reply(&mut self, worker: usize, call: Call, message: fn(ExchangeId) -> Message) {
        let process = self.workers[worker].process.as_ref();
        let link = process.and_then(|process| process.link);
        if link.is_some_and(|link| link.connection == call.connection) {
            self.send(call.connection, End::Controller, message(call.exchange));
        }
    }
}
