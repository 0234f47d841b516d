//! What a worker of the original's JSON dialect says.

use std::sync::Arc;

use super::{
    Heard,
    wire::{Goodbye, json::JsonWire},
};
use crate::{
    placement::{
        holder::SessionId,
        input::{Arrival, Input},
        worker::{Assurance, Incarnation, Profile, WorkerId},
    },
    protocol::json::{Incoming, Message},
};

/// The controller's side of the conversation.
#[derive(Debug)]
pub(crate) struct Json {
    wire: Arc<JsonWire>,
    worker: WorkerId,
    incarnation: Incarnation,
}

impl Json {
    pub(crate) fn new(wire: Arc<JsonWire>, worker: WorkerId, incarnation: Incarnation) -> Self {
        Self {
            wire,
            worker,
            incarnation,
        }
    }

    /// Such a worker has introduced itself with its handshake.
    pub(super) fn arrival(&self, session: SessionId) -> Box<Arrival> {
        Box::new(Arrival {
            session,
            worker: self.worker,
            incarnation: self.incarnation,
            profile: Profile::default(),
            assurance: Assurance::BestEffort,
            holding: Vec::new(),
        })
    }

    pub(super) fn receive(&mut self, session: SessionId, bytes: &[u8]) -> Heard {
        let mut heard = Heard::default();
        match Message::parse(bytes) {
            Ok(Message { guid, kind }) => {
                if self.wire.is_sign_of_life() {
                    heard.inputs.push(Input::Heard { session });
                }
                match kind {
                    Incoming::Response(response) => self.wire.answered(guid, response),
                    Incoming::Heartbeat | Incoming::Other => {}
                }
            }
            Err(error) => heard.fault = Some((Goodbye::ProtocolError, error.to_string())),
        }
        heard
    }
}
