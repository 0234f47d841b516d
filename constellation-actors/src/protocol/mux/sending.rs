//! One direction of an exchange, at its sender: the content that was taken in and waits for its
//! turn. Never sends by itself: the mux gives the turns.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::{
    credit::SendCredit,
    event::Ended,
    outbox::Outbox,
    waking::{Slot, Wakers},
};
use crate::protocol::frame::{StreamId, encode};

/// The content of one direction that is still to be sent.
#[derive(Debug)]
pub(super) struct Sending {
    stage: Stage,
    pending: VecDeque<Bytes>,
    pending_bytes: usize,
    credit: SendCredit,
    in_line: bool,
    writer: Slot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The head that goes before all content has not been queued.
    BeforeHead,
    /// More content may be taken in.
    Open,
    /// The last content was taken in; END will be written behind it.
    Ending,
    /// END has been written.
    Ended,
    /// The exchange was ended; nothing is sent any more.
    Aborted,
}

/// What a frame of content left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Content that waits for its turn or for credit.
    Content,
    /// Nothing; the exchange can take in more, or is complete.
    Nothing,
}

impl Sending {
    /// The sender of a request whose head was queued, and is complete when `end`.
    pub(super) fn request(end: bool, credit: u32) -> Self {
        Self::new(if end { Stage::Ended } else { Stage::Open }, credit)
    }

    /// The sender of a response, which begins with a head.
    pub(super) fn response(credit: u32) -> Self {
        Self::new(Stage::BeforeHead, credit)
    }

    fn new(stage: Stage, credit: u32) -> Self {
        Self {
            stage,
            pending: VecDeque::new(),
            pending_bytes: 0,
            credit: SendCredit::new(credit),
            in_line: false,
            writer: Slot::default(),
        }
    }

    /// Whether END has been written.
    pub(super) fn is_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Whether a head is still to be queued.
    pub(super) fn awaits_head(&self) -> bool {
        self.stage == Stage::BeforeHead
    }

    /// The bytes that were taken in and not written.
    pub(super) const fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// The head was queued, with END when `end`.
    pub(super) fn answered(&mut self, end: bool, wakers: &mut Wakers) {
        self.stage = if end { Stage::Ended } else { Stage::Open };
        self.writer.wake(wakers);
    }

    /// Takes `content` in, if there is no other or `room_bytes` are enough, and notes the end.
    /// Ready for an end only when END has been written.
    pub(super) fn poll_content(
        &mut self,
        context: &Context<'_>,
        content: &mut Bytes,
        end: bool,
        room_bytes: usize,
        wakers: &mut Wakers,
    ) -> Poll<Result<(), Ended>> {
        match self.stage {
            Stage::BeforeHead => self.wait(context, wakers),
            Stage::Open => {
                if !self.take_in(content, room_bytes) {
                    return self.wait(context, wakers);
                }
                if end {
                    self.stage = Stage::Ending;
                    return self.wait(context, wakers);
                }
                Poll::Ready(Ok(()))
            }
            Stage::Ending if end && content.is_empty() => self.wait(context, wakers),
            Stage::Ended if end && content.is_empty() => Poll::Ready(Ok(())),
            Stage::Ending | Stage::Ended | Stage::Aborted => Poll::Ready(Err(Ended::Over)),
        }
    }

    /// Whether everything that was taken in is written, or never will be.
    pub(super) fn has_sent(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether an end is all that would be left to write.
    pub(super) fn has_nothing_to_send(&self) -> bool {
        self.stage == Stage::Open && self.pending.is_empty()
    }

    /// END has been written without content.
    pub(super) fn ended(&mut self) {
        self.stage = Stage::Ended;
    }

    fn take_in(&mut self, content: &mut Bytes, room_bytes: usize) -> bool {
        if content.is_empty() {
            return true;
        }
        if !self.pending.is_empty() && content.len() > room_bytes {
            return false;
        }
        self.pending_bytes += content.len();
        self.pending.push_back(std::mem::take(content));
        true
    }

    /// Lets the task that sends wait.
    pub(super) fn wait<T>(&mut self, context: &Context<'_>, wakers: &mut Wakers) -> Poll<T> {
        self.writer.wait(context, wakers);
        Poll::Pending
    }

    /// Adds what the peer gave; `None` when that is more than can be counted.
    pub(super) fn grow(&mut self, increment: u32) -> Option<()> {
        self.credit.grow(increment)
    }

    /// Whether it now joins the line of those that wait for a turn: it has something to send that
    /// its own credit allows, and is not in the line.
    pub(super) fn join_line(&mut self) -> bool {
        let joins = !self.in_line && self.sendable(usize::MAX) > 0;
        self.in_line |= joins;
        joins
    }

    /// Its turn has come, or it goes away; tells whether it was in the line.
    pub(super) fn leave_line(&mut self) -> bool {
        std::mem::take(&mut self.in_line)
    }

    /// The content of its next frame, of at most `bytes_max`.
    pub(super) fn sendable(&self, bytes_max: usize) -> usize {
        self.pending_bytes
            .min(self.credit.available() as usize)
            .min(bytes_max)
    }

    /// Writes a frame of `bytes` of content, which [`sendable`](Self::sendable) allowed, and END
    /// behind the last content.
    pub(super) fn write(&mut self, outbox: &mut Outbox, stream: StreamId, bytes: u32) -> Left {
        self.credit.spend(bytes);
        self.pending_bytes -= bytes as usize;
        let end = self.stage == Stage::Ending && self.pending_bytes == 0;
        encode::data_header(outbox.buffer(), stream, end, bytes);
        self.write_content(outbox, bytes as usize);
        if end {
            self.stage = Stage::Ended;
        }
        if self.pending_bytes == 0 {
            Left::Nothing
        } else {
            Left::Content
        }
    }

    fn write_content(&mut self, outbox: &mut Outbox, mut bytes: usize) {
        while bytes > 0 {
            let chunk = self
                .pending
                .front_mut()
                .expect("the chunks hold all pending bytes");
            let part = chunk.len().min(bytes);
            outbox.write_content(chunk.split_to(part));
            bytes -= part;
            if chunk.is_empty() {
                self.pending.pop_front();
            }
        }
    }

    /// Drops what was not written and sends nothing more; tells how many bytes that were.
    pub(super) fn abort(&mut self) -> usize {
        if self.stage != Stage::Ended {
            self.stage = Stage::Aborted;
        }
        self.pending = VecDeque::new();
        std::mem::take(&mut self.pending_bytes)
    }

    pub(super) fn wake(&mut self, wakers: &mut Wakers) {
        self.writer.wake(wakers);
    }
}
