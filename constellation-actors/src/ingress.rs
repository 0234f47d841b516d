//! The ingress: HTTP requests in, each to the owner of its key.
//!
//! It finds the owner in the route view without a message; only a miss asks the Registry. It holds
//! no state of its own.

use std::{pin::pin, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
};
use uuid::Uuid;

mod admin;
mod ambiguity;
mod answer;
mod client;
mod deadline;
mod forward;
mod headers;
mod key;
mod pace;
mod page;
mod problem;
mod tunnel;
mod tunnels;
mod upgrade;
mod upload;

pub(crate) use self::{
    admin::Admin,
    client::connected,
    pace::PaceLimits,
    tunnel::is_noise,
    tunnels::{TunnelTimes, Tunnels},
};
use self::{
    client::{ClientBody, ClientConnection},
    forward::Offered,
    problem::Problem,
};
use crate::{counters::Counters, placement::key_rules::KeyRules, registry::handle::Routes};

/// The request's id, in every response and in every request to a worker.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request");

/// The worker that was chosen.
const WORKER: HeaderName = HeaderName::from_static("x-worker");

/// Limits and times of the ingress.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) timeout: Duration,
    pub(crate) body_bytes_max: Option<u64>,
    pub(crate) pace: PaceLimits,
    pub(crate) default_headers: Vec<(HeaderName, HeaderValue)>,
}

impl Rules {
    /// How long the system may try to send something to a client that takes nothing. A little
    /// longer than the limit of a body, which is noticed and counted first.
    pub(crate) fn client_patience(&self) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(60);
        const LATER: Duration = Duration::from_secs(2);
        self.pace.idle.unwrap_or(DEFAULT) + LATER
    }
}

/// Everything a request needs on its way.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) routes: Routes,
    pub(crate) admin: Admin,
    pub(crate) rules: Rules,
    pub(crate) counters: Arc<Counters>,
    pub(crate) key_rules: KeyRules,
    pub(crate) tunnels: Arc<Tunnels>,
}

/// A request's id, as text.
struct RequestId {
    uuid: Uuid,
    text: [u8; uuid::fmt::Hyphenated::LENGTH],
}

impl RequestId {
    fn new() -> Self {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let uuid = Uuid::new_v4();
        uuid.as_hyphenated().encode_lower(&mut text);
        Self { uuid, text }
    }

    fn uuid(&self) -> Uuid {
        self.uuid
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.text).expect("a UUID is a valid header value")
    }
}

impl Ingress {
    /// Answers one request.
    pub(crate) async fn serve(
        self: Arc<Self>,
        request: &HttpRequest,
        payload: Payload,
    ) -> HttpResponse {
        let id = RequestId::new();
        self.counters.requests.add();
        let body = ClientBody::new(payload);
        let mut response = match self.answer(request, body.clone(), &id).await {
            Ok(response) => response,
            Err(failure) => {
                failure.problem.count(&self.counters);
                failure.response()
            }
        };
        ClientConnection::note_end(request, &response);
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id.header());
        for (name, value) in &self.rules.default_headers {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        body.keep_with(response)
    }

    async fn answer(
        &self,
        request: &HttpRequest,
        body: ClientBody,
        id: &RequestId,
    ) -> Result<HttpResponse, Failure> {
        if ClientConnection::has_ended(request) {
            let description = "The connection was to end with an earlier request.".into();
            return Err(Problem::BadRequest { description }.into());
        }
        let secure = request.app_config().secure();
        ambiguity::check(request.head(), secure).map_err(|ambiguity| Problem::BadRequest {
            description: ambiguity.to_string(),
        })?;
        // Within a scope the node's own paths are relative to it; keys never are.
        let path = request.match_info().unprocessed();
        if let Some(page) = own_page(request.method(), path) {
            return Ok(page);
        }
        if let Some(answer) = self.admin.answer(request, path).await {
            return Ok(answer?);
        }
        if let Some(description) = unsupported(request) {
            return Err(Problem::BadRequest {
                description: description.into(),
            }
            .into());
        }
        let upgrade = upgrade::asks_for_websocket(request)?;
        let key = key::of_path(request.uri().path(), &self.key_rules).map_err(|error| {
            Problem::BadRequest {
                description: error.to_string(),
            }
        })?;
        let offered = Offered {
            request,
            id,
            upgrade,
        };
        let forwarded = pin!(self.forward(offered, body, &key));
        match client::in_time(request, self.rules.timeout, forwarded).await {
            Some(outcome) => outcome,
            None => {
                let milliseconds = self.rules.timeout.as_millis();
                let mut failure = Failure::from(Problem::Timeout { milliseconds });
                failure.worker = self
                    .routes
                    .known(&key)
                    .map(|route| route.link.header().clone());
                Err(failure)
            }
        }
    }
}

/// The node's own pages.
fn own_page(method: &Method, path: &str) -> Option<HttpResponse> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    match path {
        "" | "/" => Some(page::operational()),
        "/favicon.ico" => Some(page::icon()),
        _ => None,
    }
}

/// What cannot be forwarded, in words for the client.
fn unsupported(request: &HttpRequest) -> Option<&'static str> {
    if headers::are_too_large(request) {
        return Some("The head is too large to be forwarded.");
    }
    None
}

/// A problem, and the worker that had been chosen before it.
#[derive(Debug)]
struct Failure {
    problem: Problem,
    worker: Option<HeaderValue>,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            worker: None,
        }
    }
}

impl Failure {
    fn response(self) -> HttpResponse {
        let mut response = self.problem.response();
        if let Some(worker) = self.worker {
            response.headers_mut().insert(WORKER, worker);
        }
        if matches!(
            self.problem,
            Problem::BadRequest { .. }
                | Problem::UpgradeRequired
                | Problem::TooLarge { .. }
                | Problem::ClientTooSlow { .. }
        ) {
            // What is left of such a request is not read.
            response
                .head_mut()
                .set_connection_type(actix_http::ConnectionType::Close);
        }
        response
    }
}
