//! One request in the App's thread: its way there, its answer's way back, and the certainty that
//! nothing of it runs any more.

use std::{convert::Infallible, future::poll_fn, panic::AssertUnwindSafe, pin::pin, rc::Rc};

use actix_http::{
    StatusCode,
    body::{BoxBody, MessageBody},
};
use actix_service::Service;
use futures::{
    FutureExt,
    future::{Either, select},
};
use tokio::sync::oneshot;

use super::{
    inbound,
    outbound::{self, Rest},
};
use crate::{error::HandlerError, request::Request, response::Response};

/// A request for the App. Nothing of it runs any more once this is dropped.
pub(super) struct Job {
    request: Request,
    outcome: oneshot::Sender<Outcome>,
    /// Says by its end that the job has ended.
    over: oneshot::Sender<Infallible>,
}

/// What the thread of the session keeps of a job.
pub(super) struct Watch {
    /// How it went. To drop it is to give the job up.
    pub(super) outcome: oneshot::Receiver<Outcome>,
    over: oneshot::Receiver<Infallible>,
}

/// What became of a request.
pub(super) enum Outcome {
    /// The App has answered, or failed to.
    Answered(Result<Response, HandlerError>),
    /// It may not be handled any more, and no handler has begun.
    NotBegun,
}

impl Job {
    pub(super) fn new(request: Request) -> (Self, Watch) {
        let (answer, outcome) = oneshot::channel();
        let (ending, over) = oneshot::channel();
        let job = Self {
            request,
            outcome: answer,
            over: ending,
        };
        (job, Watch { outcome, over })
    }

    /// Has the App answer, unless nobody wants the answer any more.
    pub(super) async fn run<S, B>(self, service: Rc<S>)
    where
        S: Service<actix_http::Request>,
        S::Error: Into<actix_web::Error>,
        S::Response: Into<actix_http::Response<B>>,
        B: MessageBody + 'static,
    {
        let Self {
            request,
            mut outcome,
            over: _over,
        } = self;
        if outcome.is_closed() {
            return;
        }
        if !request.grant().is_in_force() {
            let _given_up = outcome.send(Outcome::NotBegun);
            return;
        }
        let answered = {
            let work = AssertUnwindSafe(answer(&*service, request)).catch_unwind();
            let (work, given_up) = (pin!(work), pin!(outcome.closed()));
            match select(work, given_up).await {
                Either::Left((answered, _)) => answered,
                Either::Right(((), _)) => return,
            }
        };
        let answered = answered.unwrap_or_else(|_panic| Err(HandlerError::new("it panicked")));
        let (response, rest) = match answered {
            Ok((response, rest)) => (Ok(response), rest),
            Err(error) => (Err(error), None),
        };
        let sent = outcome.send(Outcome::Answered(response));
        if let (Ok(()), Some(rest)) = (sent, rest) {
            rest.send().await;
        }
    }
}

impl Watch {
    /// Gives the job up if it still runs, and waits until it has ended.
    pub(super) async fn over(self) {
        let Self { outcome, over } = self;
        drop(outcome);
        let _ended = over.await;
    }
}

async fn answer<S, B>(
    service: &S,
    request: Request,
) -> Result<(Response, Option<Rest>), HandlerError>
where
    S: Service<actix_http::Request>,
    S::Error: Into<actix_web::Error>,
    S::Response: Into<actix_http::Response<B>>,
    B: MessageBody + 'static,
{
    let bodiless = request.method() == "HEAD";
    let request = match inbound::from_session(request) {
        Ok(request) => request,
        Err(error) => {
            log::debug!(error:%; "a request is not for an App");
            let refused = actix_http::Response::new(StatusCode::BAD_REQUEST);
            return outbound::to_session(refused, bodiless).await;
        }
    };
    let answered = match poll_fn(|context| service.poll_ready(context)).await {
        Ok(()) => service.call(request).await,
        Err(error) => Err(error),
    };
    let response: actix_http::Response<BoxBody> = match answered {
        Ok(response) => response.into().map_into_boxed_body(),
        Err(error) => error.into().into(),
    };
    outbound::to_session(response, bodiless).await
}
