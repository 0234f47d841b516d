//! What a mux tells its owner and the tasks of its exchanges. Prints sizes, never bodies.

use std::fmt;

use bytes::Bytes;

use crate::{
    placement::grant::GrantId,
    protocol::frame::{
        StreamId,
        code::ResetCode,
        decode::{Control, Size},
    },
};

/// What a received message holds for the owner of the session. Everything else in it has been
/// applied to the exchanges.
#[derive(PartialEq, Eq)]
pub enum Event {
    /// A frame of the session itself.
    Control(Control),
    /// An exchange begins; only at the worker. It lives until it is over or closed.
    Request {
        /// The exchange.
        stream: StreamId,
        /// The grant it comes under.
        grant: GrantId,
        /// The request's head, then the first content.
        payload: Bytes,
        /// Whether the request is complete: no further content comes.
        end: bool,
        /// Whether the client asks for an upgrade: after a 101 the exchange is a tunnel.
        upgrade: bool,
    },
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(control) => control.fmt(formatter),
            Self::Request {
                stream,
                grant,
                payload,
                end,
                upgrade,
            } => formatter
                .debug_struct("Request")
                .field("stream", stream)
                .field("grant", grant)
                .field("payload", &Size::of(payload))
                .field("end", end)
                .field("upgrade", upgrade)
                .finish(),
        }
    }
}

/// The answer of an exchange, as far as it came in one frame.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseFrame {
    /// The response's head, then the first content.
    pub payload: Bytes,
    /// Whether the response is complete: no further content comes.
    pub end: bool,
}

impl fmt::Debug for ResponseFrame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseFrame")
            .field("payload", &Size::of(&self.payload))
            .field("end", &self.end)
            .finish()
    }
}

/// Why there is no more of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The peer reset it.
    #[error("reset by the peer as {code}{}{reason}", if reason.is_empty() { "" } else { ": " })]
    Reset {
        /// Why.
        code: ResetCode,
        /// Why, for people; may be empty.
        reason: String,
    },
    /// The session is gone, and what became of the exchange at the peer is not known.
    #[error("the session is lost")]
    SessionLost,
    /// Its pin is over, and the response had not come completely before.
    #[error("the key has no longer this owner")]
    Withdrawn,
    /// It is over on this side: it ran to its end, or was closed or reset here.
    #[error("the exchange is over")]
    Over,
}
