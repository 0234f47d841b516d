//! The original's two admin paths: who the workers are, and which keys they own.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;

use super::{headers, problem::Problem};
use crate::{
    placement::{key::ResourceKey, worker::WorkerId},
    protocol::{credential::Tokens, json::timestamp},
    registry::{RegistryAddr, messages},
    status::WorkerStatus,
};

/// Which admin path is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Query {
    Workers,
    Maps,
}

/// Answers the admin paths for whoever brings an admin key.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) header: HeaderName,
    pub(crate) keys: Tokens,
    pub(crate) registry: RegistryAddr,
}

/// A worker in the original's form.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Worker {
    #[serde(rename = "GUID")]
    guid: WorkerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    added_utc: Option<String>,
    last_message_utc: String,
}

impl From<&WorkerStatus> for Worker {
    fn from(status: &WorkerStatus) -> Self {
        Self {
            guid: status.id,
            ip: status.address.map(|address| address.ip().to_string()),
            port: status.address.map(|address| address.port()),
            healthy: status.healthy,
            added_utc: status.added_unix_micros.map(timestamp::format),
            last_message_utc: timestamp::format(status.last_message_unix_micros),
        }
    }
}

impl Admin {
    /// The answer, if the request is one for the admin paths. Without an admin key such a path is
    /// an ordinary resource.
    pub(super) async fn answer(
        &self,
        request: &HttpRequest,
        path: &str,
    ) -> Option<Result<HttpResponse, Problem>> {
        let query = match path {
            "/workers" => Query::Workers,
            "/maps" => Query::Maps,
            _ => return None,
        };
        if self.is_preflight(request) {
            return Some(Ok(HttpResponse::new(StatusCode::NO_CONTENT)));
        }
        if request.method() != Method::GET {
            return None;
        }
        let key = request.headers().get(&self.header)?;
        if !self.keys.accept(key.as_bytes()) {
            log::warn!(path = path, peer:? = request.peer_addr(); "a wrong admin key was refused");
            return Some(Err(Problem::AuthorizationFailed));
        }
        Some(match query {
            Query::Workers => self.workers().await,
            Query::Maps => self.maps().await,
        })
    }

    /// Whether a header brings an admin key, which no worker may see.
    pub(super) fn is_key(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        headers::are_alike(self.header.as_str(), name.as_str())
            && self.keys.accept(value.as_bytes())
    }

    /// Whether a browser asks if it may send the admin header (Fetch, section 3.3.2).
    fn is_preflight(&self, request: &HttpRequest) -> bool {
        let asked = request
            .headers()
            .get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let asked = asked
            .and_then(|names| names.to_str().ok())
            .unwrap_or_default();
        request.method() == Method::OPTIONS
            && asked
                .split(',')
                .any(|name| name.trim().eq_ignore_ascii_case(self.header.as_str()))
    }

    async fn workers(&self) -> Result<HttpResponse, Problem> {
        let workers = self.registry.send(messages::Workers).await;
        let workers = workers.map_err(|_stopped| Problem::ShuttingDown)?;
        Ok(indented(
            &workers.iter().map(Worker::from).collect::<Vec<_>>(),
        ))
    }

    async fn maps(&self) -> Result<HttpResponse, Problem> {
        let pins = self.registry.send(messages::Pins).await;
        let pins = pins.map_err(|_stopped| Problem::ShuttingDown)?;
        let keys =
            |keys: Vec<ResourceKey>| keys.iter().map(|key| key.as_str().to_owned()).collect();
        let maps: BTreeMap<WorkerId, Vec<String>> = pins
            .into_iter()
            .map(|(worker, list)| (worker, keys(list)))
            .collect();
        Ok(indented(&maps))
    }
}

fn indented(value: &impl Serialize) -> HttpResponse {
    match serde_json::to_vec_pretty(value) {
        Ok(json) => HttpResponse::Ok()
            .insert_header(header::ContentType::json())
            .body(json),
        Err(error) => {
            log::error!(error:% = error; "an admin answer could not be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}
