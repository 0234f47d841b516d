//! What waits to be sent: frames, already written, and the line of exchanges whose content waits
//! for a turn. Never holds content itself.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};

use super::{
    error::Overflow,
    waking::{Slot, Wakers},
};
use crate::protocol::frame::{StreamId, decode};

/// The outgoing side of a session.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Every frame but DATA, in the order in which they were queued.
    frames: BytesMut,
    /// Exchanges that have content and credit of their own, in the order of their turns.
    line: VecDeque<StreamId>,
    /// Content that exchanges took in and that is not written, whether they are in line or not.
    content_bytes: usize,
    /// Whether somebody waits for room to queue a head.
    heads_wait: bool,
    finished: bool,
    writer: Slot,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            frames: BytesMut::new(),
            line: VecDeque::new(),
            content_bytes: 0,
            heads_wait: false,
            finished: false,
            writer: Slot::default(),
        }
    }

    /// The bytes of queued frames, without content.
    pub(super) fn frame_bytes(&self) -> usize {
        self.frames.len()
    }

    /// The bytes of content that wait.
    pub(super) const fn content_bytes(&self) -> usize {
        self.content_bytes
    }

    /// Queues what `write` appends, unless that makes it more than `bytes_max`.
    pub(super) fn push(
        &mut self,
        bytes_max: usize,
        write: impl FnOnce(&mut BytesMut),
        wakers: &mut Wakers,
    ) -> Result<(), Overflow> {
        let before = self.frames.len();
        write(&mut self.frames);
        if self.frames.len() > bytes_max {
            self.frames.truncate(before);
            return Err(Overflow { bytes: before });
        }
        self.writer.wake(wakers);
        Ok(())
    }

    /// Counts content that an exchange took in.
    pub(super) fn content_in(&mut self, bytes: usize) {
        self.content_bytes += bytes;
    }

    /// Counts content that was written or dropped.
    pub(super) fn content_out(&mut self, bytes: usize) {
        self.content_bytes -= bytes;
    }

    /// Puts an exchange at the end of the line.
    pub(super) fn line_up(&mut self, stream: StreamId) {
        self.line.push_back(stream);
    }

    /// Whose turn it is.
    pub(super) fn first_in_line(&self) -> Option<StreamId> {
        self.line.front().copied()
    }

    /// Ends the turn of the first in line.
    pub(super) fn next_turn(&mut self) {
        self.line.pop_front();
    }

    /// Takes an exchange out of the line; whoever is behind it moves up.
    pub(super) fn leave_line(&mut self, stream: StreamId) {
        if let Some(at) = self.line.iter().position(|waiting| *waiting == stream) {
            self.line.remove(at);
        }
    }

    /// Takes every exchange out of the line.
    pub(super) fn clear_line(&mut self) {
        self.line.clear();
    }

    /// Where content is written to: behind the queued frames.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.frames
    }

    /// Takes whole frames of together at most `bytes_max`, at least one if there is any, when not
    /// all of them fit.
    pub(super) fn take_part(&mut self, bytes_max: usize) -> Option<BytesMut> {
        if self.frames.len() <= bytes_max {
            return None;
        }
        let mut end = 0;
        while let Some(frame_bytes) = decode::frame_bytes(&self.frames[end..])
            && (end == 0 || end + frame_bytes <= bytes_max)
        {
            end += frame_bytes;
        }
        Some(self.frames.split_to(end))
    }

    /// Takes everything that was written, if anything was.
    pub(super) fn take_all(&mut self) -> Option<BytesMut> {
        if self.frames.is_empty() {
            return None;
        }
        Some(self.frames.split())
    }

    /// Notes that somebody waits for room to queue a head.
    pub(super) fn head_waits(&mut self) {
        self.heads_wait = true;
    }

    /// Whether somebody waits for room to queue a head, and there is some now: less than
    /// `frame_bytes`.
    pub(super) fn heads_may_go_on(&mut self, frame_bytes: usize) -> bool {
        let go_on = self.heads_wait && self.frames.len() < frame_bytes;
        self.heads_wait &= !go_on;
        go_on
    }

    /// Nothing more will be queued.
    pub(super) fn finish(&mut self, wakers: &mut Wakers) {
        self.finished = true;
        self.writer.wake(wakers);
    }

    pub(super) const fn is_finished(&self) -> bool {
        self.finished
    }

    /// What the writer gets when there is nothing to write.
    pub(super) fn idle(
        &mut self,
        context: &Context<'_>,
        wakers: &mut Wakers,
    ) -> Poll<Option<Bytes>> {
        if self.finished {
            return Poll::Ready(None);
        }
        self.writer.wait(context, wakers);
        Poll::Pending
    }

    /// Lets the writer know that there may be something to write.
    pub(super) fn wake(&mut self, wakers: &mut Wakers) {
        self.writer.wake(wakers);
    }
}
