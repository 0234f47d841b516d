//! What can go wrong with a session's exchanges: at the peer, and in calls on this side.

use super::{Role, event::Ended};
use crate::protocol::frame::{FrameType, StreamId, error::FrameError};

/// How the peer broke the protocol. The session cannot go on: tell the peer and close it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A message cannot be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame that only the other side sends.
    #[error("a {role} does not receive {frame_type}")]
    WrongDirection {
        /// The frame's type.
        frame_type: FrameType,
        /// Which side received it.
        role: Role,
    },
    /// REQUEST for an exchange that still runs.
    #[error("REQUEST reuses exchange {stream}, which still runs")]
    StreamInUse {
        /// The exchange.
        stream: StreamId,
    },
    /// A second RESPONSE.
    #[error("exchange {stream} is answered twice")]
    ResponseRepeated {
        /// The exchange.
        stream: StreamId,
    },
    /// DATA before the RESPONSE it belongs to.
    #[error("DATA on exchange {stream} before its RESPONSE")]
    DataBeforeResponse {
        /// The exchange.
        stream: StreamId,
    },
    /// DATA after END.
    #[error("DATA on exchange {stream} after END")]
    DataAfterEnd {
        /// The exchange.
        stream: StreamId,
    },
    /// DATA over the exchange's credit.
    #[error("DATA on exchange {stream} exceeds its credit by {excess} bytes")]
    StreamCreditExceeded {
        /// The exchange.
        stream: StreamId,
        /// By how much.
        excess: u32,
    },
    /// DATA over the session's credit.
    #[error("DATA on exchange {stream} exceeds the session's credit by {excess} bytes")]
    SessionCreditExceeded {
        /// The exchange.
        stream: StreamId,
        /// By how much.
        excess: u32,
    },
    /// CREDIT of nothing.
    #[error("CREDIT of zero on {}", Place(*stream))]
    CreditZero {
        /// The exchange; `None` for the session.
        stream: Option<StreamId>,
    },
    /// CREDIT beyond what 31 bits count.
    #[error("CREDIT of {increment} on {} overflows", Place(*stream))]
    CreditOverflow {
        /// The exchange; `None` for the session.
        stream: Option<StreamId>,
        /// The credit that was too much.
        increment: u32,
    },
}

struct Place(Option<StreamId>);

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(stream) => write!(formatter, "exchange {stream}"),
            None => formatter.write_str("the session"),
        }
    }
}

/// Why no exchange was begun. Nothing was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The session ends or has ended.
    #[error("the session is closed")]
    Closed,
    /// As many exchanges run as may.
    #[error("{exchanges} exchanges run, no more are allowed")]
    ExchangesFull {
        /// How many that is.
        exchanges: usize,
    },
    /// As many tunnels run as may.
    #[error("{tunnels} tunnels run, no more are allowed")]
    TunnelsFull {
        /// How many that is.
        tunnels: usize,
    },
    /// The worker takes its frames too slowly.
    #[error("{bytes} bytes wait to be sent, no further request is taken")]
    QueueFull {
        /// The bytes that wait.
        bytes: usize,
    },
    /// The head and its content are longer than a peer would take.
    #[error("the request's head and content have {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// Their length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
}

/// Why an answer was not queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RespondError {
    /// Nobody waits for it any more.
    #[error("nobody waits for the answer")]
    Ended(#[source] Ended),
    /// The exchange has been answered already.
    #[error("the exchange has been answered already")]
    Repeated,
    /// The head and its content are longer than a peer would take.
    #[error("the response's head and content have {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// Their length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
}

/// The queue of urgent frames is full: the peer has not taken anything for long, and the session
/// cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes of frames wait to be sent, no more are taken")]
pub struct Overflow {
    /// The bytes that wait.
    pub bytes: usize,
}
