//! The websocket to a controller: whole messages in, whole messages out, pings answered. It carries
//! bytes and never looks into them.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_codec::Framed;
use actix_http::ws::{CloseCode, CloseReason, Codec, Frame, Item, Message, ProtocolError};
use actix_rt::net::TcpStream;
use actix_service::ServiceExt;
use actix_tls::connect::{Connection as TcpConnection, Connector as TcpConnector};
use awc::{
    BoxedSocket, Client, Connector,
    error::{SendRequestError, WsClientError},
    http::{Uri, header},
};
use bytes::{Bytes, BytesMut};
use constellation_actors::protocol::handshake::SUBPROTOCOL;
use futures::{Sink, Stream};

use crate::settings::{ControllerUrl, Token};

/// The longest message that is taken, in bytes; the most that a controller may announce.
pub(crate) const MESSAGE_BYTES_MAX: u32 = 1024 * 1024;

/// How long name resolution, the TCP connection and the upgrade may take, together.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The most bytes of the words that a Close frame carries (RFC 6455, section 5.5, less the code).
const CLOSE_WORDS_BYTES_MAX: usize = 123;

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
    #[error("the connection failed: {0}")]
    Failed(io::Error),
    #[error("a message has more than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
    #[error("a text message, where all are binary")]
    Text,
}

/// An open websocket.
pub(crate) struct Socket {
    framed: Framed<BoxedSocket, Codec>,
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
        Ok(Self {
            framed,
            fragments: None,
        })
    }

    /// The next whole message.
    pub(crate) fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Bytes, SocketError>> {
        loop {
            let frame = match ready!(Pin::new(&mut self.framed).poll_next(context)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Err(error.into())),
                None => return Poll::Ready(Err(SocketError::Lost)),
            };
            match frame {
                Frame::Binary(bytes) => return Poll::Ready(Ok(bytes)),
                Frame::Text(_) => return Poll::Ready(Err(SocketError::Text)),
                // While nothing can be sent, pings are not worth keeping.
                Frame::Ping(_) if self.framed.is_write_buf_full() => {}
                Frame::Ping(payload) => self.put(Message::Pong(payload))?,
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
        let ready = Sink::<Message>::poll_ready(Pin::new(&mut self.framed), context);
        ready.map_err(SocketError::from)
    }

    /// Writes a message into the buffer.
    pub(crate) fn put_binary(&mut self, payload: Bytes) -> Result<(), SocketError> {
        self.put(Message::Binary(payload))
    }

    /// Writes a Close frame into the buffer.
    pub(crate) fn put_close(&mut self, words: &str) -> Result<(), SocketError> {
        let words = &words[..words.floor_char_boundary(CLOSE_WORDS_BYTES_MAX)];
        self.put(Message::Close(Some((CloseCode::Normal, words).into())))
    }

    fn put(&mut self, message: Message) -> Result<(), SocketError> {
        Pin::new(&mut self.framed)
            .start_send(message)
            .map_err(SocketError::from)
    }

    /// Sends what is in the buffer.
    pub(crate) fn poll_flush(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SocketError>> {
        let flushed = Sink::<Message>::poll_flush(Pin::new(&mut self.framed), context);
        flushed.map_err(SocketError::from)
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
