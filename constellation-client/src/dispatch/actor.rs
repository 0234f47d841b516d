//! Requests handled by one actix actor per key. The actor lives from the first request under a
//! grant until the key is given back; what it keeps between requests is its own.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use actix_rt::task::JoinHandle;
use constellation_actors::ownership::reason::ReleaseReason;
use futures::{FutureExt, future::LocalBoxFuture};

use super::{Call, Dispatch, Resource};
use crate::{error::HandlerError, grant::Grant, request::Request, response::Response};

/// The last message to an actor that handles the requests of a key: the key is given back.
///
/// Once the handler of this message is done, the actor is stopped, with everything it has begun in
/// its context, and the key may get another owner. A handler that takes longer than the worker's
/// `closing_timeout` is stopped in the middle; when the lease has ended, already after the lease's
/// margin. That needs a handler that answers with [`actix::ResponseActFuture`] or
/// [`actix::AtomicResponse`]: an [`actix::ResponseFuture`] is the system's, and would go on beside
/// the next owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct Closing {
    /// Why the key is given back.
    pub reason: ReleaseReason,
}

/// An actor for each key.
pub(crate) struct Actors<F> {
    factory: Rc<F>,
    concurrency: Concurrency,
}

/// How many requests of one key its actor gets at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concurrency {
    /// One; at most this many wait for their turn.
    OneAtATime { waiting_max: usize },
    /// All that come.
    Unlimited,
}

impl<F> Actors<F> {
    pub(crate) fn new(factory: F, concurrency: Concurrency) -> Self {
        Self {
            factory: Rc::new(factory),
            concurrency,
        }
    }
}

impl<A, F> Dispatch for Actors<F>
where
    A: Actor<Context = Context<A>> + Handler<Request> + Handler<Closing>,
    F: Fn(Grant) -> A + 'static,
{
    fn resource(&self, grant: &Grant) -> Rc<dyn Resource> {
        Rc::new(KeyActor {
            grant: grant.clone(),
            factory: Rc::clone(&self.factory),
            concurrency: self.concurrency,
            actor: RefCell::new(None),
            waiting: RefCell::new(VecDeque::new()),
            busy: Cell::new(false),
        })
    }
}

/// The actor of one key, when there is one, and the requests that wait for it.
struct KeyActor<A: Actor, F> {
    grant: Grant,
    factory: Rc<F>,
    concurrency: Concurrency,
    actor: RefCell<Option<Running<A>>>,
    waiting: RefCell<VecDeque<(Call, Request)>>,
    /// Whether a task works on what waits.
    busy: Cell<bool>,
}

/// An actor and the task it runs in. Dropped, it stops.
struct Running<A: Actor> {
    address: Addr<A>,
    task: JoinHandle<()>,
}

impl<A: Actor> Drop for Running<A> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<A, F> KeyActor<A, F>
where
    A: Actor<Context = Context<A>> + Handler<Request> + Handler<Closing>,
    F: Fn(Grant) -> A + 'static,
{
    /// The actor's address. Starts it if there is none, or if it has stopped by itself or by a
    /// panic.
    fn address(&self) -> Addr<A> {
        let mut actor = self.actor.borrow_mut();
        if let Some(running) = &*actor
            && running.address.connected()
            && !running.task.is_finished()
        {
            return running.address.clone();
        }
        let context = Context::new();
        let address = context.address();
        // In a task of its own that can be stopped: an actor would otherwise go on for as long
        // as it has anything to do, a timer for example.
        let task = actix_rt::spawn(context.into_future((self.factory)(self.grant.clone())));
        *actor = Some(Running {
            address: address.clone(),
            task,
        });
        address
    }

    async fn ask(&self, request: Request) -> Result<Response, HandlerError> {
        match self.address().send(request).await {
            Ok(answer) => answer,
            Err(_closed) => Err(HandlerError::new("its actor stopped before it answered")),
        }
    }

    /// Handles a request; `None` when there is nobody to answer or it may not begin any more.
    async fn attend(&self, call: Call, request: Request) -> Option<(Call, Response)> {
        let call = call.begin()?;
        let response = call.attend(self.ask(request)).await?;
        Some((call, response))
    }

    async fn handle(self: Rc<Self>, call: Call, request: Request) {
        if let Some((call, response)) = self.attend(call, request).await {
            call.respond(response).await;
        }
    }

    async fn handle_waiting(self: Rc<Self>) {
        loop {
            let next = self.waiting.borrow_mut().pop_front();
            let Some((call, request)) = next else { break };
            if let Some((call, response)) = self.attend(call, request).await {
                if call.is_sent_at_once(&response) {
                    call.respond(response).await;
                } else {
                    // A long answer on its way does not hold up the key.
                    actix_rt::spawn(call.respond(response));
                }
            }
        }
        self.busy.set(false);
    }
}

impl<A, F> Resource for KeyActor<A, F>
where
    A: Actor<Context = Context<A>> + Handler<Request> + Handler<Closing>,
    F: Fn(Grant) -> A + 'static,
{
    fn take(self: Rc<Self>, call: Call, request: Request) {
        let Concurrency::OneAtATime { waiting_max } = self.concurrency else {
            actix_rt::spawn(self.handle(call, request));
            return;
        };
        if self.waiting.borrow().len() >= waiting_max {
            return call.overload("too many requests wait for the key");
        }
        self.waiting.borrow_mut().push_back((call, request));
        if !self.busy.replace(true) {
            actix_rt::spawn(self.handle_waiting());
        }
    }

    fn refuse_waiting(&self) {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for (call, _) in waiting {
            call.refuse();
        }
    }

    fn tell_closing(self: Rc<Self>, reason: ReleaseReason) -> LocalBoxFuture<'static, ()> {
        let address = self
            .actor
            .borrow()
            .as_ref()
            .map(|running| running.address.clone());
        async move {
            if let Some(address) = address
                && let Err(error) = address.send(Closing { reason }).await
            {
                log::debug!(key:% = self.grant.key(), error:%; "an actor was gone before its key");
            }
        }
        .boxed_local()
    }

    fn stop(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        async move {
            let running = self.actor.borrow_mut().take();
            if let Some(mut running) = running {
                running.task.abort();
                // Its end, whether regular, by the abort or by a panic, is all that is waited for.
                let _ended = (&mut running.task).await;
            }
        }
        .boxed_local()
    }
}

impl<A: Actor, F> fmt::Debug for KeyActor<A, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyActor")
            .field("grant", &self.grant)
            .field("concurrency", &self.concurrency)
            .field("running", &self.actor.borrow().is_some())
            .field("waiting", &self.waiting.borrow().len())
            .finish_non_exhaustive()
    }
}
