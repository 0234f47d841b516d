//! One side of a session's exchanges: many requests and responses over one connection, with
//! credit, in turns, and without any I/O. It never reads a clock, never waits, never wakes a task
//! by itself, and never looks into a head.
//!
//! # Use
//!
//! Controller and worker each keep one [`Mux`] behind a lock, see [`shared::Shared`]. Received
//! messages go into [`Mux::receive`]; [`Mux::poll_output`] gives the messages to send. The tasks
//! of an exchange poll it in between. After each call the tasks that it concerns lie in
//! [`Mux::take_wakers`], to be woken when the lock is released.
//!
//! # The life of an exchange
//!
//! The controller's [`Mux::open`] begins one; at the worker it appears as [`event::Event::Request`].
//! Each direction ends with END, independently of the other. The exchange is forgotten by the poll
//! that tells its owner of the last of both, or by [`Mux::close`] or [`Mux::reset`]. **Whoever got a
//! [`StreamId`] calls one of those two in the end**, at best by a guard's `Drop`: for an exchange
//! that is over they do nothing, for one that is not they tell the peer.
//!
//! A reset by the peer, or the loss of the session, ends both directions. What has come completely
//! stays readable; half a body is dropped, and its reader told why.
//!
//! # What goes out, and in which order
//!
//! Everything but content is queued as bytes, first in, first out. Content is taken in by
//! [`Mux::poll_content`], one chunk of each exchange and more while there is room, and written when
//! a message is made up, one DATA of each exchange in turn: so a large body cannot hold up small
//! exchanges, and an exchange that stops in the middle holds up nobody. Long content is not copied into
//! the message: it becomes one of its [parts](parts::Parts). `poll_content` is ready for the
//! end of a body only when END has been written. A RELEASED that is queued after the exchanges of
//! its key have ended therefore never overtakes their content, nor a REFUSED such a RELEASED.
//!
//! # Bounds
//!
//! Queued frames: `urgent_bytes_max`. Content that waits to be sent: `bulk_bytes_max`, and one
//! chunk of each exchange. Unread content: what credit allows, four times over where it is kept as
//! slices of messages. Heads that wait to be taken: one an exchange. Exchanges: `exchanges_max`,
//! and `tunnels_max` that are or may become tunnels.

use std::{collections::BTreeSet, fmt};

use bytes::BytesMut;

use self::{
    credit::{ReceiveCredit, SendCredit},
    error::Overflow,
    event::Ended,
    exchange::{Exchange, Remains},
    limits::{Limits, LimitsError},
    outbox::Outbox,
    table::Table,
    waking::Wakers,
};
use super::frame::{StreamId, code::ResetCode, encode};
use crate::placement::epoch::Epoch;

mod credit;
pub mod error;
pub mod event;
mod exchange;
mod heads;
pub mod limits;
mod outbox;
mod output;
pub mod parts;
mod poll;
#[cfg(test)]
mod properties;
mod receive;
mod receiving;
mod retention;
mod sending;
pub mod shared;
mod table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tunnel;
pub mod waking;
mod withdrawal;

/// Which side of a session a mux is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It begins exchanges.
    Controller,
    /// It answers them.
    Worker,
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Controller => "controller",
            Self::Worker => "worker",
        })
    }
}

/// One side of a session's exchanges.
///
/// * Getters: [`role`](Self::role), [`limits`](Self::limits), [`exchanges`](Self::exchanges),
///   [`queued_bytes`](Self::queued_bytes), [`is_closed`](Self::is_closed),
///   [`has_overflowed`](Self::has_overflowed).
/// * The connection: [`receive`](Self::receive), [`poll_output`](Self::poll_output),
///   [`control`](Self::control), [`finish`](Self::finish), [`end_all`](Self::end_all),
///   [`end_unanswered`](Self::end_unanswered).
/// * Exchanges: [`open`](Self::open), [`poll_response`](Self::poll_response) at the controller,
///   [`poll_respond`](Self::poll_respond), [`poll_cancelled`](Self::poll_cancelled) at the worker,
///   [`poll_chunk`](Self::poll_chunk), [`poll_content`](Self::poll_content),
///   [`reset`](Self::reset), [`close`](Self::close) at both; [`withdraw`](Self::withdraw) at the
///   controller ends those of a pin.
/// * Tunnels, besides: [`open_tunnel`](Self::open_tunnel), [`sever`](Self::sever),
///   [`poll_sent`](Self::poll_sent), [`tunnels`](Self::tunnels).
/// * After each of them: [`take_wakers`](Self::take_wakers).
///
/// Every `poll_` method may be given up at any time. For each exchange one task may wait for what
/// comes, one for what it sends, and one for its cancellation; where a second comes, only that one
/// is woken.
pub struct Mux {
    role: Role,
    limits: Limits,
    table: Table,
    /// Those of the table's exchanges that are or may become tunnels, by epoch.
    tunnels: BTreeSet<(Epoch, StreamId)>,
    next_stream: u32,
    outbox: Outbox,
    send_credit: SendCredit,
    receive_credit: ReceiveCredit,
    wakers: Wakers,
    ended: bool,
    overflowed: bool,
}

impl Mux {
    /// One side of a new session.
    ///
    /// Both sides count with the same `limits`, which WELCOME announces. A worker reads WELCOME
    /// before it makes its mux, and gives it what [`Frames::rest`] leaves of that message.
    ///
    /// [`Frames::rest`]: super::frame::decode::Frames::rest
    ///
    /// # Errors
    ///
    /// When the limits do not fit together.
    pub fn new(role: Role, limits: Limits) -> Result<Self, LimitsError> {
        limits.check()?;
        Ok(Self {
            role,
            limits,
            table: Table::default(),
            tunnels: BTreeSet::new(),
            next_stream: 1,
            outbox: Outbox::new(limits.part_bytes_min),
            send_credit: SendCredit::new(limits.session_credit),
            receive_credit: ReceiveCredit::new(limits.session_credit),
            wakers: Wakers::default(),
            ended: false,
            overflowed: false,
        })
    }

    /// Which side this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The limits it keeps to.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many exchanges have not been forgotten.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.table.len()
    }

    /// The bytes that wait to be sent: frames, and content that was taken in.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.outbox.frame_bytes() + self.outbox.content_bytes()
    }

    /// Whether no exchange begins any more.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.ended || self.outbox.is_finished()
    }

    /// Whether the session ended itself, because the peer took nothing until a frame that could
    /// not be left out found no room.
    #[must_use]
    pub const fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    /// The tasks that the calls so far concern, to be woken after the lock is released.
    pub fn take_wakers(&mut self) -> Wakers {
        std::mem::take(&mut self.wakers)
    }

    /// Ends an exchange in both directions and forgets it. The peer is told, unless it knows
    /// already or both directions ran to their ends. Content that was not sent is dropped.
    ///
    /// `reason` is for people and may be empty; it is cut at 1 KiB.
    pub fn reset(&mut self, stream: StreamId, code: ResetCode, reason: &str) {
        let Some(mut exchange) = self.remove(stream) else {
            return;
        };
        let told = !exchange.is_live() || exchange.is_complete();
        let in_line = exchange.sending.leave_line();
        let remains = exchange.forget(&mut self.wakers);
        self.clear_away(stream, in_line, remains);
        if !told {
            self.answer_reset(stream, code, reason);
        }
    }

    /// Forgets an exchange: one that ran to its end without a word, any other is cancelled.
    ///
    /// A response that came completely is no longer readable afterwards. Does nothing for an
    /// exchange that was forgotten before.
    pub fn close(&mut self, stream: StreamId) {
        self.reset(stream, ResetCode::Cancelled, "");
    }

    /// Queues frames of the session itself: what `frames` appends, by the functions of
    /// [`encode`]. They keep their order among each other and with heads and resets.
    ///
    /// # Errors
    ///
    /// When they do not fit: the peer does not take anything, and the session cannot go on.
    /// Nothing is queued then.
    pub fn control(&mut self, frames: impl FnOnce(&mut BytesMut)) -> Result<(), Overflow> {
        self.outbox
            .push(self.limits.urgent_bytes_max, frames, &mut self.wakers)
    }

    /// Ends every exchange with [`Ended::SessionLost`], and lets none begin any more. What is
    /// queued can still be sent.
    pub fn end_all(&mut self) {
        self.ended = true;
        let live = self
            .table
            .values_mut()
            .filter(|exchange| exchange.is_live());
        for exchange in live {
            exchange.sending.leave_line();
            let remains = exchange.end(Ended::SessionLost, &mut self.wakers);
            self.outbox.content_out(remains.unsent);
        }
        self.outbox.clear_line();
    }

    /// The worker has said goodbye: it has answered what it began with, and begins with nothing more.
    /// So an exchange without any answer ends as refused. Every other ends as with
    /// [`end_all`](Self::end_all), and none begins any more.
    pub fn end_unanswered(&mut self) {
        let unanswered = self
            .table
            .values_mut()
            .filter(|exchange| exchange.is_live() && !exchange.receiving.has_begun());
        for exchange in unanswered {
            exchange.sending.leave_line();
            let refused = Ended::Reset {
                code: ResetCode::Refused,
                reason: "the worker has left".to_owned(),
            };
            let remains = exchange.end(refused, &mut self.wakers);
            self.outbox.content_out(remains.unsent);
        }
        self.end_all();
    }

    /// Queues a frame without which the peer's view of an exchange would be wrong for good; when
    /// there is no room for it, the session ends itself. Tells whether it was queued.
    fn urgent(&mut self, frame: impl FnOnce(&mut BytesMut)) -> bool {
        let queued = self.control(frame).is_ok();
        if !queued {
            self.overflowed = true;
            self.end_all();
            self.finish();
        }
        queued
    }

    fn answer_reset(&mut self, stream: StreamId, code: ResetCode, reason: &str) {
        self.urgent(|buffer| encode::reset(buffer, stream, code, reason));
    }

    /// Forgets an exchange that is over.
    fn clear_over(&mut self, stream: StreamId) {
        if let Some(mut exchange) = self.remove(stream) {
            exchange.wake(&mut self.wakers);
        }
    }

    fn remove(&mut self, stream: StreamId) -> Option<Exchange> {
        let exchange = self.table.remove(&stream)?;
        if let Some(epoch) = exchange.tunnel() {
            self.tunnels.remove(&(epoch, stream));
        }
        Some(exchange)
    }

    /// Clears away what an exchange left that was ended in the middle.
    fn clear_away(&mut self, stream: StreamId, in_line: bool, remains: Remains) {
        self.outbox.content_out(remains.unsent);
        if in_line {
            self.outbox.leave_line(stream);
        }
        self.give_back_to_session(remains.unread);
    }

    /// Sends the credit that is due after `taken` bytes of an exchange were read that the session's
    /// credit counts.
    fn give_back(&mut self, stream: StreamId, due: Option<u32>, taken: u32) {
        if let Some(increment) = due {
            self.urgent(|buffer| encode::credit(buffer, Some(stream), increment));
        }
        self.give_back_to_session(taken);
    }

    fn give_back_to_session(&mut self, taken: u32) {
        self.receive_credit.take(taken);
        if let Some(increment) = self
            .receive_credit
            .due_in_steps(self.limits.sizes.data_bytes_max)
        {
            self.urgent(|buffer| encode::credit(buffer, None, increment));
        }
    }
}

impl fmt::Debug for Mux {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mux")
            .field("role", &self.role)
            .field("exchanges", &self.exchanges())
            .field("queued_bytes", &self.queued_bytes())
            .field("send_credit", &self.send_credit)
            .field("receive_credit", &self.receive_credit)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
