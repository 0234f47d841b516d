//! One exchange as the code around a handler sees it: a place in the session's mux, and whether
//! its request was given up. It decides nothing; whoever accepted it closes it in the end.

use std::{
    fmt,
    future::{Future, poll_fn},
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use constellation_actors::protocol::{
    frame::{SizeLimits, StreamId, code::ResetCode},
    head::RequestHead,
    mux::{error::RespondError, event::Ended, shared::Shared},
};

/// A request that came in, and the way back for its response.
pub(crate) struct Exchange {
    mux: Shared,
    stream: StreamId,
    sizes: SizeLimits,
    head: RequestHead,
    upgrade: bool,
    cancellation: Mutex<Cancellation>,
}

/// Whether the request was given up, and who wants to know.
enum Cancellation {
    Awaited(Vec<Waker>),
    Cancelled,
}

impl Exchange {
    pub(crate) fn new(
        mux: Shared,
        stream: StreamId,
        sizes: SizeLimits,
        head: RequestHead,
        upgrade: bool,
    ) -> Self {
        let cancellation = Mutex::new(Cancellation::Awaited(Vec::new()));
        Self {
            mux,
            stream,
            sizes,
            head,
            upgrade,
            cancellation,
        }
    }

    /// Whether it becomes a tunnel if its answer is 101.
    pub(crate) fn is_upgrade(&self) -> bool {
        self.upgrade
    }

    pub(crate) fn head(&self) -> &RequestHead {
        &self.head
    }

    pub(crate) fn sizes(&self) -> SizeLimits {
        self.sizes
    }

    pub(crate) fn poll_chunk(&self, context: &Context<'_>) -> Poll<Option<Result<Bytes, Ended>>> {
        self.mux.with(|mux| mux.poll_chunk(self.stream, context))
    }

    pub(crate) fn poll_respond(
        &self,
        context: &Context<'_>,
        end: bool,
        head: impl FnOnce(&mut BytesMut),
    ) -> Poll<Result<(), RespondError>> {
        self.mux
            .with(|mux| mux.poll_respond(self.stream, context, end, head))
    }

    pub(crate) fn poll_content(
        &self,
        context: &Context<'_>,
        content: &mut Bytes,
        end: bool,
    ) -> Poll<Result<(), Ended>> {
        self.mux
            .with(|mux| mux.poll_content(self.stream, context, content, end))
    }

    /// Waits until everything that was taken in is on its way, or never will be.
    pub(crate) fn poll_sent(&self, context: &Context<'_>) -> Poll<()> {
        self.mux.with(|mux| mux.poll_sent(self.stream, context))
    }

    /// Why the peer ended the exchange, once it did. One task at a time may wait for it.
    pub(crate) fn poll_ended(&self, context: &Context<'_>) -> Poll<Ended> {
        self.mux
            .with(|mux| mux.poll_cancelled(self.stream, context))
    }

    /// Whether the peer has ended the exchange.
    pub(crate) fn is_ended(&self) -> bool {
        let waker = Waker::noop();
        self.poll_ended(&Context::from_waker(waker)).is_ready()
    }

    /// Ends the exchange in both directions, unless it is over.
    pub(crate) fn reset(&self, code: ResetCode, reason: &str) {
        self.mux.with(|mux| mux.reset(self.stream, code, reason));
    }

    /// Forgets the exchange, and cancels it unless it is over.
    pub(crate) fn close(&self) {
        self.mux.with(|mux| mux.close(self.stream));
    }

    /// Lets everyone know who waits in [`cancelled`](Self::cancelled).
    pub(crate) fn cancel(&self) {
        let before = std::mem::replace(&mut *self.cancellation(), Cancellation::Cancelled);
        match before {
            Cancellation::Awaited(waiting) => waiting.into_iter().for_each(Waker::wake),
            Cancellation::Cancelled => {}
        }
    }

    /// Waits until the request was given up.
    pub(crate) fn cancelled(&self) -> impl Future<Output = ()> {
        poll_fn(|context| match &mut *self.cancellation() {
            Cancellation::Cancelled => Poll::Ready(()),
            Cancellation::Awaited(waiting) => {
                if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    waiting.push(context.waker().clone());
                }
                Poll::Pending
            }
        })
    }

    fn cancellation(&self) -> MutexGuard<'_, Cancellation> {
        self.cancellation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// An exchange that is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<Exchange>);

impl Open {
    pub(crate) fn new(exchange: Arc<Exchange>) -> Self {
        Self(exchange)
    }

    /// Sends its request back as not begun.
    pub(crate) fn refuse(self) {
        self.reset(ResetCode::Refused, "the lease or the ownership is over");
    }
}

impl Deref for Open {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.cancel();
        self.close();
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Exchange")
            .field("stream", &self.stream)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}
