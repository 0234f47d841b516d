//! A worker's answer on its way to the client.

use std::{
    pin::Pin,
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

use super::{WORKER, headers, problem::Problem, upload::Upload};
use crate::{
    counters::Counters,
    protocol::{
        head::{HEAD_BYTES_MAX, ResponseHead},
        json,
        mux::event::{Ended, ResponseFrame},
    },
    registry::route::Route,
    session::wire::binary::Exchange,
};

/// Why a response broke off; its connection is closed, so that the client notices.
#[derive(Debug, thiserror::Error)]
#[error("the response broke off: {0}")]
struct BrokenOff(Ended);

/// The response of a `constellation.v1` worker.
pub(super) fn of_frame(
    request: &HttpRequest,
    route: &Arc<Route>,
    exchange: Exchange,
    frame: ResponseFrame,
    upload: Option<Upload>,
    counters: &Arc<Counters>,
) -> Result<HttpResponse, Problem> {
    let (head, content) = ResponseHead::decode(&frame.payload, HEAD_BYTES_MAX)
        .map_err(|error| bad_answer(format!("The worker's response cannot be read: {error}.")))?;
    let status = status(head.status().get())?;
    let mut response = HttpResponseBuilder::new(status);
    let mut length = None;
    for field in head.fields().iter() {
        let (name, value) = (field.name().as_bytes(), field.value());
        if name == b"content-length" {
            length = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse::<u64>().ok());
        }
        append(&mut response, name, value);
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
        exchange,
        upload,
        counters: Arc::clone(counters),
        over: false,
    };
    Ok(match length {
        Some(length) => response.body(SizedStream::new(length, body)),
        None => response.streaming(body),
    })
}

/// The response of a JSON-dialect worker.
pub(super) fn of_json(
    request: &HttpRequest,
    route: &Arc<Route>,
    answer: json::Response,
) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponseBuilder::new(status(answer.status)?);
    for (name, value) in &answer.headers {
        append(
            &mut response,
            name.to_ascii_lowercase().as_bytes(),
            value.as_bytes(),
        );
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

/// Passes a header back unless it is the controller's, or no header at all.
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
struct Download {
    first: Bytes,
    exchange: Exchange,
    upload: Option<Upload>,
    counters: Arc<Counters>,
    over: bool,
}

impl Stream for Download {
    type Item = Result<Bytes, BrokenOff>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        if !this.first.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut this.first))));
        }
        if let Some(upload) = &mut this.upload
            && upload.poll(context, &this.exchange).is_ready()
        {
            // A client that fails to send its body still gets its answer.
            this.upload = None;
        }
        let chunk = match this.exchange.poll_chunk(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => None,
            Poll::Ready(Some(Err(ended))) => {
                if ended == Ended::Withdrawn {
                    this.counters.stale_answers.add();
                }
                Some(Err(BrokenOff(ended)))
            }
            Poll::Ready(Some(Ok(chunk))) => Some(Ok(chunk)),
        };
        this.over = !matches!(chunk, Some(Ok(_)));
        Poll::Ready(chunk)
    }
}
