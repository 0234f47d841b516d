//! A worker's websocket below its dialect: messages in, messages out, pings, the closing.
//!
//! The outgoing half is the body of the 101 response and the incoming half its request's payload,
//! so the session that feeds them is no part of the connection's own task and cannot freeze with
//! a blocked socket.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use actix_http::ws::CloseCode;
use actix_web::dev::Payload;
use bytes::{Bytes, BytesMut};
use futures::Stream;

use super::wire::Wire;
use crate::protocol::{
    mux::parts::Parts,
    websocket::{
        close_payload,
        head::{HEAD_BYTES_MAX, Head, Opcode},
        reader::{Message, ReadError, Reader},
    },
};

/// The most pongs that wait to be sent; a worker that pings faster gets the newest ones.
const PONGS_MAX: usize = 8;

/// Why a worker's websocket cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error("the websocket is broken: {0}")]
    Protocol(ReadError),
    #[error("the connection failed: {0}")]
    Connection(actix_web::error::PayloadError),
}

/// The messages of a worker.
pub(crate) struct Incoming {
    payload: Payload,
    reader: Reader,
    /// What has come and is not read.
    rest: Bytes,
}

impl Incoming {
    pub(crate) fn new(payload: Payload, bytes_max: usize) -> Self {
        Self {
            payload,
            reader: Reader::new(bytes_max),
            rest: Bytes::new(),
        }
    }
}

impl Stream for Incoming {
    type Item = Result<Message, SocketError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let read = this.reader.read(&mut this.rest);
            if let Some(message) = read.map_err(SocketError::Protocol).transpose() {
                return Poll::Ready(Some(message));
            }
            // The memory goes back before anything further is read into it.
            this.rest = Bytes::new();
            match ready!(Pin::new(&mut this.payload).poll_next(context)) {
                Some(Ok(bytes)) => this.rest = bytes,
                Some(Err(error)) => return Poll::Ready(Some(Err(SocketError::Connection(error)))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// What a socket sends besides the messages of its dialect, and how it ends.
#[derive(Debug, Default)]
pub(super) struct Closing {
    state: Mutex<ClosingState>,
}

#[derive(Debug, Default)]
struct ClosingState {
    pongs: VecDeque<Bytes>,
    /// The payload of the Close frame.
    reason: Option<Bytes>,
    aborted: bool,
    writer: Option<Waker>,
}

impl Closing {
    fn lock(&self) -> MutexGuard<'_, ClosingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pong(&self, payload: Bytes) {
        let mut state = self.lock();
        if state.pongs.len() == PONGS_MAX {
            state.pongs.pop_front();
        }
        state.pongs.push_back(payload);
        state.wake();
    }

    /// The reason that the Close frame gives once everything queued is out. The first one stays.
    pub(super) fn close(&self, code: CloseCode, description: &str) {
        let mut state = self.lock();
        state
            .reason
            .get_or_insert_with(|| close_payload(code.into(), description));
        state.wake();
    }

    /// Ends the connection without waiting for anything queued.
    pub(super) fn abort(&self) {
        let mut state = self.lock();
        state.aborted = true;
        state.wake();
    }

    fn poll(&self, context: &Context<'_>) -> Result<Option<Bytes>, Aborted> {
        let mut state = self.lock();
        if state.aborted {
            return Err(Aborted);
        }
        if !state
            .writer
            .as_ref()
            .is_some_and(|writer| writer.will_wake(context.waker()))
        {
            state.writer = Some(context.waker().clone());
        }
        Ok(state.pongs.pop_front())
    }

    fn reason(&self) -> Bytes {
        self.lock().reason.clone().unwrap_or_default()
    }
}

impl ClosingState {
    fn wake(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

/// The connection is ended without ceremony.
#[derive(Debug, thiserror::Error)]
#[error("the session is over")]
pub(crate) struct Aborted;

/// A message's kind and payload, as a dialect wants it sent.
pub(super) type Outbound = (Opcode, Parts);

/// The body of the 101 response: everything the controller sends to one worker.
pub(crate) struct Outgoing {
    wire: Arc<Wire>,
    /// What is still to be sent of a message.
    parts: Parts,
    closed: bool,
}

impl Outgoing {
    pub(crate) fn new(wire: Arc<Wire>) -> Self {
        Self {
            wire,
            parts: Parts::default(),
            closed: false,
        }
    }

    /// The head of a message; the parts of its payload are the chunks after it.
    fn begin(&mut self, (kind, parts): Outbound) -> Bytes {
        let mut head = BytesMut::with_capacity(HEAD_BYTES_MAX);
        Head::whole(kind, None, parts.len()).write(&mut head);
        self.parts = parts;
        head.freeze()
    }
}

impl Stream for Outgoing {
    type Item = Result<Bytes, Aborted>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(part) = this.parts.pop() {
            return Poll::Ready(Some(Ok(part)));
        }
        if this.closed {
            return Poll::Ready(None);
        }
        match this.wire.closing().poll(context) {
            Err(aborted) => return Poll::Ready(Some(Err(aborted))),
            Ok(Some(pong)) => {
                return Poll::Ready(Some(Ok(this.begin((Opcode::Pong, pong.into())))));
            }
            Ok(None) => {}
        }
        match this.wire.poll_outbound(context) {
            Poll::Ready(Some(outbound)) => Poll::Ready(Some(Ok(this.begin(outbound)))),
            Poll::Ready(None) => {
                this.closed = true;
                let reason = this.wire.closing().reason();
                Poll::Ready(Some(Ok(this.begin((Opcode::Close, reason.into())))))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.wire.lose();
    }
}

#[cfg(test)]
mod tests {
    use actix_codec::{Decoder, Encoder};
    use actix_http::ws::{self, Codec};

    use super::*;

    const LENGTHS: [usize; 9] = [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 100_000, 1_000_000];

    #[test]
    fn a_client_reads_messages_of_any_length_as_they_were_written() {
        for length in LENGTHS {
            let mut bytes = BytesMut::new();
            Head::whole(Opcode::Binary, None, length).write(&mut bytes);
            bytes.resize(bytes.len() + length, 7);
            let mut codec = Codec::new().client_mode().max_size(1 << 20);
            let frame = codec.decode(&mut bytes).unwrap();
            let Some(ws::Frame::Binary(payload)) = frame else {
                panic!("{frame:?} for {length}")
            };
            assert_eq!((payload.len(), bytes.len()), (length, 0));
        }
    }

    #[test]
    fn messages_of_any_length_are_read_as_a_client_wrote_them() {
        let mut codec = Codec::new().client_mode();
        let mut reader = Reader::new(1 << 20);
        for length in LENGTHS {
            let payload = Bytes::from_iter((0..=u8::MAX).cycle().take(length));
            let mut bytes = BytesMut::new();
            let message = ws::Message::Binary(payload.clone());
            codec.encode(message, &mut bytes).unwrap();
            let mut input = bytes.freeze();
            let read = reader.read(&mut input).unwrap();
            assert_eq!(read, Some(Message::Binary(payload)), "{length}");
            assert!(input.is_empty());
        }
    }
}
