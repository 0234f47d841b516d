//! The direction from the worker to the client: the body of the 101. It passes bytes on as they
//! are, and adds nothing to them but a last Close frame, where the worker sent none.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use actix_rt::time::{Sleep, sleep};
use bytes::Bytes;
use futures::Stream;

use super::{Ending, Tunnel};
use crate::protocol::websocket::{Walker, close_frame};

/// How long a client may take to answer the last Close frame, before its connection is closed.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// What the HTTP layer says of a connection that was closed [regularly](Closed::Regularly).
const REGULARLY: &str = "a websocket has closed";

/// Where it says that.
const HTTP_LAYER: &str = "actix_http";

/// Why the client's connection is closed at once. The HTTP layer below would otherwise wait for a
/// while whether more of the request comes.
#[derive(thiserror::Error)]
pub(super) enum Closed {
    #[error("{REGULARLY}")]
    Regularly,
    #[error("a websocket was cut off inside a frame: {0}")]
    InsideFrame(&'static str),
}

/// The same words as for people: the HTTP layer logs this.
impl fmt::Debug for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Whether a record says no more than that a websocket has closed as it should. The HTTP layer
/// takes that for an error.
pub(crate) fn is_noise(record: &log::Record<'_>) -> bool {
    record.target().starts_with(HTTP_LAYER) && record.args().to_string().ends_with(REGULARLY)
}

/// The bytes for the client.
pub(super) struct Down {
    tunnel: Arc<Tunnel>,
    walker: Walker,
    /// What came with the answer.
    first: Bytes,
    stage: Stage,
}

enum Stage {
    /// Bytes pass.
    Open,
    /// The last frame has passed, and the client may answer it.
    Closing(Pin<Box<Sleep>>),
    Over,
}

type Item = Option<Result<Bytes, Closed>>;

impl Down {
    pub(super) fn new(tunnel: Arc<Tunnel>, first: Bytes) -> Self {
        Self {
            tunnel,
            walker: Walker::new(),
            first,
            stage: Stage::Open,
        }
    }

    fn pass(&mut self, bytes: Bytes) -> Item {
        self.walker.walk(&bytes);
        if self.walker.has_closed() {
            self.tunnel.close_sent.store(true, Ordering::Release);
        }
        self.tunnel.touch();
        Some(Ok(bytes))
    }

    /// Nothing more comes from the worker. What the client still gets, if anything.
    fn finish(&mut self, ending: Ending) -> Item {
        let ending = self.tunnel.leave(ending);
        self.tunnel.exchange.close();
        self.stage = Stage::Over;
        let close = ending.close();
        if !self.walker.is_at_boundary() {
            let words = close.map_or("the worker closed it", |(_, words)| words);
            return Some(Err(Closed::InsideFrame(words)));
        }
        if self.walker.has_closed() || close.is_some() {
            self.stage = Stage::Closing(Box::pin(sleep(ANSWER_WITHIN)));
        }
        let (code, words) = close.filter(|_| !self.walker.has_closed())?;
        self.pass(close_frame(code, words))
    }

    /// Waits until the client has closed its side.
    fn poll_closing(&mut self, context: &mut Context<'_>) -> Poll<Item> {
        let Stage::Closing(patience) = &mut self.stage else {
            return Poll::Ready(None);
        };
        self.tunnel.down.register(context.waker());
        let came = self.tunnel.close_came.load(Ordering::Acquire);
        let answered = self.tunnel.close_answered.load(Ordering::Acquire);
        if !came && patience.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.stage = Stage::Over;
        // A client that answered has read everything. One that spoke first may not have yet.
        Poll::Ready(answered.then_some(Err(Closed::Regularly)))
    }
}

impl Stream for Down {
    type Item = Result<Bytes, Closed>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Item> {
        let this = self.get_mut();
        if !this.first.is_empty() {
            let first = std::mem::take(&mut this.first);
            return Poll::Ready(this.pass(first));
        }
        match &this.stage {
            Stage::Open => {}
            Stage::Closing(_) => return this.poll_closing(context),
            Stage::Over => return Poll::Ready(None),
        }
        let ending = match this.tunnel.exchange.poll_chunk(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) => return Poll::Ready(this.pass(chunk)),
            // Whoever is asked to let a key go may end its tunnels in this way too.
            Poll::Ready(None) if !this.tunnel.route.is_open() => Ending::Moved,
            Poll::Ready(None) => Ending::Closed,
            Poll::Ready(Some(Err(ended))) => Ending::of(&ended),
        };
        match this.finish(ending) {
            Some(last) => Poll::Ready(Some(last)),
            None => this.poll_closing(context),
        }
    }
}

impl Drop for Down {
    fn drop(&mut self) {
        self.tunnel.leave(Ending::ClientGone);
        // The direction up still has to deliver what the client sent last, and then cancels.
        self.tunnel.note_client_gone();
    }
}
