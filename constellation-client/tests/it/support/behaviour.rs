//! An actor and a function that do what the query of a request says, so that a test can have any
//! request fail, wait or be answered.

use actix::{Actor, Context, Handler, ResponseActFuture, WrapFuture};
use constellation_client::{Closing, Grant, HandlerError, ReleaseReason, Request, Response};
use futures::{FutureExt, future::LocalBoxFuture};
use serde_json::json;

use super::gate::Gate;

/// Counts the requests of a key, in its memory alone.
pub(crate) struct Counter {
    grant: Grant,
    gate: Gate,
    requests: u64,
    /// Whether it closes only when the gate lets it.
    slow: bool,
}

impl Counter {
    pub(crate) fn new(grant: Grant, gate: &Gate) -> Self {
        Self {
            grant,
            gate: gate.clone(),
            requests: 0,
            slow: false,
        }
    }

    /// One that the gate holds up when it closes.
    pub(crate) fn closing_slowly(self) -> Self {
        Self { slow: true, ..self }
    }
}

impl Actor for Counter {
    type Context = Context<Self>;
}

impl Handler<Request> for Counter {
    type Result = ResponseActFuture<Self, Result<Response, HandlerError>>;

    fn handle(&mut self, request: Request, _: &mut Self::Context) -> Self::Result {
        self.requests += 1;
        let answer = json!({
            "key": self.grant.key().as_str(),
            "epoch": self.grant.epoch().get(),
            "controller": self.grant.controller(),
            "requests": self.requests,
        });
        let gate = self.gate.clone();
        let work = async move {
            match request.query() {
                Some("panic") => panic!("asked to"),
                Some("fail") => Err(HandlerError::new("asked to")),
                Some("wait") => {
                    gate.pass(request.key()).await;
                    Ok(Response::ok().json(&answer))
                }
                // What an actor does whose work is not to end with its client.
                Some("cancelled") => {
                    gate.note("begun");
                    request.cancelled().await;
                    gate.note("cancelled");
                    Ok(Response::ok())
                }
                _ => Ok(Response::ok().json(&answer)),
            }
        };
        Box::pin(work.into_actor(self))
    }
}

impl Handler<Closing> for Counter {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, closing: Closing, _: &mut Self::Context) -> Self::Result {
        let gate = self.gate.clone();
        let (slow, reason) = (self.slow, closing.reason);
        let (key, epoch) = (self.grant.key().clone(), self.grant.epoch());
        let closing = async move {
            let name = closing_name(&key, epoch.get(), reason);
            if slow {
                gate.pass(&name).await;
            } else {
                gate.note(name);
            }
        };
        Box::pin(closing.into_actor(self))
    }
}

/// The same without anything kept.
pub(crate) fn function(
    gate: &Gate,
) -> impl Fn(Request) -> LocalBoxFuture<'static, Result<Response, HandlerError>> + use<> {
    let gate = gate.clone();
    move |request| {
        let gate = gate.clone();
        async move {
            match request.query() {
                Some("panic") => panic!("asked to"),
                Some("fail") => Err(HandlerError::new("asked to")),
                Some("wait") => {
                    gate.pass(request.key()).await;
                    Ok(Response::ok().json(&request.key().as_str()))
                }
                _ => Ok(Response::ok().json(&request.key().as_str())),
            }
        }
        .boxed_local()
    }
}

/// What the gate calls the closing of a counter.
pub(crate) fn closing_name(key: &str, epoch: u64, reason: ReleaseReason) -> String {
    format!("closing {key} of {epoch}: {reason}")
}
