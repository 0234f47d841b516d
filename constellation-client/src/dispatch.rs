//! From an accepted request to its answer: whether it may still run, how long, and what becomes of
//! it when its handler fails. It never chooses what handles a request; that is a [`Resource`].

use std::{
    fmt,
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::Poll,
};

use bytes::Bytes;
use constellation_actors::{
    ownership::reason::ReleaseReason,
    protocol::frame::{INLINE_BYTES_MAX, code::ResetCode},
};
use futures::{
    FutureExt, StreamExt,
    future::{Either, LocalBoxFuture, select},
};

pub(crate) mod actor;
pub(crate) mod function;

use crate::{
    domain::Domain,
    error::HandlerError,
    exchange::{Exchange, Open},
    grant::Grant,
    holding::Holding,
    problem::Problem,
    request::Request,
    response::{Asked, Content, ContentStream, Head, Response},
};

/// What handles the requests of a worker.
pub(crate) trait Dispatch {
    /// What handles the requests of one granted key. Begins nothing before the first of them.
    fn resource(&self, grant: &Grant) -> Rc<dyn Resource>;

    /// Gets ready for the first request; no controller is dialled before that.
    fn prepare(&self) -> LocalBoxFuture<'static, Result<(), HandlerError>> {
        std::future::ready(Ok(())).boxed_local()
    }
}

/// What handles the requests of one granted key.
pub(crate) trait Resource {
    /// Handles a request, now or later.
    fn take(self: Rc<Self>, call: Call, request: Request);

    /// Refuses the requests that were taken and not begun.
    fn refuse_waiting(&self);

    /// Tells what is behind it that the key is given back, and waits until that is done.
    fn tell_closing(self: Rc<Self>, reason: ReleaseReason) -> LocalBoxFuture<'static, ()>;

    /// Ends what is behind it, done or not.
    fn stop(self: Rc<Self>) -> LocalBoxFuture<'static, ()>;
}

/// A request that was accepted. It counts as running until this is dropped, which closes its
/// exchange.
pub(crate) struct Call {
    exchange: Open,
    running: Running,
    domain: Rc<Domain>,
}

/// Counts as running, under its holding, until this is dropped.
pub(crate) struct Running(Rc<Holding>);

/// How waiting for a handler ended.
enum Attended {
    Answered(Result<Response, HandlerError>),
    Panicked,
    Ended,
    Withdrawn,
    TimedOut,
}

/// What comes next of a streamed response.
enum Part {
    Content(Bytes),
    End,
    Failed(HandlerError),
    /// Nobody waits for it any more.
    Unwanted,
}

impl Call {
    pub(crate) fn new(exchange: Arc<Exchange>, holding: Rc<Holding>, domain: Rc<Domain>) -> Self {
        Self {
            exchange: Open::new(exchange),
            running: Running::new(holding),
            domain,
        }
    }

    fn holding(&self) -> &Rc<Holding> {
        &self.running.0
    }

    /// Counts as running beside the call, for work of it that another thread ends a moment later.
    #[cfg(feature = "hosting")]
    pub(crate) fn stay(&self) -> Running {
        Running::new(Rc::clone(self.holding()))
    }

    /// Sends the request back as not begun, so that the controller may place it elsewhere. At once,
    /// or when its key is given back, if that has begun.
    pub(crate) fn refuse(self) {
        let holding = Rc::clone(self.holding());
        let Self { exchange, .. } = self;
        holding.refuse(exchange);
    }

    /// Sends the request back as not begun, because of a limit here.
    pub(crate) fn overload(self, reason: &str) {
        self.exchange.reset(ResetCode::Overloaded, reason);
    }

    /// The last look before the handler begins: `None` when nobody waits for the answer any more,
    /// or this worker may not act for the key now. Then the request is sent back as not begun.
    pub(crate) fn begin(self) -> Option<Self> {
        if self.exchange.is_ended() {
            return None;
        }
        if !self.is_current() {
            self.refuse();
            return None;
        }
        Some(self)
    }

    /// Whether this worker may act for the key now.
    fn is_current(&self) -> bool {
        self.domain.may_act(self.holding().id())
    }

    /// Lets `work` answer the request, unless it takes too long or nobody wants the answer any
    /// more. Then it is dropped. A failure is turned into what the client is told.
    ///
    /// `None` when there is nobody to answer.
    pub(crate) async fn attend(
        &self,
        work: impl Future<Output = Result<Response, HandlerError>>,
    ) -> Option<Response> {
        match self.wait_for(work).await {
            Attended::Answered(Ok(response)) => Some(response),
            Attended::Answered(Err(error)) => Some(self.failed(&error)),
            Attended::Panicked => Some(self.failed(&HandlerError::new("it panicked"))),
            Attended::TimedOut => {
                log::warn!(key:% = self.key(), request = self.request_id(); "a handler took too long");
                Some(self.problem(Problem::Timeout))
            }
            Attended::Ended => None,
            Attended::Withdrawn => {
                self.break_off();
                None
            }
        }
    }

    async fn wait_for(
        &self,
        work: impl Future<Output = Result<Response, HandlerError>>,
    ) -> Attended {
        let mut work = pin!(AssertUnwindSafe(work).catch_unwind());
        let answered = |output| match output {
            Ok(answer) => Attended::Answered(answer),
            Err(_panic) => Attended::Panicked,
        };
        // Most handlers answer at once; for them nothing else is set up.
        if let Poll::Ready(output) =
            poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await
        {
            return answered(output);
        }
        let settings = self.domain.settings();
        let mut timeout = pin!(settings.clock.sleep(settings.handler_timeout));
        let mut withdrawal = pin!(self.holding().withdrawal());
        poll_fn(|context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(answered(output));
            }
            if self.exchange.poll_ended(context).is_ready() {
                return Poll::Ready(Attended::Ended);
            }
            if withdrawal.as_mut().poll(context).is_ready() {
                return Poll::Ready(Attended::Withdrawn);
            }
            timeout.as_mut().poll(context).map(|()| Attended::TimedOut)
        })
        .await
    }

    /// Sends the response, its body as fast as the client reads it.
    pub(crate) async fn respond(self, response: Response) {
        let asked = self.asked();
        let head_bytes_max = self.exchange.sizes().head_bytes_max as usize;
        let ready = response
            .finish(asked, head_bytes_max)
            .or_else(|error| self.failed(&error).finish(asked, head_bytes_max));
        let Ok(ready) = ready else {
            return self
                .exchange
                .reset(ResetCode::Internal, "the worker's error does not fit");
        };
        if !self.is_current() {
            return self.break_off();
        }
        if ready.head.is_switching() {
            return self.tunnel(ready.head, ready.content).await;
        }
        let send = pin!(self.send(ready.head, ready.content));
        let withdrawal = pin!(self.holding().withdrawal());
        match select(send, withdrawal).await {
            Either::Left(((), _)) => {}
            Either::Right(((), _)) => self.break_off(),
        }
    }

    fn asked(&self) -> Asked {
        match self.exchange.head().method() {
            "HEAD" => Asked::Head,
            _ if self.exchange.is_upgrade() => Asked::Upgrade,
            _ => Asked::Content,
        }
    }

    /// Carries a tunnel until either side has closed it, or for the time of a goodbye after its key
    /// is being given back.
    async fn tunnel(&self, head: Head, content: Content) {
        let settings = self.domain.settings();
        let ended = {
            let carry = pin!(self.send(head, content));
            let goodbye = pin!(async {
                self.holding().leaving().await;
                settings.clock.sleep(settings.tunnel_goodbye).await;
            });
            let withdrawal = pin!(self.holding().withdrawal());
            match select(carry, select(goodbye, withdrawal)).await {
                Either::Left(((), _)) => true,
                Either::Right(_) => false,
            }
        };
        if ended {
            return;
        }
        // What it said last is sent first, and ends with a whole frame: nothing can follow half of
        // one.
        let sent = pin!(poll_fn(|context| self.exchange.poll_sent(context)));
        let patience = pin!(settings.clock.sleep(settings.tunnel_goodbye));
        let withdrawal = pin!(self.holding().withdrawal());
        select(sent, select(patience, withdrawal)).await;
        self.break_off();
    }

    /// Whether sending this response waits for nothing but room for its head.
    pub(crate) fn is_sent_at_once(&self, response: &Response) -> bool {
        response
            .whole_bytes()
            .is_some_and(|bytes| bytes <= self.inline_bytes_max())
    }

    fn inline_bytes_max(&self) -> usize {
        INLINE_BYTES_MAX.min(self.exchange.sizes().data_bytes_max as usize)
    }

    async fn send(&self, head: Head, content: Content) {
        match content {
            Content::Whole(bytes) => self.send_whole(&head, bytes).await,
            Content::Stream(stream) => self.send_stream(&head, stream).await,
        }
    }

    async fn send_whole(&self, head: &Head, mut bytes: Bytes) {
        let inline = bytes.split_to(bytes.len().min(self.inline_bytes_max()));
        let end = bytes.is_empty();
        if self.send_head(head, &inline, end).await && !end {
            self.send_content(bytes, true).await;
        }
    }

    async fn send_stream(&self, head: &Head, mut stream: ContentStream) {
        if !self.send_head(head, &Bytes::new(), false).await {
            return;
        }
        loop {
            match self.next_part(&mut stream).await {
                Part::Content(chunk) if chunk.is_empty() => {}
                Part::Content(chunk) => {
                    if !self.send_content(chunk, false).await {
                        return;
                    }
                }
                Part::End => {
                    self.send_content(Bytes::new(), true).await;
                    return;
                }
                Part::Failed(error) => {
                    self.log_failure(&error);
                    return self
                        .exchange
                        .reset(ResetCode::Internal, "the response broke off");
                }
                Part::Unwanted => return,
            }
        }
    }

    async fn next_part(&self, stream: &mut ContentStream) -> Part {
        let mut next = pin!(AssertUnwindSafe(stream.next()).catch_unwind());
        poll_fn(|context| {
            if let Poll::Ready(output) = next.as_mut().poll(context) {
                return Poll::Ready(match output {
                    Ok(Some(Ok(chunk))) => Part::Content(chunk),
                    Ok(Some(Err(error))) => Part::Failed(error),
                    Ok(None) => Part::End,
                    Err(_panic) => Part::Failed(HandlerError::new("its stream panicked")),
                });
            }
            self.exchange
                .poll_ended(context)
                .map(|_ended| Part::Unwanted)
        })
        .await
    }

    /// Tells whether the head went out.
    async fn send_head(&self, head: &Head, inline: &Bytes, end: bool) -> bool {
        let write = |buffer: &mut bytes::BytesMut| {
            head.write(buffer);
            buffer.extend_from_slice(inline);
        };
        match poll_fn(|context| self.exchange.poll_respond(context, end, write)).await {
            Ok(()) => true,
            Err(error) => {
                log::debug!(key:% = self.key(), error:%; "a response was not sent");
                false
            }
        }
    }

    /// Tells whether the content went out, or is about to.
    async fn send_content(&self, mut content: Bytes, end: bool) -> bool {
        let sent = poll_fn(|context| self.exchange.poll_content(context, &mut content, end)).await;
        if let Err(error) = &sent {
            log::debug!(key:% = self.key(), error:%; "a response was not sent to its end");
        }
        sent.is_ok()
    }

    fn break_off(&self) {
        let reason = self
            .holding()
            .closing()
            .unwrap_or(ReleaseReason::LeaseEnded);
        let code = if self.exchange.is_upgrade() {
            ResetCode::Moved
        } else {
            ResetCode::Internal
        };
        self.exchange.reset(code, &reason.to_string());
    }

    fn failed(&self, error: &HandlerError) -> Response {
        self.log_failure(error);
        self.problem(Problem::Internal)
    }

    fn log_failure(&self, error: &HandlerError) {
        log::error!(key:% = self.key(), request = self.request_id(), error:%; "a handler failed");
    }

    fn problem(&self, problem: Problem) -> Response {
        problem.response(self.holding().grant().key())
    }

    fn key(&self) -> &str {
        self.holding().grant().key()
    }

    fn request_id(&self) -> &str {
        let mut fields = self.exchange.head().fields().iter();
        let id = fields
            .find(|field| field.name_bytes() == b"x-request")
            .map(|field| field.value());
        id.and_then(|id| std::str::from_utf8(id).ok())
            .unwrap_or_default()
    }
}

impl Running {
    fn new(holding: Rc<Holding>) -> Self {
        holding.enter();
        Self(holding)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("exchange", &*self.exchange)
            .finish_non_exhaustive()
    }
}

/// A future that is done.
pub(crate) fn nothing() -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(std::future::ready(()))
}
