//! Requests handled by a plain function: all at once, nothing kept between them, and a task for each
//! that has to wait for something.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use constellation_actors::ownership::reason::ReleaseReason;
use futures::future::LocalBoxFuture;

use super::{Call, Dispatch, Resource, nothing};
use crate::{grant::Grant, request::Request, response::IntoResponse};

/// A function that handles every request of a worker.
pub(crate) struct Function<F>(Rc<Handler<F>>);

struct Handler<F>(F);

impl<F> Function<F> {
    pub(crate) fn new(function: F) -> Self {
        Self(Rc::new(Handler(function)))
    }
}

impl<F, A> Dispatch for Function<F>
where
    F: Fn(Request) -> A + 'static,
    A: Future<Output: IntoResponse> + 'static,
{
    fn resource(&self, _grant: &Grant) -> Rc<dyn Resource> {
        Rc::clone(&self.0) as Rc<dyn Resource>
    }
}

impl<F, A> Resource for Handler<F>
where
    F: Fn(Request) -> A + 'static,
    A: Future<Output: IntoResponse> + 'static,
{
    fn take(self: Rc<Self>, call: Call, request: Request) {
        let mut answering = Box::pin(async move {
            let Some(call) = call.begin() else { return };
            // Called inside the future, so that a panic before its first wait is caught as well.
            let work = async { (self.0)(request).await.into_response() };
            if let Some(response) = call.attend(work).await {
                call.respond(response).await;
            }
        });
        // Most handlers answer at once; for them no task is set up. One that does not is polled
        // again by its task, which tells it whom to wake. A panic ends no more than it would there.
        let mut context = Context::from_waker(Waker::noop());
        let begun = AssertUnwindSafe(|| answering.as_mut().poll(&mut context));
        if let Ok(Poll::Pending) = catch_unwind(begun) {
            actix_rt::spawn(answering);
        }
    }

    fn refuse_waiting(&self) {}

    fn tell_closing(self: Rc<Self>, _reason: ReleaseReason) -> LocalBoxFuture<'static, ()> {
        nothing()
    }

    fn stop(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        nothing()
    }
}
