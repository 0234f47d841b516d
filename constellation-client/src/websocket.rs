//! Websockets to the owner of a key: accepting one. What passes through it is the handler's matter.
//!
//! A request that [is an upgrade](Request::is_upgrade) becomes a tunnel when it is answered with
//! 101: the request's [body](Request::into_body) is then what the client sends, and the
//! [stream](Response::stream) of the response is what the client gets. Both are raw bytes, frames of
//! the websocket protocol (RFC 6455) with whatever extensions the two ends agree on; any codec for
//! them will do, such as that of actix-http.
//!
//! ```
//! use bytes::Bytes;
//! use constellation_client::{HandlerError, Request, Response, websocket};
//! use futures::{StreamExt, stream};
//!
//! /// Greets, and closes.
//! async fn greet(request: Request) -> Response {
//!     let Some(accepted) = websocket::accept(&request) else {
//!         return Response::new(426).content_type("text/plain").body("Only websockets.");
//!     };
//!     // A text, then a Close with the code 1000.
//!     let frames = [&b"\x81\x05hello"[..], b"\x88\x02\x03\xe8"].map(Bytes::from_static);
//!     accepted.stream(stream::iter(frames).map(Ok::<_, HandlerError>))
//! }
//! ```
//!
//! The tunnel is over when the response's stream ends. The body ends when the client has gone. Both
//! break off when the key is given back, after the time for a goodbye that
//! [`Request::leaving`] announces.

use actix_http::ws::hash_key;

use crate::{request::Request, response::Response};

/// The answer that accepts a websocket, without extensions or a sub-protocol; add their headers if
/// you speak what the client offered. Its stream is still to be set.
///
/// `None` when the request asks for no websocket.
#[must_use]
pub fn accept(request: &Request) -> Option<Response> {
    if !request.is_upgrade() {
        return None;
    }
    let key = request.headers().get("sec-websocket-key")?;
    Some(Response::new(101).header("sec-websocket-accept", hash_key(key)))
}
