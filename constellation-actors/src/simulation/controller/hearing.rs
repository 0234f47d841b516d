//! What comes over a worker's connection, and its end.

use std::collections::BTreeMap;

use super::{
    super::{
        World,
        client::Offer,
        network::{ConnectionId, End, ExchangeId, Message},
        record::Fact,
    },
    Session,
};
use crate::{
    mutation::{self, Mutation},
    placement::{
        holder::SessionId,
        input::{Arrival, Departure, Input},
        worker::{Assurance, Profile},
    },
};

impl World {
    /// A connection is gone, as the controller sees it.
    pub(crate) fn controller_loses(&mut self, connection: ConnectionId) {
        self.close(connection, End::Controller);
        self.lose_exchanges(connection);
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some(session) = controller.sessions.remove(&connection) else {
            return;
        };
        let departure = if session.goodbye {
            Departure::Goodbye
        } else {
            Departure::Vanished
        };
        self.input(Input::Left {
            session: SessionId::new(connection.0),
            departure,
        });
    }

    /// A worker's message has come.
    pub(crate) fn controller_hears(&mut self, connection: ConnectionId, message: Message) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let session = SessionId::new(connection.0);
        match message {
            Message::Hello {
                worker,
                incarnation,
                holding,
            } => {
                let entry = Session {
                    goodbye: false,
                    incarnation,
                    granted: BTreeMap::new(),
                };
                controller.sessions.insert(connection, entry);
                self.input(Input::Arrived(Box::new(Arrival {
                    session,
                    worker,
                    incarnation,
                    profile: Profile::default(),
                    assurance: Assurance::Leased,
                    holding,
                })));
            }
            Message::Heartbeat(sequence) => self.input(Input::Renewed { session, sequence }),
            Message::Released(key, epoch) => self.input(Input::Released {
                session,
                key,
                epoch,
            }),
            Message::Draining => self.input(Input::Cordoned { session }),
            Message::Goodbye => {
                if let Some(entry) = controller.sessions.get_mut(&connection) {
                    entry.goodbye = true;
                }
                // It has answered what it began with.
                for exchange in controller.exchanges_over(connection) {
                    self.record.facts.push(Fact::Refused { exchange });
                    self.refused(exchange);
                }
            }
            Message::Answer(exchange) => self.answered(exchange),
            Message::Refusal(exchange) => self.refused(exchange),
            Message::BrokenOff(exchange) => {
                if let Some((request, _)) = controller.forget_exchange(exchange) {
                    self.offered(request, Offer::BrokenOff);
                }
            }
            Message::Welcome { .. }
            | Message::Acknowledgement(_)
            | Message::Grant(..)
            | Message::Revoke(..)
            | Message::GoAway { .. }
            | Message::Request(..) => {
                self.record.broken = Some("a worker says what only a controller says".to_owned());
            }
        }
    }

    fn refused(&mut self, exchange: ExchangeId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        if let Some((request, route)) = controller.forget_exchange(exchange) {
            let refused = Some(controller.routes[route].epoch);
            self.offered(request, Offer::Undelivered { refused });
        }
    }

    pub(crate) fn answered(&mut self, exchange: ExchangeId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some((request, route)) = controller.forget_exchange(exchange) else {
            return;
        };
        let passes =
            controller.is_in_force(route) || mutation::is_active(Mutation::StaleAnswerPassed);
        if !passes || !self.requests.contains_key(&request) {
            return self.offered(request, Offer::Lost);
        }
        controller.routes[route].used = controller.clock.at(self.now);
        let (key, epoch, _) = controller.pin_of(route);
        self.record.facts.push(Fact::Passed { key, epoch });
        self.offered(request, Offer::Answered);
    }
}
