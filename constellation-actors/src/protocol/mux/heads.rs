//! Beginning exchanges and answering them: the frames that carry heads. Never looks into a head.

use std::task::{Context, Poll};

use bytes::BytesMut;

use super::{
    Mux, Role,
    error::{OpenError, RespondError},
    event::Ended,
    exchange::Exchange,
};
use crate::{
    placement::grant::GrantId,
    protocol::frame::{GRANT_BYTES, HEADER_BYTES, StreamId, encode},
};

impl Mux {
    /// Begins an exchange under `grant`. `head` appends the request's head and the first content;
    /// with `end` that is all of it.
    ///
    /// # Errors
    ///
    /// When the session is closed, a limit is reached, or the head with its content is too long.
    /// Nothing is queued then.
    ///
    /// # Panics
    ///
    /// At a worker.
    pub fn open(
        &mut self,
        grant: GrantId,
        end: bool,
        head: impl FnOnce(&mut BytesMut),
    ) -> Result<StreamId, OpenError> {
        self.check_open()?;
        let exchanges = self.table.len() - self.tunnels();
        if exchanges >= self.limits.exchanges_max as usize {
            return Err(OpenError::ExchangesFull { exchanges });
        }
        let stream = self.free_stream();
        self.push_head(GRANT_BYTES, |buffer| {
            encode::request(buffer, stream, grant, end, head)
        })?;
        self.insert(
            stream,
            Exchange::opened(grant, end, self.limits.stream_credit),
        );
        Ok(stream)
    }

    /// Whether any exchange may be begun now.
    ///
    /// # Panics
    ///
    /// At a worker.
    pub(super) fn check_open(&self) -> Result<(), OpenError> {
        assert_eq!(
            self.role,
            Role::Controller,
            "only the controller begins exchanges"
        );
        if self.is_closed() {
            return Err(OpenError::Closed);
        }
        let bytes = self.outbox.frame_bytes();
        if bytes >= self.limits.heads_bytes_max() {
            return Err(OpenError::QueueFull { bytes });
        }
        Ok(())
    }

    pub(super) fn free_stream(&mut self) -> StreamId {
        loop {
            let number = self.next_stream;
            self.next_stream = number.wrapping_add(1);
            if let Some(stream) = StreamId::new(number)
                && !self.table.contains_key(&stream)
            {
                return stream;
            }
        }
    }

    /// Queues the answer of an exchange, when there is room. `head` appends the response's head
    /// and the first content; with `end` that is all of it.
    ///
    /// # Errors
    ///
    /// When the exchange ended or was answered before, or the head with its content is too long.
    /// Nothing is queued then.
    ///
    /// # Panics
    ///
    /// At a controller.
    pub fn poll_respond(
        &mut self,
        stream: StreamId,
        context: &Context<'_>,
        end: bool,
        head: impl FnOnce(&mut BytesMut),
    ) -> Poll<Result<(), RespondError>> {
        assert_eq!(self.role, Role::Worker, "only a worker answers exchanges");
        let Some(exchange) = self.table.get_mut(&stream) else {
            return Poll::Ready(Err(RespondError::Ended(Ended::Over)));
        };
        if let Some(ended) = exchange.ended() {
            return Poll::Ready(Err(RespondError::Ended(ended.clone())));
        }
        if !exchange.sending.awaits_head() {
            return Poll::Ready(Err(RespondError::Repeated));
        }
        if self.outbox.frame_bytes() >= self.limits.heads_bytes_max() {
            self.outbox.head_waits();
            return exchange.sending.wait(context, &mut self.wakers);
        }
        self.push_head(0, |buffer| encode::response(buffer, stream, end, head))
            .map_err(|TooLong { bytes, bytes_max }| RespondError::TooLong { bytes, bytes_max })?;
        self.answered(stream, end);
        Poll::Ready(Ok(()))
    }

    fn answered(&mut self, stream: StreamId, end: bool) {
        let exchange = self
            .table
            .get_mut(&stream)
            .expect("it was found before its head");
        exchange.sending.answered(end, &mut self.wakers);
        if exchange.is_over() {
            self.clear_over(stream);
        }
    }

    /// Queues a frame that begins one direction of an exchange, unless what lies behind its
    /// `fixed_bytes` is longer than a peer would take.
    pub(super) fn push_head(
        &mut self,
        fixed_bytes: usize,
        write: impl FnOnce(&mut BytesMut),
    ) -> Result<(), TooLong> {
        let before = self.outbox.frame_bytes();
        let buffer = self.outbox.buffer();
        write(buffer);
        let bytes = buffer.len() - before - HEADER_BYTES - fixed_bytes;
        let bytes_max = self.limits.first_bytes_max();
        if bytes > bytes_max {
            buffer.truncate(before);
            return Err(TooLong { bytes, bytes_max });
        }
        self.outbox.wake(&mut self.wakers);
        Ok(())
    }
}

/// A head and the content behind it are longer than a peer would take.
pub(super) struct TooLong {
    bytes: usize,
    bytes_max: usize,
}

impl From<TooLong> for OpenError {
    fn from(TooLong { bytes, bytes_max }: TooLong) -> Self {
        Self::TooLong { bytes, bytes_max }
    }
}
