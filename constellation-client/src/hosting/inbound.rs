//! A request from the session as the App gets it: what an HTTP server would have made of it.

use std::net::{IpAddr, SocketAddr};

use actix_http::{
    BoxedPayloadStream, HttpMessage, Method, Payload, Uri,
    error::PayloadError,
    header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, UPGRADE},
};
use futures::StreamExt;

use crate::{
    body::Body,
    error::BodyError,
    request::{Headers, Request},
};

/// The client's own word about where it comes from. actix-web would believe it before the
/// controller's headers.
const FORWARDED: &str = "forwarded";

/// Where the controller writes whom a request came from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// What of a request cannot be told to an App.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Untellable {
    #[error("its method is none")]
    Method,
    #[error("its target is no path and query")]
    Target,
    #[error("a header is none")]
    Header,
}

/// The request as an App knows it. The grant is among its extensions.
pub(super) fn from_session(request: Request) -> Result<actix_http::Request, Untellable> {
    let method = Method::from_bytes(request.method().as_bytes());
    let uri = Uri::try_from(request.target()).map_err(|_| Untellable::Target)?;
    let headers = headers(&request)?;
    let peer = peer(request.headers());
    let grant = request.grant().clone();

    let mut told = actix_http::Request::with_payload(payload(request.into_body()));
    let head = told.head_mut();
    head.method = method.map_err(|_| Untellable::Method)?;
    head.uri = uri;
    head.headers = headers;
    head.peer_addr = peer;
    told.extensions_mut().insert(grant);
    Ok(told)
}

fn headers(request: &Request) -> Result<HeaderMap, Untellable> {
    let value = |value| HeaderValue::from_bytes(value).map_err(|_| Untellable::Header);
    let mut headers = HeaderMap::with_capacity(16);
    for (name, bytes) in request.headers() {
        if name == FORWARDED {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Untellable::Header)?;
        headers.append(name, value(bytes)?);
    }
    if request.is_upgrade() {
        // These are between the client and the controller, which has checked them.
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    if !request.authority().is_empty() {
        headers.insert(HOST, value(request.authority().as_bytes())?);
    }
    Ok(headers)
}

/// The last entry is the controller's own, the address that it saw. Those before are hearsay.
fn peer(headers: Headers<'_>) -> Option<SocketAddr> {
    let value = headers.get_all(FORWARDED_FOR).last()?;
    let last = value.rsplit(|byte| *byte == b',').next()?;
    let address: IpAddr = std::str::from_utf8(last).ok()?.trim().parse().ok()?;
    Some(SocketAddr::new(address, 0))
}

fn payload(body: Body) -> Payload {
    if body.is_finished() {
        return Payload::None;
    }
    let stream = body.map(|chunk| {
        chunk.map_err(|error: BodyError| {
            PayloadError::Incomplete(Some(std::io::Error::other(error)))
        })
    });
    let payload: BoxedPayloadStream = Box::pin(stream);
    Payload::from(payload)
}
