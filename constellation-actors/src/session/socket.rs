//! A worker's websocket below its dialect: messages in, messages out, pings, the closing.
//!
//! The outgoing half is the body of the 101 response and the incoming half its request's payload,
//! so the session that feeds them is no part of the connection's own task and cannot freeze with
//! a blocked socket.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use actix_http::ws::{CloseCode, CloseReason, Codec, Frame, Item, OpCode, ProtocolError};
use actix_web::dev::Payload;
use bytes::{BufMut, Bytes, BytesMut};
use futures::Stream;

use super::wire::Wire;

/// The most pongs that wait to be sent; a worker that pings faster gets the newest ones.
const PONGS_MAX: usize = 8;

/// A whole message that a worker sent.
#[derive(Debug)]
pub(crate) enum Message {
    Text(Bytes),
    Binary(Bytes),
    Ping(Bytes),
    Pong,
    Close,
}

/// Why a worker's websocket cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error("the websocket is broken: {0}")]
    Protocol(ProtocolError),
    #[error("a message is longer than {bytes_max} bytes")]
    TooLong { bytes_max: usize },
    #[error("the connection failed: {0}")]
    Connection(actix_web::error::PayloadError),
}

/// The messages of a worker, fragments joined.
pub(crate) struct Incoming {
    payload: Payload,
    codec: Codec,
    buffer: BytesMut,
    joined: Option<Joined>,
    bytes_max: usize,
}

/// The fragments of a message so far.
struct Joined {
    text: bool,
    bytes: BytesMut,
}

impl Incoming {
    pub(crate) fn new(payload: Payload, bytes_max: usize) -> Self {
        let codec = Codec::new().max_size(bytes_max);
        Self {
            payload,
            codec,
            buffer: BytesMut::new(),
            joined: None,
            bytes_max,
        }
    }

    /// The next message that is complete in the buffer.
    fn next_buffered(&mut self) -> Result<Option<Message>, SocketError> {
        use actix_codec::Decoder;

        loop {
            // The codec looks at the limit only when it has the whole frame.
            let bytes_max = self.bytes_max;
            if declared_length(&self.buffer).is_some_and(|length| length > bytes_max as u64) {
                return Err(SocketError::TooLong { bytes_max });
            }
            let frame = self
                .codec
                .decode(&mut self.buffer)
                .map_err(SocketError::Protocol)?;
            let Some(frame) = frame else { return Ok(None) };
            let message = match frame {
                Frame::Text(bytes) => Message::Text(bytes),
                Frame::Binary(bytes) => Message::Binary(bytes),
                Frame::Ping(bytes) => Message::Ping(bytes),
                Frame::Pong(_) => Message::Pong,
                Frame::Close(_) => Message::Close,
                Frame::Continuation(item) => match self.join(item)? {
                    Some(message) => message,
                    None => continue,
                },
            };
            return Ok(Some(message));
        }
    }

    fn join(&mut self, item: Item) -> Result<Option<Message>, SocketError> {
        let (bytes, last) = match item {
            Item::FirstText(bytes) => {
                self.joined = Some(Joined {
                    text: true,
                    bytes: BytesMut::new(),
                });
                (bytes, false)
            }
            Item::FirstBinary(bytes) => {
                self.joined = Some(Joined {
                    text: false,
                    bytes: BytesMut::new(),
                });
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        let started = SocketError::Protocol(ProtocolError::ContinuationNotStarted);
        let joined = self.joined.as_mut().ok_or(started)?;
        if joined.bytes.len() + bytes.len() > self.bytes_max {
            return Err(SocketError::TooLong {
                bytes_max: self.bytes_max,
            });
        }
        joined.bytes.extend_from_slice(&bytes);
        if !last {
            return Ok(None);
        }
        Ok(self.joined.take().map(|Joined { text, bytes }| {
            let bytes = bytes.freeze();
            if text {
                Message::Text(bytes)
            } else {
                Message::Binary(bytes)
            }
        }))
    }
}

impl Stream for Incoming {
    type Item = Result<Message, SocketError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match this.next_buffered() {
                Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            match Pin::new(&mut this.payload).poll_next(context) {
                Poll::Ready(Some(Ok(chunk))) if this.buffer.is_empty() => {
                    this.buffer = chunk
                        .try_into_mut()
                        .unwrap_or_else(|chunk| chunk[..].into());
                }
                Poll::Ready(Some(Ok(chunk))) => this.buffer.extend_from_slice(&chunk),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(SocketError::Connection(error))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
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
    reason: Option<CloseReason>,
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
        // A control frame has at most 125 bytes of payload (RFC 6455, section 5.5), code included.
        let description = description.chars().take(100).collect::<String>();
        state
            .reason
            .get_or_insert_with(|| CloseReason::from((code, description)));
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

    fn reason(&self) -> Option<CloseReason> {
        self.lock().reason.clone()
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
pub(super) type Outbound = (OpCode, Bytes);

/// The body of the 101 response: everything the controller sends to one worker.
pub(crate) struct Outgoing {
    wire: Arc<Wire>,
    payload: Option<Bytes>,
    closed: bool,
}

impl Outgoing {
    pub(crate) fn new(wire: Arc<Wire>) -> Self {
        Self {
            wire,
            payload: None,
            closed: false,
        }
    }

    /// The head of a message; its payload is the chunk after it.
    fn begin(&mut self, (kind, payload): Outbound) -> Bytes {
        let head = message_head(kind, payload.len());
        self.payload = (!payload.is_empty()).then_some(payload);
        head
    }
}

impl Stream for Outgoing {
    type Item = Result<Bytes, Aborted>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(payload) = this.payload.take() {
            return Poll::Ready(Some(Ok(payload)));
        }
        if this.closed {
            return Poll::Ready(None);
        }
        match this.wire.closing().poll(context) {
            Err(aborted) => return Poll::Ready(Some(Err(aborted))),
            Ok(Some(pong)) => return Poll::Ready(Some(Ok(this.begin((OpCode::Pong, pong))))),
            Ok(None) => {}
        }
        match this.wire.poll_outbound(context) {
            Poll::Ready(Some(outbound)) => Poll::Ready(Some(Ok(this.begin(outbound)))),
            Poll::Ready(None) => {
                this.closed = true;
                let mut frame = BytesMut::new();
                actix_http::ws::Parser::write_close(
                    &mut frame,
                    this.wire.closing().reason(),
                    false,
                );
                Poll::Ready(Some(Ok(frame.freeze())))
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

/// The payload length of the frame that begins here, once that much of it has come (RFC 6455,
/// section 5.2).
fn declared_length(frame: &[u8]) -> Option<u64> {
    match frame.get(1)? & 0x7f {
        126 => frame
            .get(2..4)?
            .try_into()
            .ok()
            .map(|bytes| u16::from_be_bytes(bytes).into()),
        127 => frame.get(2..10)?.try_into().ok().map(u64::from_be_bytes),
        length => Some(length.into()),
    }
}

/// The head of an unfragmented, unmasked frame (RFC 6455, section 5.2).
fn message_head(kind: OpCode, length: usize) -> Bytes {
    const FINAL: u8 = 0x80;
    let mut head = BytesMut::with_capacity(10);
    head.put_u8(FINAL | u8::from(kind));
    match length {
        0..=125 => head.put_u8(length as u8),
        126..=0xffff => {
            head.put_u8(126);
            head.put_u16(length as u16);
        }
        _ => {
            head.put_u8(127);
            head.put_u64(length as u64);
        }
    }
    head.freeze()
}

#[cfg(test)]
mod tests {
    use actix_codec::Decoder;

    use super::*;

    #[test]
    fn a_message_of_any_length_is_read_as_it_was_written() {
        for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 100_000] {
            let mut bytes = BytesMut::from(&message_head(OpCode::Binary, length)[..]);
            bytes.resize(bytes.len() + length, 7);
            assert_eq!(declared_length(&bytes), Some(length as u64));
            let mut codec = Codec::new().client_mode().max_size(1 << 20);
            let frame = codec.decode(&mut bytes).unwrap();
            let Some(Frame::Binary(payload)) = frame else {
                panic!("{frame:?} for {length}")
            };
            assert_eq!((payload.len(), bytes.len()), (length, 0));
        }
    }
}
