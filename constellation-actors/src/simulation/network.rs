//! Connections: two ordered streams each, which stall, break one way or both, and lose what is
//! under way. Nothing is reordered or repeated within one; between two there is no order at all.

use std::collections::BTreeMap;

use super::{
    clock::{Instant, MILLI},
    random::Random,
};
use crate::{
    placement::{
        epoch::Epoch,
        grant::GrantId,
        key::ResourceKey,
        lease::LeaseTerms,
        worker::{Incarnation, WorkerId},
    },
    protocol::frame::code::RevokeReason,
};

/// One connection; never used again. Its session bears the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// One request on one connection; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExchangeId(pub(crate) u64);

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Controller,
    Worker,
}

impl End {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Controller => Self::Worker,
            Self::Worker => Self::Controller,
        }
    }
}

/// What is said.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    Hello {
        worker: WorkerId,
        incarnation: Incarnation,
        holding: Vec<(ResourceKey, Epoch)>,
    },
    Heartbeat(u64),
    Released(ResourceKey, Epoch),
    Draining,
    Goodbye,
    Answer(ExchangeId),
    Refusal(ExchangeId),
    BrokenOff(ExchangeId),
    Welcome {
        resumed: bool,
        terms: LeaseTerms,
    },
    Acknowledgement(u64),
    Grant(GrantId, Epoch, ResourceKey),
    Revoke(RevokeReason, Epoch, ResourceKey),
    GoAway {
        lease_ended: bool,
    },
    Request(ExchangeId, GrantId),
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
struct Stream {
    sent: u64,
    arrived: u64,
    /// Nothing from this number on arrives.
    lost_from: Option<u64>,
    /// When what was sent last arrives.
    last: Instant,
}

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) worker: usize,
    to_controller: Stream,
    to_worker: Stream,
    closed_by_controller: bool,
    closed_by_worker: bool,
}

impl Connection {
    fn towards(&mut self, end: End) -> &mut Stream {
        match end {
            End::Controller => &mut self.to_controller,
            End::Worker => &mut self.to_worker,
        }
    }

    fn closed_by(&mut self, end: End) -> &mut bool {
        match end {
            End::Controller => &mut self.closed_by_controller,
            End::Worker => &mut self.closed_by_worker,
        }
    }
}

/// Every connection that is not closed by both ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    connections: BTreeMap<ConnectionId, Connection>,
    last: u64,
    /// The most microseconds that a message usually takes.
    pub(crate) latency: u64,
}

impl Network {
    pub(crate) fn connect(&mut self, worker: usize, now: Instant) -> ConnectionId {
        self.last += 1;
        let stream = Stream {
            last: now,
            ..Stream::default()
        };
        let connection = Connection {
            worker,
            to_controller: stream.clone(),
            to_worker: stream,
            closed_by_controller: false,
            closed_by_worker: false,
        };
        self.connections.insert(ConnectionId(self.last), connection);
        ConnectionId(self.last)
    }

    pub(crate) fn ids(&self) -> Vec<ConnectionId> {
        self.connections.keys().copied().collect()
    }

    pub(crate) fn worker_of(&self, id: ConnectionId) -> Option<usize> {
        self.connections.get(&id).map(|it| it.worker)
    }

    pub(crate) fn is_open_at(&mut self, id: ConnectionId, end: End) -> bool {
        let connection = self.connections.get_mut(&id);
        connection.is_some_and(|it| !*it.closed_by(end))
    }

    /// When a message to `end` that is sent now arrives, and its number; `None` when it is lost.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        random: &mut Random,
        id: ConnectionId,
        end: End,
    ) -> Option<(Instant, u64)> {
        let latency = random.between(50, self.latency.max(50));
        let connection = self.connections.get_mut(&id)?;
        if *connection.closed_by(end.other()) {
            return None;
        }
        let stream = connection.towards(end);
        let number = stream.sent;
        stream.sent += 1;
        if stream.lost_from.is_some() {
            return None;
        }
        stream.last = stream.last.max(now) + latency;
        Some((stream.last, number))
    }

    /// Whether the message with this number arrives at `end`, where it is due.
    pub(crate) fn arrives(&mut self, id: ConnectionId, end: End, number: u64) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else {
            return false;
        };
        if *connection.closed_by(end) {
            return false;
        }
        let stream = connection.towards(end);
        if stream.lost_from.is_some_and(|from| number >= from) {
            return false;
        }
        stream.arrived = stream.arrived.max(number + 1);
        true
    }

    /// One end closes; tells when the other notices, unless it never does.
    pub(crate) fn close(&mut self, now: Instant, id: ConnectionId, end: End) -> Option<Instant> {
        let connection = self.connections.get_mut(&id)?;
        if std::mem::replace(connection.closed_by(end), true) {
            return None;
        }
        if *connection.closed_by(end.other()) {
            self.connections.remove(&id);
            return None;
        }
        let stream = connection.towards(end.other());
        let notice = stream.last.max(now) + MILLI;
        stream.lost_from.is_none().then_some(notice)
    }

    /// What is sent to `end` arrives no more, and not all of what is under way.
    pub(crate) fn cut(&mut self, random: &mut Random, id: ConnectionId, end: End) {
        if let Some(connection) = self.connections.get_mut(&id) {
            let stream = connection.towards(end);
            let from = random.between(stream.arrived, stream.sent);
            let from = stream.lost_from.map_or(from, |before| before.min(from));
            stream.lost_from = Some(from);
        }
    }

    /// What is sent to `end` takes at least until `until`.
    pub(crate) fn stall(&mut self, id: ConnectionId, end: End, until: Instant) {
        if let Some(connection) = self.connections.get_mut(&id) {
            let stream = connection.towards(end);
            stream.last = stream.last.max(until);
        }
    }
}
