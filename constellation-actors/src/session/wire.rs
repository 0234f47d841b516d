//! The connection of one worker as the rest of the controller sees it, whatever its dialect.
//!
//! Everything here only queues; nothing waits for the worker.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use actix_http::ws::CloseCode;

use self::{binary::BinaryWire, json::JsonWire};
use super::socket::{Closing, Outbound};
use crate::{
    placement::{
        effect::{Dismissal, Revocation},
        epoch::Epoch,
        holder::SessionId,
        key::ResourceKey,
        lease::LeaseTerms,
    },
    registry::route::Route,
};

pub(crate) mod binary;
pub(crate) mod json;

/// What WELCOME tells a worker of the rules in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// This life of the controller.
    pub(crate) controller: uuid::Uuid,
    pub(crate) lease: LeaseTerms,
    pub(crate) request_timeout: Duration,
}

/// Why a session ends, in the words of both dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goodbye {
    Superseded,
    LeaseEnded,
    Shutdown,
    ProtocolError,
    BadHello,
    TooLong,
}

impl Goodbye {
    /// The code of GOAWAY.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::LeaseEnded => "lease_expired",
            Self::Shutdown => "shutdown",
            Self::ProtocolError | Self::TooLong => "protocol_error",
            Self::BadHello => "bad_hello",
        }
    }

    /// The code of the Close frame.
    pub(super) fn close_code(self) -> CloseCode {
        match self {
            Self::Superseded => CloseCode::Other(4409),
            Self::LeaseEnded => CloseCode::Other(4408),
            Self::Shutdown => CloseCode::Away,
            Self::ProtocolError | Self::BadHello => CloseCode::Other(4400),
            Self::TooLong => CloseCode::Size,
        }
    }
}

impl From<Dismissal> for Goodbye {
    fn from(reason: Dismissal) -> Self {
        match reason {
            Dismissal::Superseded => Self::Superseded,
            Dismissal::LeaseEnded | Dismissal::Unyielding => Self::LeaseEnded,
        }
    }
}

/// The connection of one worker.
#[derive(Debug)]
pub(crate) enum Wire {
    Binary(Arc<BinaryWire>),
    Json(Arc<JsonWire>),
}

impl Wire {
    pub(crate) fn welcome(&self, terms: &Terms, session: SessionId, resumed: bool) {
        match self {
            Self::Binary(wire) => wire.welcome(terms, session, resumed),
            Self::Json(_) => {}
        }
    }

    pub(crate) fn acknowledge(&self, sequence: u64) {
        match self {
            Self::Binary(wire) => wire.acknowledge(sequence),
            Self::Json(_) => {}
        }
    }

    pub(crate) fn probe(&self) {
        match self {
            Self::Binary(_) => {}
            Self::Json(wire) => wire.probe(),
        }
    }

    pub(crate) fn revoke(&self, reason: Revocation, epoch: Epoch, key: &ResourceKey) {
        match self {
            Self::Binary(wire) => wire.revoke(reason, epoch, key),
            Self::Json(_) => {}
        }
    }

    pub(crate) fn dismiss(&self, reason: Dismissal) {
        let description = match reason {
            Dismissal::Superseded => "a newer session of this worker took over",
            Dismissal::LeaseEnded => "no renewal came in time",
            Dismissal::Unyielding => "it did not let a key go that it was asked for",
        };
        self.bid_goodbye(reason.into(), description);
    }

    pub(crate) fn shut_down(&self) {
        self.bid_goodbye(Goodbye::Shutdown, "the controller shuts down");
    }

    /// Tells the worker why it has to go, and closes the connection once that is out.
    pub(super) fn bid_goodbye(&self, goodbye: Goodbye, description: &str) {
        self.closing().close(goodbye.close_code(), description);
        match self {
            Self::Binary(wire) => wire.bid_goodbye(goodbye, description),
            Self::Json(wire) => wire.finish(),
        }
    }

    /// Nobody listens any more: ends every exchange, and closes the connection behind what is queued.
    pub(super) fn hang_up(&self) {
        match self {
            Self::Binary(wire) => wire.hang_up(),
            Self::Json(wire) => wire.end_exchanges(),
        }
    }

    /// A pin is over. Nothing is sent under it any more.
    pub(crate) fn withdraw(&self, route: &Arc<Route>) {
        match self {
            Self::Binary(wire) => wire.withdraw(route),
            Self::Json(wire) => wire.withdraw(route),
        }
    }

    /// Ends every exchange; what is queued besides still goes out.
    pub(crate) fn end_exchanges(&self) {
        match self {
            Self::Binary(wire) => wire.end_exchanges(),
            Self::Json(wire) => wire.end_exchanges(),
        }
    }

    /// How many of its exchanges are or may become tunnels.
    pub(crate) fn tunnels(&self) -> usize {
        match self {
            Self::Binary(wire) => wire.tunnels(),
            Self::Json(_) => 0,
        }
    }

    /// The connection takes nothing more, so no exchange begins any more. What it has brought is
    /// still read; the end of the session ends the exchanges.
    pub(super) fn lose(&self) {
        match self {
            Self::Binary(wire) => wire.lose(),
            Self::Json(wire) => wire.lose(),
        }
    }

    pub(super) fn closing(&self) -> &Closing {
        match self {
            Self::Binary(wire) => &wire.closing,
            Self::Json(wire) => &wire.closing,
        }
    }

    /// The next message of the dialect; `None` when nothing more will come.
    pub(super) fn poll_outbound(&self, context: &Context<'_>) -> Poll<Option<Outbound>> {
        match self {
            Self::Binary(wire) => wire.poll_outbound(context),
            Self::Json(wire) => wire.poll_outbound(context),
        }
    }
}
