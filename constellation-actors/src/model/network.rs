//! Connections of the model: two ordered queues each, which lose what is under way or everything
//! from some message on. When a message arrives is a choice of the checker, never of this.

use std::collections::VecDeque;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ConnectionId(pub(super) u64);

/// One request of a client; never used again. Its ticket and its exchange bear the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RequestId(pub(super) u64);

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Controller,
    Worker,
}

impl End {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Controller => Self::Worker,
            Self::Worker => Self::Controller,
        }
    }
}

/// What is said, or noticed: `Lost` is the end of the connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Message {
    Hello {
        worker: WorkerId,
        incarnation: Incarnation,
        holding: Vec<(ResourceKey, Epoch)>,
    },
    Heartbeat(u64),
    Released(ResourceKey, Epoch),
    Answer(RequestId),
    Refusal(RequestId),
    BrokenOff(RequestId),
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
    Request(RequestId, GrantId),
    Lost,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default, Hash)]
struct Stream {
    under_way: VecDeque<Message>,
    /// Nothing more arrives.
    is_cut: bool,
    /// Whoever reads it has hung up, or knows that nobody writes any more.
    is_closed: bool,
}

/// A connection.
#[derive(Clone, Debug, Hash)]
pub(super) struct Connection {
    pub(super) worker: usize,
    to_controller: Stream,
    to_worker: Stream,
}

impl Connection {
    pub(super) fn new(worker: usize) -> Self {
        Self {
            worker,
            to_controller: Stream::default(),
            to_worker: Stream::default(),
        }
    }

    fn towards(&mut self, end: End) -> &mut Stream {
        match end {
            End::Controller => &mut self.to_controller,
            End::Worker => &mut self.to_worker,
        }
    }

    const fn stream(&self, end: End) -> &Stream {
        match end {
            End::Controller => &self.to_controller,
            End::Worker => &self.to_worker,
        }
    }

    pub(super) fn is_open_at(&self, end: End) -> bool {
        !self.stream(end).is_closed
    }

    pub(super) fn is_over(&self) -> bool {
        self.to_controller.is_closed && self.to_worker.is_closed
    }

    /// Whether something is to arrive at `end`.
    pub(super) fn has_news_for(&self, end: End) -> bool {
        !self.stream(end).under_way.is_empty()
    }

    /// Whether messages to `end` are lost without anybody's notice.
    pub(super) const fn is_cut(&self, end: End) -> bool {
        self.stream(end).is_cut
    }

    pub(super) fn send(&mut self, end: End, message: Message) {
        let writer_is_gone = !self.is_open_at(end.other());
        let stream = self.towards(end);
        if !stream.is_cut && !stream.is_closed && !writer_is_gone {
            stream.under_way.push_back(message);
        }
    }

    pub(super) fn receive(&mut self, end: End) -> Option<Message> {
        self.towards(end).under_way.pop_front()
    }

    /// One end hangs up: the other notices behind all that is under way, unless that is lost.
    pub(super) fn close(&mut self, by: End) {
        if !self.is_open_at(by) {
            return;
        }
        self.send(by.other(), Message::Lost);
        let own = self.towards(by);
        own.is_closed = true;
        own.under_way.clear();
    }

    /// What is under way to `end` is lost, and all that would follow.
    pub(super) fn cut(&mut self, end: End) {
        let stream = self.towards(end);
        stream.is_cut = true;
        stream.under_way.clear();
    }

    /// Everything under way is lost, and both ends notice.
    pub(super) fn tear(&mut self) {
        for end in [End::Controller, End::Worker] {
            let stream = self.towards(end);
            if !stream.is_closed {
                stream.under_way.clear();
                stream.under_way.push_back(Message::Lost);
            }
        }
    }
}
