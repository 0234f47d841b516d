//! What the App answers on its way to the session: the part of an HTTP server that writes. It adds
//! no `Date`: the controller does, as it does for every answer without one (RFC 9110, section 6.6.1).

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use actix_http::{
    StatusCode,
    body::{BodySize, BoxBody, MessageBody},
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE},
};
use bytes::{Bytes, BytesMut};
use futures::{
    Stream,
    future::{Either, select},
};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::{error::HandlerError, response::Response};

/// How long a body may be to be put together when it is all there already.
const TOGETHER_BYTES_MAX: u64 = 16 * 1024;

/// The chunks that wait for the session. Each is asked for only when there is room for it.
const WAITING_CHUNKS_MAX: usize = 1;

/// The rest of a body that is sent as it is made. Lives in the App's thread.
pub(super) struct Rest {
    body: BoxBody,
    chunks: Sender<Chunk>,
}

/// A part of a body on its way from the App's thread.
enum Chunk {
    Bytes(Bytes),
    End,
    Failed(HandlerError),
}

/// What is there of a body without waiting.
enum There {
    Whole(Bytes),
    Begun { first: Bytes, body: BoxBody },
}

/// The other end of a [`Rest`].
struct Chunks {
    received: Receiver<Chunk>,
    over: bool,
}

/// The answer for the session, and the rest of its body if that is not all there. `bodiless` says
/// that the request's method allows no body in an answer (HEAD).
///
/// # Errors
///
/// When the body fails before anything of it is sent.
pub(super) async fn to_session(
    answer: actix_http::Response<BoxBody>,
    bodiless: bool,
) -> Result<(Response, Option<Rest>), HandlerError> {
    let (head, body) = answer.into_parts();
    let size = size(&head, &body);
    let response = described(&head, size);
    if bodiless || size == BodySize::None {
        return Ok((response, None));
    }
    let (first, body) = match there(body, size).await? {
        There::Whole(bytes) => return Ok((response.body(bytes), None)),
        There::Begun { first, body } => (first, body),
    };
    let (chunks, received) = channel(WAITING_CHUNKS_MAX);
    if !first.is_empty() {
        let sent = chunks.try_send(Chunk::Bytes(first));
        debug_assert!(sent.is_ok(), "a new channel has room");
    }
    let response = response.stream(Chunks::new(received));
    Ok((response, Some(Rest { body, chunks })))
}

/// How long the body is that goes out. Some statuses have none, whatever the App says (RFC 9110,
/// sections 15.3.5 and 15.4.5). After 101 it is what a tunnel sends.
fn size(head: &actix_http::Response<()>, body: &BoxBody) -> BodySize {
    match head.status() {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => BodySize::None,
        StatusCode::SWITCHING_PROTOCOLS => body.size(),
        status if status.is_informational() => BodySize::None,
        _ => body.size(),
    }
}

/// The head, with a length that fits `size`.
fn described(head: &actix_http::Response<()>, size: BodySize) -> Response {
    let status = head.status();
    let keeps_length = match size {
        // Said by hand, for a stream whose length its handler knows; or what a 200 would have.
        BodySize::Stream => !head.head().chunked() && status != StatusCode::SWITCHING_PROTOCOLS,
        BodySize::None => status == StatusCode::NOT_MODIFIED,
        BodySize::Sized(_) => false,
    };
    let mut response = Response::described(status.as_u16());
    for (name, value) in head.headers() {
        let stays = match *name {
            CONNECTION | TRANSFER_ENCODING | UPGRADE => false,
            CONTENT_LENGTH => keeps_length,
            _ => true,
        };
        if stays {
            response = response.header(name.as_str().to_owned(), value.as_bytes());
        }
    }
    match size {
        BodySize::Sized(bytes) => {
            response.header(CONTENT_LENGTH.as_str().to_owned(), bytes.to_string())
        }
        BodySize::None | BodySize::Stream => response,
    }
}

/// What is there of `body`. A long one, or one of unknown length, is not asked.
async fn there(body: BoxBody, size: BodySize) -> Result<There, HandlerError> {
    let mut body = match body.try_into_bytes() {
        Ok(bytes) => return Ok(There::Whole(bytes)),
        Err(body) => body,
    };
    let mut whole = BytesMut::new();
    let mut over = false;
    if matches!(size, BodySize::Sized(bytes) if bytes <= TOGETHER_BYTES_MAX) {
        over = poll_fn(|context| {
            loop {
                match Pin::new(&mut body).poll_next(context) {
                    Poll::Ready(Some(Ok(chunk))) => whole.extend_from_slice(&chunk),
                    Poll::Ready(Some(Err(error))) => {
                        return Poll::Ready(Err(HandlerError::new(error)));
                    }
                    Poll::Ready(None) => return Poll::Ready(Ok(true)),
                    Poll::Pending => return Poll::Ready(Ok(false)),
                }
            }
        })
        .await?;
    }
    let first = whole.freeze();
    if !over {
        return Ok(There::Begun { first, body });
    }
    match size {
        BodySize::Sized(bytes) if bytes != first.len() as u64 => Err(HandlerError::new(
            format_args!("its body has {} bytes and says {bytes}", first.len()),
        )),
        BodySize::Sized(_) | BodySize::None | BodySize::Stream => Ok(There::Whole(first)),
    }
}

impl Rest {
    /// Sends the rest as fast as it is taken, until its end or until nobody wants it any more.
    pub(super) async fn send(self) {
        let Self { mut body, chunks } = self;
        // The body is asked for more only when there is room for it.
        while let Ok(room) = chunks.reserve().await {
            let next = poll_fn(|context| Pin::new(&mut body).poll_next(context));
            let unwanted = pin!(chunks.closed());
            match select(next, unwanted).await {
                Either::Left((Some(Ok(bytes)), _)) => room.send(Chunk::Bytes(bytes)),
                Either::Left((Some(Err(error)), _)) => {
                    return room.send(Chunk::Failed(HandlerError::new(error)));
                }
                Either::Left((None, _)) => return room.send(Chunk::End),
                Either::Right(((), _)) => return,
            }
        }
    }
}

impl Chunks {
    fn new(received: Receiver<Chunk>) -> Self {
        Self {
            received,
            over: false,
        }
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, HandlerError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let item = match ready!(self.received.poll_recv(context)) {
            Some(Chunk::Bytes(bytes)) => return Poll::Ready(Some(Ok(bytes))),
            Some(Chunk::End) => None,
            Some(Chunk::Failed(error)) => Some(Err(error)),
            // Its sender says the end, unless it was torn away from it.
            None => Some(Err(HandlerError::new("its body panicked"))),
        };
        self.over = true;
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{
        HttpResponse,
        body::{BodyStream, SizedStream},
    };
    use constellation_actors::protocol::head::ResponseHead;
    use futures::{StreamExt, stream};

    use super::*;
    use crate::response::Asked;

    const HEAD_BYTES_MAX: usize = 1024;

    /// The headers that go over the session, the content that goes with them, and whether more follows.
    async fn sent(answer: HttpResponse, bodiless: bool) -> (Vec<String>, usize, bool) {
        let (response, rest) = to_session(answer.into(), bodiless).await.unwrap();
        let whole = response.whole_bytes().unwrap_or_default();
        let asked = match response.status() {
            101 => Asked::Upgrade,
            _ => Asked::Content,
        };
        let ready = response.finish(asked, HEAD_BYTES_MAX).unwrap();
        let mut buffer = BytesMut::new();
        ready.head.write(&mut buffer);
        let (head, _) = ResponseHead::decode(&buffer.freeze(), HEAD_BYTES_MAX).unwrap();
        let fields = head.fields().iter().map(|field| {
            let value = String::from_utf8_lossy(field.value());
            format!("{}: {value}", field.name())
        });
        (fields.collect(), whole, rest.is_some())
    }

    fn said(length: Option<&str>) -> Vec<String> {
        length
            .map(|length| format!("content-length: {length}"))
            .into_iter()
            .collect()
    }

    fn two() -> impl Stream<Item = Result<Bytes, std::io::Error>> {
        stream::iter([
            Ok(Bytes::from_static(b"one")),
            Ok(Bytes::from_static(b"two")),
        ])
    }

    #[actix_rt::test]
    async fn the_length_is_what_the_body_says_and_never_what_a_handler_claims() {
        let claimed = ("content-length", "99");
        let mut ok = HttpResponse::Ok();
        let answer = ok.insert_header(claimed).body("twelve bytes");
        assert_eq!(sent(answer, false).await, (said(Some("12")), 12, false));
        let answer = HttpResponse::Ok().finish();
        assert_eq!(sent(answer, false).await, (said(Some("0")), 0, false));
        let mut ok = HttpResponse::Ok();
        let answer = ok.insert_header(claimed).body(BodyStream::new(two()));
        assert_eq!(sent(answer, false).await, (said(None), 0, true));
        // What actix-web believes is believed, and found out.
        let answer = HttpResponse::Ok().insert_header(claimed).streaming(two());
        let error = to_session(answer.into(), false).await.err().unwrap();
        assert!(error.to_string().contains("6 bytes and says 99"), "{error}");
    }

    #[actix_rt::test]
    async fn a_stream_keeps_the_length_that_its_handler_vouches_for() {
        let mut answer = HttpResponse::Ok()
            .insert_header(("content-length", "6"))
            .body(BodyStream::new(two()));
        answer.head_mut().no_chunking(true);
        assert_eq!(sent(answer, false).await, (said(Some("6")), 0, true));
    }

    #[actix_rt::test]
    async fn statuses_and_methods_without_content_get_none() {
        let answer = HttpResponse::NoContent().body("never sent");
        assert_eq!(sent(answer, false).await, (said(None), 0, false));
        let answer = HttpResponse::NotModified().body("never sent");
        assert_eq!(sent(answer, false).await, (said(None), 0, false));
        // What a 200 would have, which only its handler knows.
        let mut same = HttpResponse::NotModified();
        let answer = same.insert_header(("content-length", "7")).finish();
        assert_eq!(sent(answer, false).await, (said(Some("7")), 0, false));
        let answer = HttpResponse::Ok().body("twelve bytes");
        assert_eq!(sent(answer, true).await, (said(Some("12")), 0, false));
    }

    #[actix_rt::test]
    async fn headers_of_a_connection_stay_behind() {
        let mut ok = HttpResponse::Ok();
        ok.insert_header(("connection", "close, x-mine"))
            .insert_header(("transfer-encoding", "chunked"))
            .insert_header(("upgrade", "h2c"))
            .append_header(("set-cookie", "a=1"))
            .append_header(("set-cookie", "b=2"));
        let (fields, _, _) = sent(ok.finish(), false).await;
        assert_eq!(
            fields,
            ["set-cookie: a=1", "set-cookie: b=2", "content-length: 0"]
        );
    }

    #[actix_rt::test]
    async fn a_tunnel_has_a_body_and_no_length() {
        let mut switching = HttpResponse::SwitchingProtocols();
        let answer = switching.upgrade("websocket").streaming(two());
        let (fields, _, rest) = sent(answer, false).await;
        let names = fields
            .iter()
            .filter(|field| !field.starts_with("content-type"));
        assert_eq!((names.count(), rest), (0, true));
    }

    #[actix_rt::test]
    async fn a_short_body_that_is_there_goes_with_its_head_and_a_failing_one_is_no_answer() {
        let answer = HttpResponse::Ok().body(SizedStream::new(6, two()));
        assert_eq!(sent(answer, false).await, (said(Some("6")), 6, false));
        let waiting = two().chain(stream::pending());
        let answer = HttpResponse::Ok().body(SizedStream::new(9, waiting));
        assert_eq!(sent(answer, false).await, (said(Some("9")), 0, true));
        let failing = two().chain(stream::once(async { Err(std::io::Error::other("broken")) }));
        let answer = HttpResponse::Ok().body(SizedStream::new(9, failing));
        let error = to_session(answer.into(), false).await.err().unwrap();
        assert_eq!(error.to_string(), "broken");
    }
}
