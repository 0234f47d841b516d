//! What the tasks of an exchange wait for: its answer, content either way, and its end. Any of it
//! may be given up at any time.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::{
    Mux,
    event::{Ended, ResponseFrame},
    receiving::byte_count,
};
use crate::protocol::frame::{StreamId, encode};

impl Mux {
    /// The answer of an exchange, once it has come.
    ///
    /// # Errors
    ///
    /// When the exchange ended without one, or is over, or its answer was taken before.
    pub fn poll_response(
        &mut self,
        stream: StreamId,
        context: &Context<'_>,
    ) -> Poll<Result<ResponseFrame, Ended>> {
        let Some(exchange) = self.table.get_mut(&stream) else {
            return Poll::Ready(Err(Ended::Over));
        };
        let response = exchange.poll_response(context, &mut self.wakers);
        if exchange.is_over() {
            self.clear_over(stream);
        }
        response
    }

    /// The next content of what the peer sends, `None` when it is complete.
    ///
    /// Taking content lets the peer send more.
    ///
    /// # Errors
    ///
    /// When the exchange ended before, or is over: this was called again after `None`.
    pub fn poll_chunk(
        &mut self,
        stream: StreamId,
        context: &Context<'_>,
    ) -> Poll<Option<Result<Bytes, Ended>>> {
        let Some(exchange) = self.table.get_mut(&stream) else {
            return Poll::Ready(Some(Err(Ended::Over)));
        };
        let chunk = exchange.poll_chunk(context, &mut self.wakers);
        match &chunk {
            Poll::Ready(Some(Ok(content))) => {
                let live = exchange.is_live();
                let due = exchange.receiving.due().filter(|_| live);
                // That of a tunnel was given back to the session when it came.
                let counted = if exchange.is_tunnel() {
                    0
                } else {
                    byte_count(content.len())
                };
                self.give_back(stream, due, counted);
            }
            Poll::Ready(None) if exchange.is_over() => self.clear_over(stream),
            Poll::Ready(None | Some(Err(_))) | Poll::Pending => {}
        }
        chunk
    }

    /// Takes `content` in and leaves it empty; with `end` it is the last.
    ///
    /// Waits for a response's head to be queued, and while the exchange still has content to send
    /// and there is no room for more. Ready for an end only when END has been written; then
    /// `content` is empty already, and the same call is repeated until it is ready.
    ///
    /// # Errors
    ///
    /// When the exchange ended, or is over, or content comes after the end.
    pub fn poll_content(
        &mut self,
        stream: StreamId,
        context: &Context<'_>,
        content: &mut Bytes,
        end: bool,
    ) -> Poll<Result<(), Ended>> {
        let Some(exchange) = self.table.get_mut(&stream) else {
            return Poll::Ready(Err(Ended::Over));
        };
        if end && content.is_empty() && exchange.sending.has_nothing_to_send() {
            self.write_end(stream);
        }
        self.take_content(stream, context, content, end)
    }

    /// Writes END at once: all content before it has been written, and it needs no credit.
    fn write_end(&mut self, stream: StreamId) {
        if self.urgent(|buffer| encode::data(buffer, stream, true, |_| {}))
            && let Some(exchange) = self.table.get_mut(&stream)
        {
            exchange.sending.ended();
        }
    }

    fn take_content(
        &mut self,
        stream: StreamId,
        context: &Context<'_>,
        content: &mut Bytes,
        end: bool,
    ) -> Poll<Result<(), Ended>> {
        let exchange = self
            .table
            .get_mut(&stream)
            .expect("nothing forgets it in between");
        let before = exchange.sending.pending_bytes();
        let room = self
            .limits
            .bulk_bytes_max
            .saturating_sub(self.outbox.content_bytes());
        let poll = exchange.poll_content(context, content, end, room, &mut self.wakers);
        self.outbox
            .content_in(exchange.sending.pending_bytes() - before);
        let joins = exchange.sending.join_line();
        let over = poll.is_ready() && exchange.is_over();
        if joins {
            self.outbox.line_up(stream);
            self.wake_writer();
        }
        if over {
            self.clear_over(stream);
        }
        poll
    }

    /// Why an exchange ended, once the peer has reset it or the session was lost. Waits while it
    /// runs, and through a regular end until it is forgotten, which is [`Ended::Over`].
    pub fn poll_cancelled(&mut self, stream: StreamId, context: &Context<'_>) -> Poll<Ended> {
        match self.table.get_mut(&stream) {
            Some(exchange) => exchange.poll_cancelled(context, &mut self.wakers),
            None => Poll::Ready(Ended::Over),
        }
    }
}
