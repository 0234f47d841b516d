//! The client of a request: the connection it came over, the body that it sends, and the time it
//! takes for itself.

use std::{
    any::Any,
    borrow::Cow,
    cell::{Cell, OnceCell, RefCell},
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_http::{ConnectionType, Extensions};
use actix_rt::net::TcpStream;
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::Payload,
    error::PayloadError,
};
use bytes::Bytes;
use futures::Stream;
use socket2::{SockRef, TcpKeepalive};

use super::{deadline::Deadline, pace::ClientTime};

/// How long a connection may be silent before the system asks whether the other end is still
/// there, and how long it waits between two such questions.
const PROBE_AFTER: Duration = Duration::from_secs(60);
const PROBE_INTERVAL: Duration = Duration::from_secs(15);

/// What the requests of one connection share.
#[derive(Debug, Default)]
pub(super) struct ClientConnection {
    /// Whether the last of its requests has come.
    ended: Cell<bool>,
    /// The address of its other end, once a request has asked for it.
    address: OnceCell<Box<str>>,
}

impl ClientConnection {
    /// Whether the connection of a request was to end with an earlier request. The HTTP layer reads
    /// ahead, so that requests may still come that nobody may answer (RFC 9112, section 9.6).
    ///
    /// Always false on a server that does not call [`connected`].
    pub(super) fn has_ended(request: &HttpRequest) -> bool {
        let connection = request.conn_data::<Self>();
        connection.is_some_and(|connection| connection.ended.get())
    }

    /// The address that a request came from, as text.
    pub(super) fn address(request: &HttpRequest) -> Cow<'_, str> {
        let text = || match request.peer_addr() {
            Some(address) => address.ip().to_string(),
            None => "unknown".to_owned(),
        };
        match request.conn_data::<Self>() {
            Some(connection) => connection
                .address
                .get_or_init(|| text().into())
                .as_ref()
                .into(),
            None => text().into(),
        }
    }

    /// Notes that no request may follow on a request's connection, if the client or the answer
    /// says so.
    pub(super) fn note_end(request: &HttpRequest, response: &HttpResponse) {
        let last = request.head().connection_type() == ConnectionType::Close
            || response.head().connection_type() == ConnectionType::Close;
        if last && let Some(connection) = request.conn_data::<Self>() {
            connection.ended.set(true);
        }
    }
}

/// Prepares a client's connection: the system ends it when the other end has vanished, or takes
/// nothing for `patience`.
pub(crate) fn connected(io: &dyn Any, data: &mut Extensions, patience: Duration) {
    data.insert(ClientConnection::default());
    // Over TLS the socket lies deeper; whoever ends TLS there sets its options.
    let Some(stream) = io.downcast_ref::<TcpStream>() else {
        return;
    };
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(PROBE_AFTER)
        .with_interval(PROBE_INTERVAL);
    let prepared = socket.set_tcp_keepalive(&keepalive);
    #[cfg(target_os = "linux")]
    let prepared = prepared.and_then(|()| socket.set_tcp_user_timeout(Some(patience)));
    #[cfg(not(target_os = "linux"))]
    let _ = patience;
    if let Err(error) = prepared {
        // The connection works without, and ends later if its client vanishes.
        log::debug!(error:%; "a client's socket took no timeouts");
    }
}

/// The body of a request; clones are handles to the same one.
#[derive(Clone, Default)]
pub(super) struct ClientBody(Option<Rc<Incoming>>);

struct Incoming {
    payload: RefCell<Payload>,
    /// Whether it has come to its end, a good one or not.
    ended: Cell<bool>,
}

impl ClientBody {
    pub(super) fn new(payload: Payload) -> Self {
        match payload {
            Payload::None => Self(None),
            payload => Self(Some(Rc::new(Incoming {
                payload: RefCell::new(payload),
                ended: Cell::new(false),
            }))),
        }
    }

    /// The next piece of it.
    pub(super) fn poll_next(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let Some(incoming) = &self.0 else {
            return Poll::Ready(None);
        };
        let piece = Pin::new(&mut *incoming.payload.borrow_mut()).poll_next(context);
        if matches!(piece, Poll::Ready(None | Some(Err(_)))) {
            incoming.ended.set(true);
        }
        piece
    }

    /// The bytes themselves, for whoever reads them from now on.
    pub(super) fn take(&self) -> Payload {
        let Some(incoming) = &self.0 else {
            return Payload::None;
        };
        incoming.ended.set(true);
        incoming.payload.replace(Payload::None)
    }

    /// Keeps what is left of the body, if nobody else does, until the response is sent.
    ///
    /// The HTTP layer reads on when a body in chunks is dropped, for as long as the client likes
    /// to send; one that is there at the end of its response ends the connection.
    pub(super) fn keep_with(self, response: HttpResponse) -> HttpResponse {
        let left = self
            .0
            .filter(|incoming| !incoming.ended.get() && Rc::strong_count(incoming) == 1);
        match left {
            Some(_left) => response.map_body(|_, body| BoxBody::new(Kept { body, _left })),
            None => response,
        }
    }
}

/// A response's body with what is left of its request's.
struct Kept {
    body: BoxBody,
    _left: Rc<Incoming>,
}

impl MessageBody for Kept {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

/// Waits for an answer for so long, not counting the time that the client took to send the body.
/// `None` when that is over.
pub(super) async fn in_time<T>(
    request: &HttpRequest,
    patience: Duration,
    mut answer: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let mut excused = Duration::ZERO;
    let mut deadline = Deadline::after(patience);
    poll_fn(|context| {
        loop {
            if let Poll::Ready(answered) = answer.as_mut().poll(context) {
                return Poll::Ready(Some(answered));
            }
            ready!(deadline.poll(context));
            let taken = request
                .extensions()
                .get::<ClientTime>()
                .map_or(Duration::ZERO, ClientTime::taken);
            let left = taken.saturating_sub(excused);
            if left.is_zero() {
                return Poll::Ready(None);
            }
            excused = taken;
            deadline = Deadline::after(left);
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use actix_web::test::TestRequest;

    use super::*;

    #[actix_rt::test]
    async fn an_answer_that_does_not_come_is_given_up() {
        let request = TestRequest::default().to_http_request();
        let never = pin!(std::future::pending::<()>());
        assert_eq!(
            in_time(&request, Duration::from_millis(1), never).await,
            None
        );
        let now = pin!(async { 5 });
        assert_eq!(in_time(&request, Duration::ZERO, now).await, Some(5));
    }
}
