//! The body of a request: a stream of bytes that came over the session. It holds no more than
//! credit allows, and lets the client send more only as it is read.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use constellation_actors::protocol::mux::event::Ended;
use futures::Stream;

use crate::{error::BodyError, exchange::Exchange};

/// The body of a request, read chunk by chunk or at once.
///
/// What is not read is dropped with the request, and the client is then told to stop sending.
pub struct Body {
    first: Bytes,
    rest: Rest,
}

enum Rest {
    Complete,
    Coming(Arc<Exchange>),
    BrokenOff(BodyError),
}

impl Body {
    /// The body whose `first` content came with the head; all of it when `end`.
    pub(crate) fn new(first: Bytes, end: bool, exchange: &Arc<Exchange>) -> Self {
        let rest = if end {
            Rest::Complete
        } else {
            Rest::Coming(Arc::clone(exchange))
        };
        Self { first, rest }
    }

    /// Whether nothing is left to read, as far as is known without waiting.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.first.is_empty() && matches!(self.rest, Rest::Complete)
    }

    /// The next bytes; `None` at the end.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the client or the connection went away in the middle; again at each further call.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|context| self.poll_chunk(context)).await
    }

    /// All that is left, at most `bytes_max`. A body that came with its head is not copied.
    ///
    /// # Errors
    ///
    /// When it is longer, or breaks off.
    pub async fn bytes(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        let too_large = BodyError::TooLarge { bytes_max };
        let Some(first) = self.next().await.transpose()? else {
            return Ok(Bytes::new());
        };
        if first.len() > bytes_max {
            return Err(too_large);
        }
        let Some(second) = self.next().await.transpose()? else {
            return Ok(first);
        };
        let mut whole = BytesMut::from(first);
        let mut chunk = second;
        loop {
            if whole.len() + chunk.len() > bytes_max {
                return Err(too_large);
            }
            whole.extend_from_slice(&chunk);
            match self.next().await.transpose()? {
                Some(next) => chunk = next,
                None => return Ok(whole.freeze()),
            }
        }
    }

    fn poll_chunk(&mut self, context: &Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.first))));
        }
        let exchange = match &self.rest {
            Rest::Complete => return Poll::Ready(None),
            Rest::BrokenOff(error) => return Poll::Ready(Some(Err(error.clone()))),
            Rest::Coming(exchange) => exchange,
        };
        match exchange.poll_chunk(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) => Poll::Ready(Some(Ok(chunk))),
            Poll::Ready(None) => {
                self.rest = Rest::Complete;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(ended))) => {
                let error = broken_off(&ended);
                self.rest = Rest::BrokenOff(error.clone());
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

fn broken_off(ended: &Ended) -> BodyError {
    BodyError::BrokenOff {
        reason: ended.to_string(),
    }
}

impl Stream for Body {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_chunk(context)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Body")
            .field("first_bytes", &self.first.len())
            .field("finished", &self.is_finished())
            .finish()
    }
}
