//! The admin API: what operators and their tools see and order, as JSON over HTTP.
//!
//! Thin: it reads requests, asks the controller, and writes answers. Nothing is decided here, and
//! nothing is answered without an admin key.

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::HeaderName},
    rt, web,
};
use constellation_actors::{
    Controller, KeyQuery, PAGE_KEYS_MAX, WorkerStatus,
    placement::{command::Command, key::ResourceKey, rules::Rebalancing, worker::WorkerId},
    protocol::credential::Tokens,
};
use serde::{Serialize, de::DeserializeOwned};

pub(crate) mod balance;
pub(crate) mod counters;
pub(crate) mod key;
pub(crate) mod order;
pub(crate) mod problem;
pub(crate) mod query;
mod resource;
pub(crate) mod worker;

use self::{
    balance::Balance,
    counters::Counters,
    key::{KeyList, KeyReport},
    order::{KeyOrder, MoveOrder},
    problem::Problem,
    query::Query,
    resource::{Resource, Verb},
    worker::{Worker, WorkerList},
};
use crate::{clock, settings};

/// The longest body of an order, in bytes: a key of 8 KiB, every byte escaped, has room.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long the body of an order may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// How many keys a page has when nobody says.
const PAGE_KEYS: usize = 100;

/// The admin API of a controller.
#[derive(Debug)]
pub(crate) struct AdminApi {
    controller: Controller,
    header: HeaderName,
    keys: Tokens,
}

impl AdminApi {
    /// The API of this controller, for whoever brings one of the keys of these settings.
    pub(crate) fn new(controller: Controller, admin: &settings::Admin) -> Self {
        let header = HeaderName::try_from(admin.key_header.as_str());
        Self {
            controller,
            header: header.expect("the schema admits the names of headers only"),
            keys: Tokens::new(admin.keys.iter().map(|key| key.expose().to_owned())),
        }
    }

    /// Mounts the API: it takes every request.
    pub(crate) fn mount(self: &Arc<Self>) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
        let api = Arc::clone(self);
        move |config| {
            config.default_service(web::to(move |request, payload| {
                Arc::clone(&api).serve(request, payload)
            }));
        }
    }

    async fn serve(self: Arc<Self>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
        match self.answer(&request, payload).await {
            Ok(answer) => answer,
            Err(problem) => problem.response(),
        }
    }

    async fn answer(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<HttpResponse, Problem> {
        self.admit(request)?;
        let path = request.path();
        let resource = Resource::find(path)?.ok_or_else(|| Problem::NoResource(path.into()))?;
        if !resource.methods().contains(&request.method().as_str()) {
            let allowed = resource.methods();
            return Err(Problem::Method { allowed });
        }
        let query = Query::parse(request.query_string(), resource.parameters())?;
        match resource {
            Resource::Workers => self.workers().await,
            Resource::Worker(id) => found(self.worker(id).await?.ok_or(Problem::NoWorker(id))?),
            Resource::Order(id, verb) => self.order_worker(id, verb).await,
            Resource::Keys => self.keys(&query).await,
            Resource::Key => found(self.explain(query.required("key", resource::key)?).await?),
            Resource::Move => {
                let MoveOrder { key, worker } = body(payload).await?;
                let (key, to) = (
                    resource::key(&key).map_err(Problem::in_body("key"))?,
                    worker,
                );
                self.order_key(key.clone(), Command::Move { key, to }).await
            }
            Resource::Unpin => {
                let KeyOrder { key } = body(payload).await?;
                let key = resource::key(&key).map_err(Problem::in_body("key"))?;
                self.order_key(key.clone(), Command::Unpin { key }).await
            }
            Resource::Rebalance if request.method() == actix_web::http::Method::PUT => {
                let Balance { mode } = body(payload).await?;
                self.order(Command::Rebalance(mode.into())).await?;
                found(Balance::from(self.rebalancing().await?))
            }
            Resource::Rebalance => found(Balance::from(self.rebalancing().await?)),
            Resource::Counters => found(Counters::from(self.controller.counts())),
        }
    }

    /// Lets whoever brings an admin key in.
    fn admit(&self, request: &HttpRequest) -> Result<(), Problem> {
        let header = self.header.as_str();
        let Some(key) = request.headers().get(&self.header) else {
            return Err(Problem::Unauthorized(format!(
                "The header {header} with an admin key is missing."
            )));
        };
        if self.keys.accept(key.as_bytes()) {
            return Ok(());
        }
        let path = request.path();
        log::warn!(path = path, peer:? = request.peer_addr(); "a wrong admin key was refused");
        let description = "The admin key is not one of this controller's.";
        Err(Problem::Unauthorized(description.into()))
    }

    async fn workers(&self) -> Result<HttpResponse, Problem> {
        let now = clock::unix_micros();
        let workers = self.statuses().await?;
        found(WorkerList {
            workers: workers.iter().map(|it| Worker::new(it, now)).collect(),
        })
    }

    /// The latest life of a worker. Its earlier one may still be there until its lease ends.
    async fn worker(&self, id: WorkerId) -> Result<Option<Worker>, Problem> {
        let now = clock::unix_micros();
        let workers = self.statuses().await?;
        let latest = workers.iter().rfind(|worker| worker.id == id);
        Ok(latest.map(|worker| Worker::new(worker, now)))
    }

    async fn statuses(&self) -> Result<Vec<WorkerStatus>, Problem> {
        let workers = self.controller.workers().await;
        if workers.is_empty() {
            // A controller that has stopped has none either.
            self.rebalancing().await?;
        }
        Ok(workers)
    }

    async fn order_worker(&self, worker: WorkerId, verb: Verb) -> Result<HttpResponse, Problem> {
        let (command, status) = match verb {
            Verb::Drain => (Command::Drain { worker }, StatusCode::ACCEPTED),
            Verb::Cordon => (Command::Cordon { worker }, StatusCode::OK),
            Verb::Uncordon => (Command::Uncordon { worker }, StatusCode::OK),
        };
        self.order(command).await?;
        // A worker that is not connected can be uncordoned; there is nothing to tell of it then.
        Ok(json(status, &self.worker(worker).await?))
    }

    async fn order_key(&self, key: ResourceKey, command: Command) -> Result<HttpResponse, Problem> {
        self.order(command).await?;
        Ok(json(StatusCode::ACCEPTED, &self.explain(key).await?))
    }

    async fn order(&self, command: Command) -> Result<(), Problem> {
        Ok(self.controller.order(command).await?)
    }

    async fn keys(&self, query: &Query) -> Result<HttpResponse, Problem> {
        let limit = query.optional("limit", |text| match text.parse() {
            Ok(limit) if (1..=PAGE_KEYS_MAX).contains(&limit) => Ok(limit),
            _ => Err(format!("is no whole number from 1 to {PAGE_KEYS_MAX}")),
        })?;
        let text = |text: &str| Ok(text.to_owned());
        let query = KeyQuery {
            prefix: query.optional("prefix", text)?.unwrap_or_default(),
            worker: query.optional("worker", resource::worker)?,
            after: query.optional("after", text)?,
            limit: limit.unwrap_or(PAGE_KEYS),
        };
        found(KeyList::from(self.controller.keys(query).await))
    }

    async fn explain(&self, key: ResourceKey) -> Result<KeyReport, Problem> {
        let now = clock::unix_micros();
        let status = self.controller.explain(key).await;
        let status = status.ok_or(Problem::Stopped)?;
        Ok(KeyReport::new(&status, now))
    }

    async fn rebalancing(&self) -> Result<Rebalancing, Problem> {
        let mode = self.controller.rebalancing().await;
        mode.ok_or(Problem::Stopped)
    }
}

/// Reads the body of an order.
async fn body<T: DeserializeOwned>(payload: web::Payload) -> Result<T, Problem> {
    let read = payload.to_bytes_limited(BODY_BYTES_MAX);
    let bytes = match rt::time::timeout(BODY_WITHIN, read).await {
        Ok(Ok(Ok(bytes))) => bytes,
        Ok(Err(_over)) => {
            let bytes_max = BODY_BYTES_MAX;
            return Err(Problem::TooLarge { bytes_max });
        }
        Ok(Ok(Err(error))) => {
            return Err(Problem::BadRequest(format!("The body broke off: {error}.")));
        }
        Err(_elapsed) => {
            return Err(Problem::BadRequest(format!(
                "The body did not come within {BODY_WITHIN:?}."
            )));
        }
    };
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::BadRequest(format!("The body is not as it should be: {error}.")))
}

#[expect(clippy::unnecessary_wraps, reason = "the end of every reading branch")]
fn found(value: impl Serialize) -> Result<HttpResponse, Problem> {
    Ok(json(StatusCode::OK, &value))
}

fn json(status: StatusCode, value: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).json(value)
}
