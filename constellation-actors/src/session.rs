//! The Session: the actor that owns the protocol state of one worker's connection.
//!
//! It reads the worker's messages from a stream and turns them into inputs for the Registry. The
//! bytes of requests and responses pass through its [`wire`], never through a mailbox.

use std::{sync::Arc, time::Duration};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, ContextFutureSpawner,
    StreamHandler, WrapFuture,
};

pub(crate) mod binary;
pub(crate) mod json;
pub(crate) mod socket;
pub(crate) mod wire;

use self::{
    binary::Binary,
    json::Json,
    socket::SocketError,
    wire::{Goodbye, Wire},
};
use crate::{
    placement::{
        holder::SessionId,
        input::{Arrival, Departure, Input},
    },
    protocol::{
        mux::waking::Wakers,
        websocket::reader::{Message, ReadError},
    },
    registry::{
        RegistryAddr,
        messages::{Enlist, Happened, Left},
    },
    status::Peer,
};

/// How long a connection may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// One connection of one worker.
#[derive(Debug)]
pub(crate) struct Session {
    id: SessionId,
    peer: Peer,
    registry: RegistryAddr,
    wire: Arc<Wire>,
    conversation: Conversation,
    departure: Departure,
}

/// What has been said so far, by dialect.
#[derive(Debug)]
pub(crate) enum Conversation {
    Binary(Binary),
    Json(Json),
}

/// What a worker's message comes to.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The worker has introduced itself.
    arrival: Option<Box<Arrival>>,
    /// What it did, in order.
    inputs: Vec<Input>,
    /// It released everything and goes.
    goodbye: bool,
    /// Tasks to wake once the Registry knows of the inputs.
    wakers: Wakers,
    /// It broke the rules.
    fault: Option<(Goodbye, String)>,
}

impl Session {
    pub(crate) fn new(
        id: SessionId,
        peer: Peer,
        registry: RegistryAddr,
        wire: Arc<Wire>,
        conversation: Conversation,
    ) -> Self {
        let departure = Departure::Vanished;
        Self {
            id,
            peer,
            registry,
            wire,
            conversation,
            departure,
        }
    }

    fn react(&mut self, heard: Heard, context: &mut Context<Self>) {
        let Heard {
            arrival,
            inputs,
            goodbye,
            wakers,
            fault,
        } = heard;
        if let Some(arrival) = arrival {
            let enlist = Enlist {
                arrival,
                wire: Arc::clone(&self.wire),
                peer: self.peer,
            };
            self.registry
                .send(enlist)
                .into_actor(self)
                .map(|_, _, _| ())
                .wait(context);
        }
        if goodbye {
            self.departure = Departure::Goodbye;
        }
        // Nothing further is read from this worker until the Registry has handled what it did: that
        // bounds what one worker can put into the Registry's mailbox. Behind a goodbye nothing is read
        // at all.
        if goodbye || !inputs.is_empty() {
            let happened = self.registry.send(Happened(inputs)).into_actor(self);
            let handled = happened.map(move |_, _, context| {
                if goodbye {
                    context.stop();
                }
            });
            handled.wait(context);
        }
        wakers.wake();
        if let Some((goodbye, description)) = fault {
            self.fail(goodbye, &description, context);
        }
    }

    fn fail(&mut self, goodbye: Goodbye, description: &str, context: &mut Context<Self>) {
        log::warn!(session:% = self.id, peer:% = self.peer.address; "connection closed: {description}");
        self.wire.bid_goodbye(goodbye, description);
        context.stop();
    }

    fn has_introduced_itself(&self) -> bool {
        match &self.conversation {
            Conversation::Binary(binary) => binary.has_introduced_itself(),
            Conversation::Json(_) => true,
        }
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        if let Conversation::Json(json) = &self.conversation {
            let heard = Heard {
                arrival: Some(json.arrival(self.id)),
                ..Heard::default()
            };
            self.react(heard, context);
        }
        context.run_later(HELLO_WITHIN, |session, context| {
            if !session.has_introduced_itself() {
                session.fail(Goodbye::BadHello, "no HELLO came in time", context);
            }
        });
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "one message for each connection, which must not be refused by a full mailbox"
    )]
    fn stopped(&mut self, _context: &mut Self::Context) {
        self.registry.do_send(Left {
            session: self.id,
            departure: self.departure,
        });
        self.wire.hang_up();
    }
}

impl StreamHandler<Result<Message, SocketError>> for Session {
    fn handle(&mut self, message: Result<Message, SocketError>, context: &mut Self::Context) {
        let (bytes, text) = match message {
            Ok(Message::Binary(bytes)) => (bytes, false),
            Ok(Message::Text(bytes)) => (bytes, true),
            Ok(Message::Ping(payload)) => return self.wire.closing().pong(payload),
            Ok(Message::Pong) => return,
            Ok(Message::Close) => return context.stop(),
            Err(SocketError::Protocol(error @ ReadError::TooLong { .. })) => {
                return self.fail(Goodbye::TooLong, &error.to_string(), context);
            }
            Err(error @ SocketError::Protocol(_)) => {
                return self.fail(Goodbye::ProtocolError, &error.to_string(), context);
            }
            Err(error @ SocketError::Connection(_)) => {
                log::info!(session:% = self.id, error:% = error; "a worker's connection failed");
                return context.stop();
            }
        };
        let heard = match &mut self.conversation {
            Conversation::Binary(binary) => binary.receive(self.id, bytes, text),
            Conversation::Json(json) => json.receive(self.id, &bytes),
        };
        self.react(heard, context);
    }

    fn finished(&mut self, context: &mut Self::Context) {
        context.stop();
    }
}
