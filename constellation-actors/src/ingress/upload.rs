//! The body of a request on its way to the worker.

use std::{
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{HttpMessage, HttpRequest, dev::Payload, error::PayloadError, http::header};
use bytes::{Bytes, BytesMut};

use super::{
    client::ClientBody,
    pace::{ClientTime, Pace, Slow, Watched},
};
use crate::{protocol::frame::INLINE_BYTES_MAX, session::wire::binary::Exchange};

/// Why a request's body cannot be passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the body has more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    #[error("the body of the request broke off, or its chunks are malformed: {0}")]
    Client(PayloadError),
    #[error("the body of the request {0}")]
    TooSlow(Slow),
}

/// A request body: what has been read of it and what is still to come.
pub(super) struct Upload {
    body: ClientBody,
    /// Read and not yet passed on.
    ready: Bytes,
    /// Nothing more comes from the client.
    complete: bool,
    /// The worker has everything, or wants no more.
    done: bool,
    seen: u64,
    bytes_max: Option<u64>,
    /// Everything read so far is still in `ready`, so the request can be sent anew.
    whole: bool,
    request: HttpRequest,
    pace: Pace,
    /// From the first time on that the body waits for the client.
    watched: Option<Rc<Watched>>,
}

impl Upload {
    /// Looks at a request's body, and reads it already if it is declared and small.
    pub(super) async fn begin(
        request: &HttpRequest,
        body: ClientBody,
        bytes_max: Option<u64>,
        pace: Pace,
    ) -> Result<Self, UploadError> {
        let declared = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        if let (Some(length), Some(most)) = (declared, bytes_max)
            && length > most
        {
            return Err(UploadError::TooLarge { bytes_max: most });
        }
        let complete = !chunked && declared.unwrap_or(0) == 0;
        let mut upload = Self {
            body,
            ready: Bytes::new(),
            complete,
            done: false,
            seen: 0,
            bytes_max,
            whole: true,
            request: request.clone(),
            pace,
            watched: None,
        };
        if declared.is_some_and(|length| length <= INLINE_BYTES_MAX as u64) && !complete {
            upload.ready = upload.read_to_end(u64::MAX).await?;
        }
        Ok(upload)
    }

    /// Reads the rest of the body into memory.
    pub(super) async fn read_to_end(&mut self, most: u64) -> Result<Bytes, UploadError> {
        let most = self.bytes_max.map_or(most, |limit| limit.min(most));
        let mut first = std::mem::take(&mut self.ready);
        let mut rest = BytesMut::new();
        loop {
            if (first.len() + rest.len()) as u64 > most {
                return Err(UploadError::TooLarge { bytes_max: most });
            }
            if self.complete {
                break;
            }
            let Some(chunk) = poll_fn(|context| self.poll_payload(context)).await? else {
                self.complete = true;
                continue;
            };
            if first.is_empty() {
                first = chunk;
            } else {
                rest.extend_from_slice(&chunk);
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut joined = BytesMut::with_capacity(first.len() + rest.len());
        joined.extend_from_slice(&first);
        joined.extend_from_slice(&rest);
        Ok(joined.freeze())
    }

    /// Puts a body back that was read to its end, so that it can be sent again.
    pub(super) fn keep(&mut self, body: Bytes) {
        self.ready = body;
    }

    /// The upload itself, if there is anything left to do for it.
    pub(super) fn take(&mut self) -> Option<Self> {
        if self.is_done() {
            return None;
        }
        let rest = Self {
            body: std::mem::take(&mut self.body),
            ready: std::mem::take(&mut self.ready),
            request: self.request.clone(),
            pace: self.pace.clone(),
            watched: self.watched.take(),
            ..*self
        };
        self.done = true;
        Some(rest)
    }

    /// The client's bytes themselves, for a tunnel.
    pub(super) fn take_payload(&mut self) -> Payload {
        self.body.take()
    }

    /// What goes with the head, and whether that is all.
    pub(super) fn inline(&self) -> (&Bytes, bool) {
        (&self.ready, self.complete)
    }

    /// Whether the request can be sent anew from its beginning.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether nothing is left to do for this exchange.
    pub(super) fn is_done(&self) -> bool {
        self.done || self.complete && self.whole
    }

    /// Passes the body on as far as the worker takes it. Ready when there is nothing more to do.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        exchange: &Exchange,
    ) -> Poll<Result<(), UploadError>> {
        while !self.is_done() {
            if self.whole {
                // The inline part is out; from here on nothing can be taken back.
                self.ready = Bytes::new();
                self.whole = false;
            }
            if self.ready.is_empty() && !self.complete {
                self.read(context)?;
                if self.ready.is_empty() && !self.complete {
                    return Poll::Pending;
                }
            }
            match ready!(exchange.poll_send(context, &mut self.ready, self.complete)) {
                Ok(()) => self.done = self.complete,
                // What ended the exchange is told with its response.
                Err(_ended) => self.done = true,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn read(&mut self, context: &mut Context<'_>) -> Result<(), UploadError> {
        match self.poll_payload(context) {
            Poll::Ready(Ok(Some(chunk))) => {
                self.seen += chunk.len() as u64;
                if let Some(most) = self.bytes_max.filter(|most| self.seen > *most) {
                    return Err(UploadError::TooLarge { bytes_max: most });
                }
                self.ready = chunk;
            }
            Poll::Ready(Ok(None)) => self.complete = true,
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => {}
        }
        Ok(())
    }

    /// The next piece from the client: the only place that takes any. While there is none the body
    /// waits for the client, and at no other time: what the worker has no room for is not read.
    fn poll_payload(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, UploadError>> {
        let piece = self.body.poll_next(context);
        if let Poll::Ready(piece) = piece {
            if let Some(watched) = &self.watched {
                watched.go_on();
            }
            return Poll::Ready(piece.transpose().map_err(UploadError::Client));
        }
        let watched = self.watched.get_or_insert_with(|| {
            let watched = self.pace.watch(|_slow| ());
            let taken = ClientTime::of(&watched);
            self.request.extensions_mut().insert(taken);
            watched
        });
        match watched.slow() {
            Some(slow) => Poll::Ready(Err(UploadError::TooSlow(slow))),
            None => {
                watched.wait(context.waker());
                Poll::Pending
            }
        }
    }
}
