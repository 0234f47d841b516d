//! What tunnels need besides: their beginning, an end that leaves what came before to its reader,
//! and the wait until everything is on its way. Never looks into what passes.
//!
//! A tunnel is an exchange whose request asked for an upgrade and whose response was 101: from then
//! on either direction is raw bytes. Until that response, and with any other, it is an exchange
//! like others, but for its credit and the limit it counts against.

use std::task::{Context, Poll};

use bytes::BytesMut;

use super::{Mux, error::OpenError, event::Ended, exchange::Exchange};
use crate::{
    placement::{epoch::Epoch, grant::GrantId},
    protocol::frame::{GRANT_BYTES, StreamId, code::ResetCode, encode},
};

impl Mux {
    /// How many exchanges are or may become tunnels.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        self.tunnels.len()
    }

    /// Begins an exchange under `grant`, which names a pin of `epoch`, that becomes a tunnel if its
    /// answer is 101. `head` appends the request's head. Send no content before that answer.
    ///
    /// A RELEASED of that epoch ends it: what came before stays readable, what comes behind, in the
    /// same message or later, is not taken in.
    ///
    /// # Errors
    ///
    /// When the session is closed, a limit is reached, or the head is too long. Nothing is queued
    /// then.
    ///
    /// # Panics
    ///
    /// At a worker.
    pub fn open_tunnel(
        &mut self,
        grant: GrantId,
        epoch: Epoch,
        head: impl FnOnce(&mut BytesMut),
    ) -> Result<StreamId, OpenError> {
        self.check_open()?;
        let tunnels = self.tunnels();
        if tunnels >= self.limits.tunnels_max as usize {
            return Err(OpenError::TunnelsFull { tunnels });
        }
        let stream = self.free_stream();
        self.push_head(GRANT_BYTES, |buffer| {
            encode::upgrade(buffer, stream, grant, head)
        })?;
        let exchange = Exchange::opened_tunnel(grant, epoch, self.limits.tunnel_credit);
        self.insert(stream, exchange);
        Ok(stream)
    }

    pub(super) fn insert(&mut self, stream: StreamId, exchange: Exchange) {
        if let Some(epoch) = exchange.tunnel() {
            self.tunnels.insert((epoch, stream));
        }
        self.table.insert(stream, exchange);
    }

    /// Ends an exchange in both directions and tells the peer, as [`reset`](Self::reset) does, but
    /// leaves what has come through a tunnel to its reader, who then learns that it is
    /// [over](Ended::Over). Nothing that comes later is taken in. Does nothing for an exchange that
    /// ended before.
    ///
    /// For somebody who is not the owner of the exchange; the owner still closes it.
    pub fn sever(&mut self, stream: StreamId, code: ResetCode, reason: &str) {
        self.end_in_place(stream, Ended::Over, code, reason);
    }

    /// The worker has let go of whatever it held under `epoch`.
    pub(super) fn release_tunnels(&mut self, epoch: Epoch) {
        let first = StreamId::new(1).expect("one is not zero");
        let last = StreamId::new(u32::MAX).expect("it is not zero");
        let range = (epoch, first)..=(epoch, last);
        let streams: Vec<_> = self
            .tunnels
            .range(range)
            .map(|(_, stream)| *stream)
            .collect();
        for stream in streams {
            let (code, reason) = (ResetCode::Moved, "the key was released");
            let ended = Ended::Reset {
                code,
                reason: reason.to_owned(),
            };
            self.end_in_place(stream, ended, code, reason);
        }
    }

    fn end_in_place(&mut self, stream: StreamId, ended: Ended, code: ResetCode, reason: &str) {
        let live = self.table.get_mut(&stream).filter(|it| it.is_live());
        let Some(exchange) = live else { return };
        let told = exchange.is_complete();
        let in_line = exchange.sending.leave_line();
        let remains = exchange.end(ended, &mut self.wakers);
        self.clear_away(stream, in_line, remains);
        if !told {
            self.answer_reset(stream, code, reason);
        }
    }

    /// Waits until everything that [`poll_content`](Self::poll_content) took in is written, or
    /// never will be. Whoever sends waits here; nobody else may send meanwhile.
    pub fn poll_sent(&mut self, stream: StreamId, context: &Context<'_>) -> Poll<()> {
        match self.table.get_mut(&stream) {
            Some(exchange) if !exchange.sending.has_sent() => {
                exchange.sending.wait(context, &mut self.wakers)
            }
            Some(_) | None => Poll::Ready(()),
        }
    }
}
