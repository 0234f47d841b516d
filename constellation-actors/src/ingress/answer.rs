//! A worker's answer on its way to the client.

use std::{
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use futures::{Stream, stream};

use super::{
    WORKER, headers,
    pace::{Pace, Slow, Watched},
    problem::Problem,
    upload::{Upload, UploadError},
};
use crate::{
    protocol::{
        frame::code::ResetCode,
        head::{HEAD_BYTES_MAX, ResponseHead},
        json,
        mux::event::{Ended, ResponseFrame},
    },
    registry::route::Route,
    session::wire::binary::Exchange,
};

/// Why a response broke off; its connection is closed, so that the client notices.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the response broke off: {0}")]
    Worker(Ended),
    #[error("the answer {0}")]
    Untaken(Slow),
    #[error("{0}")]
    Upload(UploadError),
}

/// The response of a `constellation.v1` worker.
pub(super) fn of_frame(
    request: &HttpRequest,
    route: &Arc<Route>,
    exchange: Exchange,
    frame: ResponseFrame,
    upload: Option<Upload>,
    pace: Pace,
) -> Result<HttpResponse, Problem> {
    let (head, content) = read_head(&frame)?;
    let status = status(head.status().get())?;
    let mut response = HttpResponseBuilder::new(status);
    let mut length = None;
    for field in head.fields().iter() {
        if field.name_bytes() == b"content-length" {
            length = std::str::from_utf8(field.value())
                .ok()
                .and_then(|text| text.parse::<u64>().ok());
        }
        append(&mut response, field.name_bytes(), field.value());
    }
    response.insert_header((WORKER, route.link.header().clone()));

    if request.method() == Method::HEAD || status == StatusCode::NOT_MODIFIED {
        return Ok(without_body(response, length));
    }
    if frame.end {
        return Ok(response.body(content));
    }
    let body = Download {
        first: content,
        exchange: Rc::new(exchange),
        upload,
        pace,
        watched: None,
        over: false,
    };
    Ok(match length {
        Some(length) => response.body(SizedStream::new(length, body)),
        None => response.streaming(body),
    })
}

/// The head of a response, and the content that came with it.
pub(super) fn read_head(frame: &ResponseFrame) -> Result<(ResponseHead, Bytes), Problem> {
    ResponseHead::decode(&frame.payload, HEAD_BYTES_MAX)
        .map_err(|error| bad_answer(format!("The worker's response cannot be read: {error}.")))
}

/// The headers of a response without a body of known length.
pub(super) fn fields(response: &mut HttpResponseBuilder, head: &ResponseHead, route: &Route) {
    for field in head.fields().iter() {
        append(response, field.name_bytes(), field.value());
    }
    response.insert_header((WORKER, route.link.header().clone()));
}

/// The response of a JSON-dialect worker.
pub(super) fn of_json(
    request: &HttpRequest,
    route: &Arc<Route>,
    answer: json::Response,
) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponseBuilder::new(status(answer.status)?);
    for (name, value) in &answer.headers {
        let name = name.to_ascii_lowercase();
        append(&mut response, name.as_bytes(), value.as_bytes());
    }
    response.insert_header(("content-type", answer.content_type.as_str()));
    response.insert_header((WORKER, route.link.header().clone()));
    if request.method() == Method::HEAD {
        return Ok(without_body(response, Some(answer.body.len() as u64)));
    }
    Ok(response.body(answer.body))
}

fn status(code: u16) -> Result<StatusCode, Problem> {
    StatusCode::from_u16(code)
        .ok()
        .filter(|status| !status.is_informational())
        .ok_or_else(|| bad_answer(format!("The worker answered with the status {code}.")))
}

fn bad_answer(description: String) -> Problem {
    Problem::BadAnswer { description }
}

/// Passes a header back unless it is the controller's, or no header at all. Copies it: the HTTP layer
/// keeps the headers of answers for a while, and they would keep the whole message they came in.
fn append(response: &mut HttpResponseBuilder, name: &[u8], value: &[u8]) {
    let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
    else {
        return;
    };
    if headers::passes_back(name.as_str()) {
        response.append_header((name, value));
    }
}

/// A response whose headers speak of a body that is not sent (RFC 9110, section 8.6).
fn without_body(mut response: HttpResponseBuilder, length: Option<u64>) -> HttpResponse {
    match length {
        Some(length) => {
            let nothing = stream::empty::<Result<Bytes, std::convert::Infallible>>();
            response
                .no_chunking(length)
                .body(SizedStream::new(length, nothing))
        }
        None => response.finish(),
    }
}

/// The body of a response, and the rest of its request's body on the way up beside it.
///
/// It waits for its client from handing out a piece until it is asked for the next: the HTTP layer
/// asks as soon as its buffer of the connection has room. A worker that has nothing to say, as with
/// server-sent events, leaves it asked and without an answer, and then it does not wait.
struct Download {
    first: Bytes,
    exchange: Rc<Exchange>,
    upload: Option<Upload>,
    pace: Pace,
    /// From the first piece on.
    watched: Option<Rc<Watched>>,
    over: bool,
}

impl Download {
    /// Hands out a piece, which the client is to take.
    fn hand_out(&mut self, piece: Bytes) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        let watched = self.watched.get_or_insert_with(|| {
            // The HTTP layer will not ask for more, so the exchange is ended from outside: the
            // worker's credit must not wait for such a client.
            let exchange = Rc::clone(&self.exchange);
            self.pace.watch(move |slow| {
                exchange.reset(ResetCode::Cancelled, &format!("the answer {slow}"));
            })
        });
        watched.wait_unasked();
        Poll::Ready(Some(Ok(piece)))
    }

    /// Ends with an error, which closes the connection.
    fn break_off(&mut self, reason: BrokenOff) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        self.over = true;
        Poll::Ready(Some(Err(reason)))
    }
}

impl Stream for Download {
    type Item = Result<Bytes, BrokenOff>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        if let Some(watched) = &this.watched {
            watched.go_on();
            if let Some(slow) = watched.slow() {
                return this.break_off(BrokenOff::Untaken(slow));
            }
        }
        if !this.first.is_empty() {
            let first = std::mem::take(&mut this.first);
            return this.hand_out(first);
        }
        if let Some(upload) = &mut this.upload
            && let Poll::Ready(outcome) = upload.poll(context, &this.exchange)
        {
            this.upload = None;
            if let Err(error @ (UploadError::TooSlow(_) | UploadError::TooLarge { .. })) = outcome {
                let code = match error {
                    UploadError::TooLarge { .. } => ResetCode::TooLarge,
                    UploadError::TooSlow(_) | UploadError::Client(_) => ResetCode::Cancelled,
                };
                this.exchange.reset(code, &error.to_string());
                return this.break_off(BrokenOff::Upload(error));
            }
            // A client whose body breaks off otherwise still gets its answer.
        }
        let reason = match this.exchange.poll_chunk(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => {
                this.over = true;
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Ok(chunk))) => return this.hand_out(chunk),
            Poll::Ready(Some(Err(ended))) => {
                if ended == Ended::Withdrawn {
                    this.pace.counters().stale_answers.add();
                }
                BrokenOff::Worker(ended)
            }
        };
        this.break_off(reason)
    }
}
