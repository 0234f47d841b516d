//! The actor of one key: executes its requests one at a time, away from the thread that keeps the
//! lease, and lets go of the key only when nothing of it runs. Knows nothing of leases.

use std::{rc::Rc, sync::Arc};

use actix::{Actor, Context, Handler, ResponseFuture};
use actix_rt::task::spawn_blocking;
use constellation_client::{Closing, Grant, HandlerError, Request, Response};

use super::{Site, execution::Execution, ownership::Ownership, plan::Plan};
use crate::{
    journal::Outcome,
    names::{Key, Row},
};

/// The header of an answer that says what the execution came to.
pub(crate) const OUTCOME: &str = "x-outcome";

/// What owns one key.
#[derive(Debug)]
pub(super) struct Keeper {
    grant: Rc<Grant>,
    /// `None` for a key without a database.
    ownership: Option<Arc<Ownership>>,
}

impl Keeper {
    pub(super) fn new(grant: Rc<Grant>, site: Arc<Site>) -> Self {
        let key = Key::from_path(grant.key().as_str());
        let ownership = key.map(|key| Arc::new(Ownership::begin(site, key, grant.epoch())));
        Self { grant, ownership }
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;
}

impl Handler<Request> for Keeper {
    type Result = ResponseFuture<Result<Response, HandlerError>>;

    fn handle(&mut self, request: Request, _: &mut Self::Context) -> Self::Result {
        let Some(ownership) = &self.ownership else {
            let answer = answer(&self.grant, Outcome::Done, Row(0));
            return Box::pin(async { Ok(answer) });
        };
        let Some(plan) = Plan::new(request.method(), request.query()) else {
            return Box::pin(async { Ok(Response::new(400).body("no id")) });
        };
        let execution = Execution::begin(Arc::clone(ownership), plan);
        let grant = Rc::clone(&self.grant);
        Box::pin(async move {
            let executed = spawn_blocking(move || execution.run()).await;
            let (outcome, row) = executed.map_err(|_| HandlerError::new("it panicked"))?;
            Ok(answer(&grant, outcome, row))
        })
    }
}

impl Handler<Closing> for Keeper {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Closing, _: &mut Self::Context) -> Self::Result {
        let ownership = self.ownership.clone();
        Box::pin(async move {
            if let Some(ownership) = ownership {
                // Its end, by a panic as well, is all that is waited for.
                let _closed = spawn_blocking(move || ownership.close()).await;
            }
        })
    }
}

fn answer(grant: &Grant, outcome: Outcome, row: Row) -> Response {
    let status = match outcome {
        Outcome::Done => 200,
        Outcome::Refused | Outcome::Overtaken | Outcome::Closed | Outcome::Cancelled => 409,
        Outcome::Locked => 503,
        Outcome::Failed => 500,
    };
    let body = format!("{row} {}", grant.epoch_text());
    Response::new(status)
        .header(OUTCOME, outcome.word())
        .body(body)
}
