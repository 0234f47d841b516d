//! What waits to be sent: frames, already written, and the line of exchanges whose content waits
//! for a turn. Never holds content itself.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};

use super::{
    error::Overflow,
    parts::Parts,
    waking::{Slot, Wakers},
};
use crate::protocol::frame::{StreamId, decode};

/// The outgoing side of a session.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Every frame but DATA, in the order in which they were queued.
    frames: BytesMut,
    /// The beginning of the message that is being made up, before the frames.
    begun: Parts,
    /// Content at least this long becomes a part of its own.
    part_bytes_min: usize,
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
    pub(super) fn new(part_bytes_min: usize) -> Self {
        Self {
            frames: BytesMut::new(),
            begun: Parts::default(),
            part_bytes_min,
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

    /// The bytes of the message that is being made up: all queued frames, and content.
    pub(super) fn message_bytes(&self) -> usize {
        self.begun.len() + self.frames.len()
    }

    /// Where a frame is written to: behind those that are queued.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.frames
    }

    /// Appends content to the message that is being made up.
    pub(super) fn write_content(&mut self, content: Bytes) {
        if content.len() < self.part_bytes_min {
            self.frames.extend_from_slice(&content);
        } else {
            self.begun.push(self.frames.split().freeze());
            self.begun.push(content);
        }
    }

    /// Takes whole frames of together at most `bytes_max`, at least one if there is any, when not
    /// all of them fit.
    pub(super) fn take_some(&mut self, bytes_max: usize) -> Option<Parts> {
        if self.frames.len() <= bytes_max {
            return None;
        }
        let mut end = 0;
        while let Some(frame_bytes) = decode::frame_bytes(&self.frames[end..])
            && (end == 0 || end + frame_bytes <= bytes_max)
        {
            end += frame_bytes;
        }
        Some(self.frames.split_to(end).freeze().into())
    }

    /// Takes everything that was written, if anything was.
    pub(super) fn take_all(&mut self) -> Option<Parts> {
        let mut message = std::mem::take(&mut self.begun);
        if !self.frames.is_empty() {
            message.push(self.frames.split().freeze());
        }
        (!message.is_empty()).then_some(message)
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
    ) -> Poll<Option<Parts>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_content_is_a_part_of_its_own_between_the_frames_around_it() {
        let mut outbox = Outbox::new(4);
        let (short, long) = (Bytes::from_static(b"sho"), Bytes::from_static(b"long"));
        outbox.buffer().extend_from_slice(b"before ");
        outbox.write_content(short);
        outbox.buffer().extend_from_slice(b" between ");
        outbox.write_content(long.clone());
        outbox.write_content(long.clone());
        outbox.buffer().extend_from_slice(b" behind");
        assert_eq!(outbox.message_bytes(), 34);
        let mut message = outbox.take_all().unwrap();
        assert_eq!(message.len(), 34);
        let parts: Vec<_> = std::iter::from_fn(|| message.pop()).collect();
        assert_eq!(parts, ["before sho between ", "long", "long", " behind"]);
        assert!(
            parts[1..3]
                .iter()
                .all(|part| part.as_ptr() == long.as_ptr())
        );
        assert!(outbox.take_all().is_none() && outbox.message_bytes() == 0);
    }
}
