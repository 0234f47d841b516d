//! What goes out: whole messages of queued frames, then content in turns. Never takes more content
//! from an exchange than both credits allow.

use std::task::{Context, Poll};

use super::{Mux, parts::Parts, sending::Left};
use crate::protocol::frame::{HEADER_BYTES, StreamId};

impl Mux {
    /// What is to be sent next, as the payload of one binary websocket message: whole frames of
    /// at most `bytes_max` together, or one frame if that alone is longer; `None` once
    /// [`finish`](Self::finish) was called and nothing is left.
    ///
    /// Queued frames come first, in their order; what room they leave is filled with content, one
    /// DATA of each waiting exchange after the other. One task at a time may poll this.
    ///
    /// [`Limits::message_bytes`] is a good `bytes_max`: it lets the receiver keep large content without
    /// copying it, and begin soon.
    ///
    /// [`Limits::message_bytes`]: super::limits::Limits::message_bytes
    pub fn poll_output(&mut self, context: &Context<'_>, bytes_max: usize) -> Poll<Option<Parts>> {
        let bytes_max = bytes_max.min(self.limits.sizes.message_bytes_max as usize);
        let message = match self.outbox.take_some(bytes_max) {
            Some(part) => Some(part),
            None => {
                self.write_content(bytes_max);
                self.outbox.take_all()
            }
        };
        if self
            .outbox
            .heads_may_go_on(self.limits.heads_bytes_max() / 2)
        {
            self.wake_responders();
        }
        match message {
            Some(message) => Poll::Ready(Some(message)),
            None => self.outbox.idle(context, &mut self.wakers),
        }
    }

    fn write_content(&mut self, bytes_max: usize) {
        while let Some(stream) = self.outbox.first_in_line()
            && self.write_turn(stream, bytes_max)
        {}
    }

    /// Writes one DATA of `stream`, whose turn it is; tells whether it could.
    fn write_turn(&mut self, stream: StreamId, bytes_max: usize) -> bool {
        let exchange = self
            .table
            .get_mut(&stream)
            .expect("an exchange leaves the line first");
        let content_bytes_max = self.limits.content_bytes_max(exchange.is_tunnel());
        let sending = &mut exchange.sending;
        let wanted = sending.sendable(content_bytes_max);
        let bytes = wanted.min(self.send_credit.available() as usize);
        if bytes == 0 && wanted > 0 {
            return false;
        }
        // A frame is not cut to fill a message: it goes whole into the next one.
        let written = self.outbox.message_bytes();
        if written > 0 && written + HEADER_BYTES + bytes > bytes_max {
            return false;
        }
        let spent = u32::try_from(bytes).expect("a DATA has at most data_bytes_max");
        self.send_credit.spend(spent);
        let left = sending.write(&mut self.outbox, stream, spent);
        self.outbox.next_turn();
        self.outbox.content_out(bytes);
        sending.leave_line();
        if sending.join_line() {
            self.outbox.line_up(stream);
        }
        // With content of its own left it is woken only when there is room to spare; it will be
        // woken at the latest when nothing of its own is left, so it cannot be passed over.
        if left == Left::Nothing || self.outbox.content_bytes() < self.limits.bulk_bytes_max / 2 {
            sending.wake(&mut self.wakers);
        }
        true
    }

    fn wake_responders(&mut self) {
        for exchange in self.table.values_mut() {
            if exchange.sending.awaits_head() {
                exchange.sending.wake(&mut self.wakers);
            }
        }
    }

    /// Nothing more will be queued: what can be sent is sent, then
    /// [`poll_output`](Self::poll_output) gives `None`. Content that waits for credit is not
    /// waited for. No exchange begins any more; those that run are left alone.
    pub fn finish(&mut self) {
        self.outbox.finish(&mut self.wakers);
    }

    /// Lets the writer know of new content, unless it could not send any.
    pub(super) fn wake_writer(&mut self) {
        if self.send_credit.available() > 0 && self.outbox.first_in_line().is_some() {
            self.outbox.wake(&mut self.wakers);
        }
    }
}
