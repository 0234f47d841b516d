//! The workers' endpoint: accepts their websockets, in either dialect, and starts their sessions.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix::{Actor, AsyncContext};
use actix_http::ws;
use actix_web::{
    HttpRequest, HttpResponse,
    body::BodyStream,
    dev::Payload,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};
use uuid::Uuid;

use crate::{
    clock,
    placement::{
        holder::SessionId,
        worker::{Incarnation, WorkerId},
    },
    protocol::{
        credential::Tokens,
        handshake::SUBPROTOCOL,
        mux::{Mux, Role, limits::Limits},
    },
    registry::RegistryAddr,
    session::{
        Conversation, Session,
        binary::Binary,
        json::Json,
        socket::{Incoming, Outgoing},
        wire::{Wire, binary::BinaryWire, json::JsonWire},
    },
    status::Peer,
};

/// The header in which a worker of the JSON dialect brings its id.
const WORKER_ID: &str = "x-guid";

/// Accepts workers.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) registry: RegistryAddr,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) keys_max: usize,
    pub(crate) json_body_bytes_max: u64,
    pub(crate) sessions: AtomicU64,
}

impl Gateway {
    /// Answers a worker's handshake.
    pub(crate) fn accept(&self, request: &HttpRequest, payload: Payload) -> HttpResponse {
        let Some(address) = request.peer_addr() else {
            return refusal(
                StatusCode::BAD_REQUEST,
                "The connection has no peer address.",
            );
        };
        if !self.is_authorized(request) {
            log::warn!(peer:% = address; "a worker without a valid token was refused");
            let mut response =
                refusal(StatusCode::UNAUTHORIZED, "A worker's token is needed here.");
            let challenge = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
            return response;
        }
        if request.method() != Method::GET || ws::verify_handshake(request.head()).is_err() {
            return refusal(
                StatusCode::BAD_REQUEST,
                "This endpoint speaks websocket alone.",
            );
        }
        let peer = Peer {
            address,
            added_unix_micros: clock::unix_micros(),
        };
        match dialect(request) {
            Ok(Dialect::Binary) => self.start_binary(request, payload, peer),
            Ok(Dialect::Json) => self.start_json(request, payload, peer),
            Err(description) => refusal(StatusCode::BAD_REQUEST, description),
        }
    }

    fn is_authorized(&self, request: &HttpRequest) -> bool {
        let brought = request.headers().get(header::AUTHORIZATION);
        self.tokens.is_empty()
            || brought.is_some_and(|value| self.tokens.accept_bearer(value.as_bytes()))
    }

    fn start_binary(&self, request: &HttpRequest, payload: Payload, peer: Peer) -> HttpResponse {
        let mux = Mux::new(Role::Controller, self.limits).expect("the builder checked the limits");
        let bytes_max = self.limits.sizes.message_bytes_max as usize;
        let wire = Arc::new(BinaryWire::new(mux));
        let conversation = Conversation::Binary(Binary::new(Arc::clone(&wire), self.keys_max));
        let mut response = self.start(
            request,
            payload,
            peer,
            Wire::Binary(wire),
            conversation,
            bytes_max,
        );
        let protocol = HeaderValue::from_static(SUBPROTOCOL);
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        response
    }

    fn start_json(&self, request: &HttpRequest, payload: Payload, peer: Peer) -> HttpResponse {
        let worker = match worker_id(request) {
            Ok(worker) => worker,
            Err(description) => return refusal(StatusCode::BAD_REQUEST, description),
        };
        let wire = Arc::new(JsonWire::new(
            self.json_body_bytes_max,
            self.limits.exchanges_max as usize,
        ));
        let bytes_max = wire.message_bytes_max();
        // Without a lease there is nothing to resume: a second connection under the same id is
        // taken for the same worker, and replaces the first.
        let incarnation = Incarnation::new(worker.as_uuid());
        let conversation = Conversation::Json(Json::new(Arc::clone(&wire), worker, incarnation));
        self.start(
            request,
            payload,
            peer,
            Wire::Json(wire),
            conversation,
            bytes_max,
        )
    }

    fn start(
        &self,
        request: &HttpRequest,
        payload: Payload,
        peer: Peer,
        wire: Wire,
        conversation: Conversation,
        bytes_max: usize,
    ) -> HttpResponse {
        let id = SessionId::new(self.sessions.fetch_add(1, Ordering::Relaxed) + 1);
        let wire = Arc::new(wire);
        let registry = self.registry.clone();
        let outgoing = Outgoing::new(Arc::clone(&wire));
        Session::create(|context| {
            context.add_stream(Incoming::new(payload, bytes_max));
            Session::new(id, peer, registry, wire, conversation)
        });
        ws::handshake_response(request.head())
            .message_body(BodyStream::new(outgoing))
            .map(|response| HttpResponse::from(response.map_into_boxed_body()))
            .unwrap_or_else(|_| HttpResponse::InternalServerError().finish())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Binary,
    Json,
}

/// The dialect that a worker asks for: the one we know of those it names, or, when it names none,
/// the original's.
fn dialect(request: &HttpRequest) -> Result<Dialect, &'static str> {
    let mut named = request
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    if !request
        .headers()
        .contains_key(header::SEC_WEBSOCKET_PROTOCOL)
    {
        return Ok(Dialect::Json);
    }
    match named.any(|name| name == SUBPROTOCOL) {
        true => Ok(Dialect::Binary),
        false => Err("None of the websocket sub-protocols is known; this is constellation.v1."),
    }
}

/// The id in the `x-guid` header, or a new one.
fn worker_id(request: &HttpRequest) -> Result<WorkerId, &'static str> {
    let Some(header) = request.headers().get(WORKER_ID) else {
        return Ok(WorkerId::new(Uuid::new_v4()));
    };
    let text = header.to_str().unwrap_or_default();
    let id = Uuid::parse_str(text).map_err(|_| "The x-guid header is not a UUID.")?;
    Ok(WorkerId::new(id))
}

/// A refusal before the upgrade: sized, and the connection closes behind it.
fn refusal(status: StatusCode, description: &'static str) -> HttpResponse {
    let mut response = HttpResponse::build(status).body(description);
    response
        .head_mut()
        .set_connection_type(actix_http::ConnectionType::Close);
    response
}
