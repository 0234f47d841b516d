//! A websocket that gets back what it sends: frames in, frames out, pings answered, the closing
//! answered. It keeps one frame at a time.

use std::pin::pin;

use actix_codec::Decoder;
use actix_http::ws::{CloseReason, Codec, Frame, Item, OpCode, Parser};
use bytes::{Bytes, BytesMut};
use constellation_client::{Body, Grant, HandlerError, Request, Response};
use futures::{
    future::{Either, pending, select},
    stream,
};

use crate::echo::Unfinished;

/// The longest frame that is taken, in bytes.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// The text that is sent when the key is given back.
const GOODBYE: &[u8] = b"goodbye";

/// One websocket.
struct Socket {
    body: Body,
    codec: Codec,
    incoming: BytesMut,
    outgoing: BytesMut,
    /// Whose key is given back before the goodbye is said; `None` when it is not to be said.
    polite: Option<Grant>,
    closed: bool,
    unfinished: Unfinished,
}

/// Answers a request that was `accepted` as a websocket. The log tells of one that ends without a
/// Close frame.
pub(crate) fn echo(request: Request, accepted: Response, goodbye: bool) -> Response {
    let socket = Socket {
        codec: Codec::new().max_size(FRAME_BYTES_MAX),
        incoming: BytesMut::new(),
        outgoing: BytesMut::new(),
        polite: goodbye.then(|| request.grant().clone()),
        closed: false,
        unfinished: Unfinished::new(&request),
        body: request.into_body(),
    };
    accepted.stream(stream::unfold(socket, async |mut socket| {
        match socket.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), socket)),
            Ok(None) => {
                if socket.closed {
                    socket.unfinished.finish();
                }
                None
            }
            Err(error) => Some((Err(error), socket)),
        }
    }))
}

impl Socket {
    /// What to send next; `None` when both sides have closed, or the client has gone.
    async fn next(&mut self) -> Result<Option<Bytes>, HandlerError> {
        loop {
            while !self.closed
                && let Some(frame) = self.codec.decode(&mut self.incoming)?
            {
                self.answer(frame);
            }
            if !self.outgoing.is_empty() {
                return Ok(Some(self.outgoing.split().freeze()));
            }
            if self.closed {
                return Ok(None);
            }
            match self.receive().await {
                Some(bytes) => self.incoming.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }

    /// The client's next bytes; none when there is a goodbye to say. `None` when it has gone.
    async fn receive(&mut self) -> Option<Bytes> {
        let polite = self.polite.clone();
        let leaving = pin!(async {
            match polite {
                Some(grant) => grant.leaving().await,
                None => pending().await,
            }
        });
        let received = match select(pin!(self.body.next()), leaving).await {
            Either::Left((bytes, _)) => Some(bytes),
            Either::Right(((), _)) => None,
        };
        if let Some(bytes) = received {
            return bytes?.ok();
        }
        self.polite = None;
        self.write(GOODBYE, OpCode::Text, true);
        Some(Bytes::new())
    }

    fn answer(&mut self, frame: Frame) {
        match frame {
            Frame::Text(bytes) => self.write(&bytes, OpCode::Text, true),
            Frame::Binary(bytes) => self.write(&bytes, OpCode::Binary, true),
            Frame::Continuation(Item::FirstText(bytes)) => self.write(&bytes, OpCode::Text, false),
            Frame::Continuation(Item::FirstBinary(bytes)) => {
                self.write(&bytes, OpCode::Binary, false);
            }
            Frame::Continuation(Item::Continue(bytes)) => {
                self.write(&bytes, OpCode::Continue, false);
            }
            Frame::Continuation(Item::Last(bytes)) => self.write(&bytes, OpCode::Continue, true),
            Frame::Ping(bytes) => self.write(&bytes, OpCode::Pong, true),
            Frame::Pong(_) => {}
            Frame::Close(reason) => self.close(reason),
        }
    }

    fn close(&mut self, reason: Option<CloseReason>) {
        Parser::write_close(&mut self.outgoing, reason, false);
        self.closed = true;
    }

    fn write(&mut self, payload: &[u8], kind: OpCode, last: bool) {
        Parser::write_message(&mut self.outgoing, payload, kind, last, false);
    }
}
