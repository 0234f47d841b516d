//! The websocket to a controller: whole messages in, whole messages out, pings answered. It carries
//! bytes and never looks into them.

use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_codec::{AsyncRead, AsyncWrite, Decoder};
use actix_http::ws::{CloseCode, CloseReason, Codec, Frame, Item, ProtocolError};
use actix_rt::net::TcpStream;
use actix_service::ServiceExt;
use actix_tls::connect::{Connection as TcpConnection, Connector as TcpConnector};
use awc::{
    BoxedSocket, Client, Connector,
    error::{SendRequestError, WsClientError},
    http::{Uri, header},
};
use bytes::{Buf, Bytes, BytesMut};
use constellation_actors::protocol::{
    handshake::SUBPROTOCOL,
    mux::parts::Parts,
    websocket::{
        close_payload,
        head::{HEAD_BYTES_MAX, Head, HeadError, Opcode},
        mask::Mask,
    },
};
use tokio::io::AsyncReadExt;

use crate::settings::{ControllerUrl, Token};

/// The longest message that is taken, in bytes; the most that a controller may announce.
pub(crate) const MESSAGE_BYTES_MAX: u32 = 1024 * 1024;

/// How long name resolution, the TCP connection and the upgrade may take, together.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How much memory is there to read into, at least; less than this is not worth a system call.
const READ_BYTES_MIN: usize = 1024;

/// How much new memory is taken to read into, unless the rest of a message is longer.
const READ_BYTES: usize = 8 * 1024;

/// The bytes that wait to be sent above which no further message joins them.
const QUEUED_BYTES_MAX: usize = 8 * 1024;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the connection failed: {0}")]
    Connect(String),
    #[error("the controller refuses this worker with status {status}{}", hint(*status))]
    Refused { status: u16 },
    #[error("the server does not speak {SUBPROTOCOL}")]
    OtherDialect,
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "; is the token one of the controller's?",
        404 => "; is this the workers' port?",
        _ => "",
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error("the controller closed the connection: {0}")]
    Closed(String),
    #[error("the connection was lost")]
    Lost,
    #[error("the websocket is broken: {0}")]
    Broken(ProtocolError),
    #[error("the websocket is broken: {0}")]
    BrokenHead(HeadError),
    #[error("the connection failed: {0}")]
    Failed(io::Error),
    #[error("a message has more than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
    #[error("a text message, where all are binary")]
    Text,
}

/// An open websocket.
///
/// The library's codec reads messages, without copying them. What is sent is masked here, while it is
/// copied to where it is sent from.
pub(crate) struct Socket<Io = BoxedSocket> {
    io: Io,
    codec: Codec,
    /// What came and is not read.
    received: BytesMut,
    /// What is to be sent.
    queued: BytesMut,
    /// The fragments of a message so far.
    fragments: Option<BytesMut>,
}

impl Socket {
    /// Connects to the workers' endpoint of a controller.
    pub(crate) async fn connect(
        url: &ControllerUrl,
        token: Option<&Token>,
    ) -> Result<Self, DialError> {
        let mut request = client()
            .ws(url.uri().clone())
            .protocols([SUBPROTOCOL])
            .max_frame_size(MESSAGE_BYTES_MAX as usize);
        if let Some(token) = token {
            request = request.set_header(header::AUTHORIZATION, token.header());
        }
        let connecting = tokio::time::timeout(CONNECT_WITHIN, request.connect());
        let (response, framed) = match connecting.await {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return Err(dial_error(&error)),
            Err(_elapsed) => {
                return Err(DialError::Connect(format!("not within {CONNECT_WITHIN:?}")));
            }
        };
        let dialect = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
        if dialect.is_none_or(|dialect| dialect != SUBPROTOCOL) {
            return Err(DialError::OtherDialect);
        }
        let parts = framed.into_parts();
        Ok(Self {
            io: parts.io,
            codec: parts.codec,
            received: parts.read_buf,
            queued: parts.write_buf,
            fragments: None,
        })
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Socket<Io> {
    /// The next whole message.
    pub(crate) fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Bytes, SocketError>> {
        loop {
            match ready!(self.poll_frame(context))? {
                Frame::Binary(bytes) => return Poll::Ready(Ok(bytes)),
                Frame::Text(_) => return Poll::Ready(Err(SocketError::Text)),
                // While nothing can be sent, pings are not worth keeping.
                Frame::Ping(_) if self.is_full() => {}
                Frame::Ping(payload) => self.put(Opcode::Pong, payload.into()),
                Frame::Pong(_) => {}
                Frame::Close(reason) => {
                    return Poll::Ready(Err(SocketError::Closed(words(reason.as_ref()))));
                }
                Frame::Continuation(item) => {
                    if let Some(whole) = self.join(item)? {
                        return Poll::Ready(Ok(whole));
                    }
                }
            }
        }
    }

    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Result<Frame, SocketError>> {
        loop {
            // Before the codec, which looks at limits only when it has the whole frame.
            let missing = self.missing_bytes()?;
            let spare = self.received.capacity() - self.received.len();
            if missing > 0 && spare < missing.max(READ_BYTES_MIN) {
                self.received.reserve(missing.max(READ_BYTES));
            }
            if let Some(frame) = self.codec.decode(&mut self.received)? {
                return Poll::Ready(Ok(frame));
            }
            let reading = pin!(self.io.read_buf(&mut self.received));
            match ready!(reading.poll(context)).map_err(SocketError::Failed)? {
                0 => return Poll::Ready(Err(SocketError::Lost)),
                _more => {}
            }
        }
    }

    /// How many bytes at least are missing of the next frame.
    fn missing_bytes(&self) -> Result<usize, SocketError> {
        let head = Head::read(&self.received).map_err(SocketError::BrokenHead)?;
        let Some((head, head_bytes)) = head else {
            return Ok(1);
        };
        match u32::try_from(head.length) {
            Ok(length @ ..=MESSAGE_BYTES_MAX) => {
                Ok((head_bytes + length as usize).saturating_sub(self.received.len()))
            }
            Ok(_) | Err(_) => Err(SocketError::TooLong),
        }
    }

    fn join(&mut self, item: Item) -> Result<Option<Bytes>, SocketError> {
        let (part, last) = match item {
            Item::FirstText(_) => return Err(SocketError::Text),
            Item::FirstBinary(part) => {
                self.fragments = Some(BytesMut::new());
                (part, false)
            }
            Item::Continue(part) => (part, false),
            Item::Last(part) => (part, true),
        };
        let Some(fragments) = &mut self.fragments else {
            return Err(SocketError::Broken(ProtocolError::ContinuationNotStarted));
        };
        if fragments.len() + part.len() > MESSAGE_BYTES_MAX as usize {
            return Err(SocketError::TooLong);
        }
        fragments.extend_from_slice(&part);
        Ok(if last {
            self.fragments.take().map(BytesMut::freeze)
        } else {
            None
        })
    }

    /// Waits until there is room for another message.
    pub(crate) fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<Result<(), SocketError>> {
        if self.is_full() {
            self.poll_flush(context)
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn is_full(&self) -> bool {
        self.queued.len() >= QUEUED_BYTES_MAX
    }

    /// Writes a message into the buffer.
    pub(crate) fn put_binary(&mut self, payload: Parts) {
        self.put(Opcode::Binary, payload);
    }

    /// Writes a Close frame into the buffer.
    pub(crate) fn put_close(&mut self, words: &str) {
        let payload = close_payload(CloseCode::Normal.into(), words);
        self.put(Opcode::Close, payload.into());
    }

    fn put(&mut self, opcode: Opcode, mut payload: Parts) {
        let key = rand::random();
        self.queued.reserve(HEAD_BYTES_MAX + payload.len());
        Head::whole(opcode, Some(key), payload.len()).write(&mut self.queued);
        let mut mask = Mask::new(key);
        while let Some(part) = payload.pop() {
            mask.copy(&part, &mut self.queued);
        }
    }

    /// Sends what is in the buffer.
    pub(crate) fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SocketError>> {
        while !self.queued.is_empty() {
            let written = Pin::new(&mut self.io).poll_write(context, &self.queued);
            match ready!(written).map_err(SocketError::Failed)? {
                0 => return Poll::Ready(Err(SocketError::Lost)),
                bytes => self.queued.advance(bytes),
            }
        }
        Pin::new(&mut self.io)
            .poll_flush(context)
            .map_err(SocketError::Failed)
    }
}

impl From<ProtocolError> for SocketError {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Io(error) => Self::Failed(error),
            ProtocolError::Overflow => Self::TooLong,
            error => Self::Broken(error),
        }
    }
}

fn words(reason: Option<&CloseReason>) -> String {
    match reason {
        None => "without a reason".to_owned(),
        Some(CloseReason { code, description }) => {
            format!(
                "{} {}",
                u16::from(*code),
                description.as_deref().unwrap_or_default()
            )
        }
    }
}

fn dial_error(error: &WsClientError) -> DialError {
    match error {
        WsClientError::InvalidResponseStatus(status) => DialError::Refused {
            status: status.as_u16(),
        },
        WsClientError::SendRequest(SendRequestError::Connect(error)) => {
            DialError::Connect(error.to_string())
        }
        error => DialError::Connect(error.to_string()),
    }
}

/// A client for one connection, with small writes sent at once: the library joins them by itself.
fn client() -> Client {
    let tcp = TcpConnector::default()
        .service()
        .map(|connection: TcpConnection<Uri, TcpStream>| {
            if let Err(error) = connection.io_ref().set_nodelay(true) {
                log::warn!(error:%; "TCP_NODELAY cannot be set, small messages may be delayed");
            }
            connection
        });
    // An `Rc` makes the mapped service one that can be cloned, as the client wants it.
    let connector = Connector::new()
        .timeout(CONNECT_WITHIN)
        .connector(Rc::new(tcp));
    Client::builder()
        .timeout(CONNECT_WITHIN)
        .connector(connector)
        .finish()
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use actix_codec::Encoder;
    use actix_http::ws::{Item, Message};
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// A socket, and the controller's end of its connection, which holds `bytes_max` at a time.
    fn connected(bytes_max: usize) -> (Socket<DuplexStream>, DuplexStream) {
        let (io, controller) = duplex(bytes_max);
        let socket = Socket {
            io,
            codec: Codec::new()
                .client_mode()
                .max_size(MESSAGE_BYTES_MAX as usize),
            received: BytesMut::new(),
            queued: BytesMut::new(),
            fragments: None,
        };
        (socket, controller)
    }

    async fn message(socket: &mut Socket<DuplexStream>) -> Result<Bytes, SocketError> {
        poll_fn(|context| socket.poll_message(context)).await
    }

    /// What a controller's frames look like.
    fn frames(messages: impl IntoIterator<Item = Message>) -> BytesMut {
        let (mut codec, mut bytes) = (Codec::new(), BytesMut::new());
        for message in messages {
            codec.encode(message, &mut bytes).unwrap();
        }
        bytes
    }

    fn long(length: usize) -> Bytes {
        (0..=u8::MAX).cycle().take(length).collect()
    }

    #[actix_rt::test]
    async fn messages_are_whole_however_their_bytes_come() {
        let sent = [
            Message::Binary(long(3)),
            Message::Ping(Bytes::from_static(b"?")),
            Message::Continuation(Item::FirstBinary(long(10))),
            Message::Pong(Bytes::new()),
            Message::Continuation(Item::Last(long(20_000))),
            Message::Binary(Bytes::new()),
            Message::Binary(long(100_000)),
            Message::Close(None),
        ];
        let bytes = frames(sent);
        for bytes_max in [1, 7, 4096, 1 << 20] {
            let (mut socket, mut controller) = connected(bytes_max);
            let bytes = bytes.clone();
            actix_rt::spawn(async move { controller.write_all(&bytes).await });
            assert_eq!(message(&mut socket).await.unwrap(), long(3));
            let joined = [long(10), long(20_000)].concat();
            assert_eq!(message(&mut socket).await.unwrap(), joined);
            assert_eq!(message(&mut socket).await.unwrap(), "");
            assert_eq!(message(&mut socket).await.unwrap(), long(100_000));
            let closed = message(&mut socket).await.unwrap_err();
            assert!(matches!(closed, SocketError::Closed(_)), "{closed}");
        }
    }

    #[actix_rt::test]
    async fn what_is_sent_is_masked_and_whole_however_little_the_system_takes() {
        for bytes_max in [1, 7, 4096, 1 << 20] {
            let (mut socket, mut controller) = connected(bytes_max);
            actix_rt::spawn(async move {
                socket.put_binary(long(100_000).into());
                socket.put(Opcode::Pong, Bytes::from_static(b"!").into());
                socket.put_close(&"\u{e9}".repeat(200));
                poll_fn(|context| socket.poll_flush(context)).await.unwrap();
            });
            let mut received = BytesMut::new();
            while controller.read_buf(&mut received).await.unwrap() > 0 {}
            let mut codec = Codec::new().max_size(1 << 20);
            let mut next = || codec.decode(&mut received).unwrap().unwrap();
            assert_eq!(next(), Frame::Binary(long(100_000)));
            assert_eq!(next(), Frame::Pong(Bytes::from_static(b"!")));
            let Frame::Close(Some(reason)) = next() else {
                panic!("the Close frame is the last")
            };
            assert_eq!(reason.description.unwrap(), "\u{e9}".repeat(61));
            assert!(received.is_empty());
        }
    }

    #[actix_rt::test]
    async fn what_is_too_long_is_refused_before_it_has_come() {
        let fragments = [Item::FirstBinary(long(1 << 20)), Item::Last(long(1))];
        let fragments = frames(fragments.map(Message::Continuation));
        for bytes in [
            // A binary message of 1 MiB and one byte.
            &b"\x82\x7f\0\0\0\0\0\x10\0\x01"[..],
            b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
            // A ping that goes on for ever.
            b"\x89\x7f\x3f\xff\xff\xff\xff\xff\xff\xff",
            &fragments,
        ] {
            let (mut socket, mut controller) = connected(1 << 21);
            controller.write_all(bytes).await.unwrap();
            let refused = message(&mut socket).await.unwrap_err();
            assert!(
                matches!(refused, SocketError::TooLong | SocketError::BrokenHead(_)),
                "{refused}"
            );
        }
    }

    #[actix_rt::test]
    async fn a_connection_that_ends_inside_a_message_is_lost() {
        let (mut socket, mut controller) = connected(1 << 20);
        let bytes = frames([Message::Binary(long(1000))]);
        controller.write_all(&bytes[..999]).await.unwrap();
        drop(controller);
        let lost = message(&mut socket).await.unwrap_err();
        assert!(matches!(lost, SocketError::Lost), "{lost}");
    }

    #[actix_rt::test]
    async fn pings_are_not_kept_while_nothing_can_be_sent() {
        let (mut socket, mut controller) = connected(1 << 20);
        socket.put_binary(long(QUEUED_BYTES_MAX).into());
        let before = socket.queued.len();
        let pings = (0..100).map(|_| Message::Ping(long(125)));
        let bytes = frames(pings.chain([Message::Binary(long(1))]));
        controller.write_all(&bytes).await.unwrap();
        assert_eq!(message(&mut socket).await.unwrap(), long(1));
        assert_eq!(socket.queued.len(), before);
    }
}
