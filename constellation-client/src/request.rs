//! A request as handlers see it: a view of what came over the session, without copies. It never
//! shows a header that only the controller may set, unless the controller's grant says it.

use std::{fmt, future::Future, sync::Arc};

use actix::Message;
use constellation_actors::{
    placement::{epoch::Epoch, key::ResourceKey},
    protocol::head::field::FieldsIter,
};

use crate::{
    body::Body, error::HandlerError, exchange::Exchange, grant::Grant, response::Response,
};

/// The header that names the key.
const KEY: &str = "x-constellation-key";

/// The header that names the epoch.
const EPOCH: &str = "x-constellation-epoch";

/// A request for a key that this worker owns.
///
/// An actix message too, answered by a [`Response`] or a [`HandlerError`].
pub struct Request {
    exchange: Arc<Exchange>,
    grant: Grant,
    body: Body,
}

impl Message for Request {
    type Result = Result<Response, HandlerError>;
}

impl Request {
    pub(crate) fn new(exchange: Arc<Exchange>, grant: Grant, body: Body) -> Self {
        Self {
            exchange,
            grant,
            body,
        }
    }

    /// The method, its case kept.
    #[must_use]
    pub fn method(&self) -> &str {
        self.exchange.head().method()
    }

    /// The raw path without the query, undecoded; `*` for a request about the server itself.
    #[must_use]
    pub fn path(&self) -> &str {
        let target = self.target();
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// The raw query without its question mark; `None` when there is no question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target().split_once('?').map(|(_, query)| query)
    }

    /// The raw path and query as they came.
    #[must_use]
    pub fn target(&self) -> &str {
        self.exchange.head().path()
    }

    /// The scheme that the client used: `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.exchange.head().scheme()
    }

    /// The host and port that the client asked for; empty when it named none.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.exchange.head().authority()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> Headers<'_> {
        Headers { request: self }
    }

    /// The first header of this name, as text; `None` as well when it is not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers().get(name)?).ok()
    }

    /// The request's id, the header `x-request` that the controller sets; empty without one.
    #[must_use]
    pub fn id(&self) -> &str {
        self.header("x-request").unwrap_or_default()
    }

    /// The key it is for.
    #[must_use]
    pub fn key(&self) -> &ResourceKey {
        self.grant.key()
    }

    /// The epoch under which this worker owns the key.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.grant.epoch()
    }

    /// The grant it came under.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Whether the client asks for a websocket. Answered with 101, for which
    /// [`websocket::accept`](crate::websocket::accept) is there, it becomes a *tunnel*: its body is
    /// what the client sends from then on, and the response's stream what the client gets, both raw
    /// bytes.
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        self.exchange.is_upgrade()
    }

    /// Its body.
    pub fn body(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Its body, for those who need nothing else of it.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Waits until the key is being given back; see [`Grant::leaving`].
    pub fn leaving(&self) -> impl Future<Output = ()> + Send + use<> {
        self.grant.leaving()
    }

    /// Waits until nobody waits for the answer any more: the client went away, the time for an
    /// answer is over, or the key is no longer this worker's.
    ///
    /// A handler that is a function needs it only in tasks of its own, because the function's
    /// future is dropped at that moment. An actor needs it to stop what it has begun: nothing can
    /// take its work away from it.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + use<> {
        let exchange = Arc::clone(&self.exchange);
        async move { exchange.cancelled().await }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("method", &self.method())
            .field("target", &self.target())
            .field("grant", &self.grant)
            .field("headers", self.exchange.head().fields())
            .field("body", &self.body)
            .finish()
    }
}

/// The headers of a request, in the order in which they came, followed by `x-constellation-key`
/// and `x-constellation-epoch`. Names are in lower case, values are bytes.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    request: &'a Request,
}

impl<'a> Headers<'a> {
    /// The first value of the header `name`, whose case does not matter.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        self.into_iter()
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// All values of the header `name`, whose case does not matter, in order.
    pub fn get_all(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.into_iter()
            .filter_map(move |(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = HeadersIter<'a>;

    fn into_iter(self) -> HeadersIter<'a> {
        let request = self.request;
        HeadersIter {
            came: request.exchange.head().fields().iter(),
            granted: [
                Some((EPOCH, request.grant.epoch_text().as_bytes())),
                Some((KEY, request.grant.key().as_bytes())),
            ],
        }
    }
}

/// The headers of a request, one after the other.
#[derive(Clone, Debug)]
pub struct HeadersIter<'a> {
    came: FieldsIter<'a>,
    /// What the grant adds, last first.
    granted: [Option<(&'static str, &'a [u8])>; 2],
}

impl<'a> Iterator for HeadersIter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut came = self
            .came
            .by_ref()
            .map(|field| (field.name(), field.value()));
        let [epoch, key] = &mut self.granted;
        came.find(|(name, _)| !matches!(*name, KEY | EPOCH))
            .or_else(|| key.take())
            .or_else(|| epoch.take())
    }
}
