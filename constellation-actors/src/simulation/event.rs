//! What can happen, when, and to whom.

use super::{
    client::{Offer, RequestId},
    clock::Instant,
    controller::RouteId,
    network::{ConnectionId, End, ExchangeId, Message},
    worker::ExecutionId,
};
use crate::{
    ownership::holding::HoldingId,
    placement::input::{ClaimFailure, ClaimId},
};

/// What happens at an instant. Those of a process name its life, and mean nothing to a later one.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Deliver(ConnectionId, End, u64, Message),
    Lost(ConnectionId, End),
    HangUp(ConnectionId),
    HangUpWorker(usize, ConnectionId),
    StartController,
    TickController(u64),
    Store(u64),
    Stored(u64, ClaimId, Result<(), ClaimFailure>),
    Offer(u64, RequestId, RouteId),
    Offered(u64, RequestId, Offer),
    Patience(RequestId),
    Client,
    StartWorker(usize),
    Dial(usize, u64),
    WelcomeTimeout(usize, u64, ConnectionId),
    Wake(usize, u64),
    Begin(usize, u64, HoldingId, ConnectionId, ExchangeId),
    Finish(usize, u64, HoldingId, ExecutionId),
    Closed(usize, u64, HoldingId),
    Exit(usize, u64),
    Fault,
    EndOfFaults,
    Probe,
}

/// Whose event it is, and so whose pause holds it up.
pub(crate) enum Scheduled {
    Controller,
    Worker(usize),
    Nobody,
}

/// An event and when it happens; among those of one instant, first come, first served.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) at: Instant,
    pub(crate) number: u64,
    pub(crate) event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
