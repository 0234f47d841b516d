//! What a worker of the dialect `constellation.v1` says, in the order it has to say it.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Heard,
    wire::{Goodbye, binary::BinaryWire},
};
use crate::{
    placement::{
        epoch::Epoch,
        holder::SessionId,
        input::{Arrival, Input},
        key::ResourceKey,
        worker::Assurance,
    },
    protocol::{
        frame::{Held, decode::Control},
        handshake::{Goaway, Hello},
        mux::event::Event,
    },
};

/// The controller's side of the conversation.
#[derive(Debug)]
pub(crate) struct Binary {
    wire: Arc<BinaryWire>,
    phase: Phase,
    keys_max: usize,
}

#[derive(Debug)]
enum Phase {
    /// Nothing has been said.
    Silent,
    /// HELLO has come, and names so many keys that HOLDING still has to list.
    Holding {
        hello: Box<Hello>,
        listed: Vec<(ResourceKey, Epoch)>,
    },
    /// The worker has introduced itself.
    Introduced,
}

/// Why what a worker says cannot be accepted.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("a text message in the dialect constellation.v1, whose messages are binary")]
    Text,
    #[error("{frame} before HELLO and the HOLDING it announced")]
    TooEarly { frame: &'static str },
    #[error("{frame} after the worker has introduced itself")]
    TooLate { frame: &'static str },
    #[error("HELLO cannot be accepted: {0}")]
    Hello(crate::protocol::handshake::Error),
    #[error("HELLO announced {announced} held keys, more than the {most} that are allowed")]
    TooManyHeld { announced: usize, most: usize },
    #[error("HOLDING lists more keys than the {announced} that HELLO announced")]
    MoreThanAnnounced { announced: usize },
    #[error("GOAWAY cannot be read: {0}")]
    Goaway(crate::protocol::handshake::Error),
}

impl Fault {
    fn goodbye(&self) -> Goodbye {
        match self {
            Self::Hello(_) | Self::TooManyHeld { .. } => Goodbye::BadHello,
            Self::Text
            | Self::TooEarly { .. }
            | Self::TooLate { .. }
            | Self::MoreThanAnnounced { .. }
            | Self::Goaway(_) => Goodbye::ProtocolError,
        }
    }
}

impl Binary {
    pub(crate) fn new(wire: Arc<BinaryWire>, keys_max: usize) -> Self {
        Self {
            wire,
            phase: Phase::Silent,
            keys_max,
        }
    }

    pub(super) fn has_introduced_itself(&self) -> bool {
        matches!(self.phase, Phase::Introduced)
    }

    pub(super) fn receive(&mut self, session: SessionId, message: Bytes, text: bool) -> Heard {
        let mut heard = Heard::default();
        if text {
            heard.fault = Some((Fault::Text.goodbye(), Fault::Text.to_string()));
            return heard;
        }
        let mut events = Vec::new();
        let (outcome, wakers) = self.wire.receive(message, &mut events);
        heard.wakers = wakers;
        heard.fault = outcome
            .err()
            .map(|error| (Goodbye::ProtocolError, error.to_string()));
        for event in events {
            let Event::Control(control) = event else {
                continue;
            };
            if let Err(fault) = self.control(session, control, &mut heard) {
                heard.fault = Some((fault.goodbye(), fault.to_string()));
                break;
            }
        }
        heard
    }

    fn control(
        &mut self,
        session: SessionId,
        control: Control,
        heard: &mut Heard,
    ) -> Result<(), Fault> {
        let frame = control.frame_type().name();
        match (control, &mut self.phase) {
            (Control::Hello { json }, Phase::Silent) => self.hello(session, &json, heard),
            (Control::Holding { entries }, Phase::Holding { .. }) => {
                self.holding(session, entries, heard)
            }
            (Control::Hello { .. } | Control::Holding { .. }, Phase::Introduced) => {
                Err(Fault::TooLate { frame })
            }
            (_, Phase::Silent | Phase::Holding { .. }) => Err(Fault::TooEarly { frame }),
            (Control::Heartbeat { sequence }, Phase::Introduced) => {
                heard.inputs.push(Input::Renewed { session, sequence });
                Ok(())
            }
            (Control::Released { epoch, key }, Phase::Introduced) => {
                heard.inputs.push(Input::Released {
                    session,
                    key,
                    epoch,
                });
                Ok(())
            }
            (Control::GoAway { json }, Phase::Introduced) => {
                let goaway = Goaway::parse(&json).map_err(Fault::Goaway)?;
                match goaway.code.as_str() {
                    Goaway::DRAINING => heard.inputs.push(Input::Cordoned { session }),
                    Goaway::GOODBYE => {
                        self.wire.end_unanswered();
                        heard.goodbye = true;
                    }
                    // A worker may have reasons that this version does not know.
                    _ => {}
                }
                Ok(())
            }
            (
                Control::Welcome { .. }
                | Control::HeartbeatAck { .. }
                | Control::Grant { .. }
                | Control::Revoke { .. },
                Phase::Introduced,
            ) => unreachable!("the mux lets no frame through that only a controller sends"),
        }
    }

    fn hello(&mut self, session: SessionId, json: &[u8], heard: &mut Heard) -> Result<(), Fault> {
        let hello = Hello::parse(json).map_err(Fault::Hello)?;
        let announced = hello.holding as usize;
        if announced > self.keys_max {
            return Err(Fault::TooManyHeld {
                announced,
                most: self.keys_max,
            });
        }
        self.phase = Phase::Holding {
            hello: Box::new(hello),
            listed: Vec::new(),
        };
        self.holding(session, Vec::new(), heard)
    }

    /// Takes in held keys; with the last one the worker has introduced itself.
    fn holding(
        &mut self,
        session: SessionId,
        entries: Vec<Held>,
        heard: &mut Heard,
    ) -> Result<(), Fault> {
        let Phase::Holding { hello, listed } = &mut self.phase else {
            return Ok(());
        };
        let announced = hello.holding as usize;
        if listed.len() + entries.len() > announced {
            return Err(Fault::MoreThanAnnounced { announced });
        }
        listed.extend(entries.into_iter().map(|Held { epoch, key }| (key, epoch)));
        if listed.len() == announced {
            let holding = std::mem::take(listed);
            heard.arrival = Some(Box::new(Arrival {
                session,
                worker: hello.worker,
                incarnation: hello.incarnation,
                profile: hello.profile().map_err(Fault::Hello)?,
                assurance: Assurance::Leased,
                holding,
            }));
            self.phase = Phase::Introduced;
        }
        Ok(())
    }
}
