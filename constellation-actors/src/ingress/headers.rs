//! Which headers pass, in both directions, and which the controller sets itself.

use std::borrow::Cow;

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};

use super::client::ClientConnection;
use crate::protocol::head::{FIELDS_MAX, HEAD_BYTES_MAX};

/// Headers that belong to one connection and never pass (RFC 9110, section 7.6.1), and
/// `expect`, which the controller answers itself.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// Headers that the controller writes for the worker, whatever the client sent.
const FORWARDED: [&str; 5] = [
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-request",
];

/// Further headers that tell a worker where a request came from or what it was sent to. The
/// controller does not write them, and a client must not: frameworks believe them.
const ORIGIN: [&str; 5] = [
    "forwarded",
    "x-forwarded",
    "x-real-ip",
    "x-original-url",
    "x-rewrite-url",
];

/// The prefix of headers that speak of ownership; never accepted from a client.
const OWN_PREFIX: &str = "x-constellation-";

/// The prefix of headers that speak of the way here.
const FORWARDED_PREFIX: &str = "x-forwarded-";

/// What the controller adds to a request's head, at most: its own fields, and the host twice more.
const ADDED_BYTES_MAX: usize = 1024;

/// Whether a request's head is too large to be forwarded with what is added to it.
pub(super) fn are_too_large(request: &HttpRequest) -> bool {
    // Two lengths stand before each field, of at most four bytes each.
    let fields = request.headers().iter();
    let bytes = fields
        .map(|(name, value)| name.as_str().len() + value.len() + 8)
        .sum::<usize>();
    let host = request
        .headers()
        .get(header::HOST)
        .map_or(0, |host| host.len());
    let authority = request
        .uri()
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    let all = bytes + ADDED_BYTES_MAX + 3 * host.max(authority) + target;
    request.headers().len() > FIELDS_MAX - FORWARDED.len() || all > HEAD_BYTES_MAX
}

/// Whether a header is for the controller to write, or a name that a worker could take for it.
pub(super) fn is_ours(name: &str) -> bool {
    let begins = |prefix: &str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| are_alike(prefix, start))
    };
    begins(OWN_PREFIX)
        || begins(FORWARDED_PREFIX)
        || FORWARDED.iter().any(|ours| are_alike(ours, name))
        || ORIGIN.iter().any(|ours| are_alike(ours, name))
}

/// Whether two names are one to a reader that keeps letters and digits alone, as programs do that
/// get headers as environment variables (RFC 3875, section 4.1.18): there `x_a` is `x-a`.
pub(super) fn are_alike(name: &str, other: &str) -> bool {
    name.len() == other.len()
        && name.bytes().zip(other.bytes()).all(|(one, two)| {
            one == two || !one.is_ascii_alphanumeric() && !two.is_ascii_alphanumeric()
        })
}

/// Whether the `Connection` header names `name` as belonging to this connection alone.
fn is_nominated(connection: &[&str], name: &str) -> bool {
    connection
        .iter()
        .any(|option| option.eq_ignore_ascii_case(name))
}

/// The options of the `Connection` headers.
pub(super) fn connection_options(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(header::CONNECTION)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|option| !option.is_empty())
        .collect()
}

/// The headers of a request that go to the worker as they are.
pub(super) fn request_fields<'a>(
    headers: &'a HeaderMap,
    is_admin_key: impl Fn(&HeaderName, &HeaderValue) -> bool,
    mut field: impl FnMut(&'a str, &'a [u8]),
) {
    let connection = connection_options(headers);
    for (name, value) in headers {
        let text = name.as_str();
        let stays = HOP_BY_HOP.contains(&text)
            || is_ours(text)
            || is_admin_key(name, value)
            || is_nominated(&connection, text);
        if !stays {
            field(text, value.as_bytes());
        }
    }
}

/// Whether a header of a worker's response goes to the client.
pub(super) fn passes_back(name: &str) -> bool {
    !HOP_BY_HOP.contains(&name)
        && name != "x-request"
        && name != "x-worker"
        && name != "content-length"
        && !name.starts_with(OWN_PREFIX)
}

/// Where a request came from and what it was sent to, as its forwarding headers say it.
pub(super) struct Forwarding<'a> {
    /// `x-forwarded-for`: what came, and the client's address behind it.
    pub(super) client: Cow<'a, [u8]>,
    /// `x-forwarded-proto`.
    pub(super) scheme: &'static str,
    /// `x-forwarded-host`: the host that the client named.
    pub(super) host: &'a str,
}

impl<'a> Forwarding<'a> {
    pub(super) fn of(request: &'a HttpRequest) -> Self {
        let host = || request.headers().get(header::HOST)?.to_str().ok();
        let authority = request
            .uri()
            .authority()
            .map(|authority| authority.as_str());
        Self {
            client: clients(request),
            scheme: if request.app_config().secure() {
                "https"
            } else {
                "http"
            },
            host: authority.or_else(host).unwrap_or_default(),
        }
    }
}

/// The clients of a request, the one that is connected here last.
fn clients(request: &HttpRequest) -> Cow<'_, [u8]> {
    let last = ClientConnection::address(request);
    let mut before = request
        .headers()
        .get_all(header::X_FORWARDED_FOR)
        .peekable();
    if before.peek().is_none() {
        return match last {
            Cow::Borrowed(last) => last.as_bytes().into(),
            Cow::Owned(last) => last.into_bytes().into(),
        };
    }
    let mut clients = Vec::with_capacity(64);
    for value in before {
        clients.extend_from_slice(value.as_bytes());
        clients.extend_from_slice(b", ");
    }
    clients.extend_from_slice(last.as_bytes());
    clients.into()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn passed(request: &HttpRequest) -> Vec<(&str, &[u8])> {
        let is_admin_key =
            |name: &HeaderName, value: &HeaderValue| name == "x-api-key" && value == "secret";
        let mut fields = Vec::new();
        request_fields(request.headers(), is_admin_key, |name, value| {
            fields.push((name, value));
        });
        fields
    }

    #[test]
    fn hop_by_hop_and_nominated_headers_stay_here() {
        let request = TestRequest::default()
            .insert_header(("connection", "keep-alive, X-Secret"))
            .insert_header(("x-secret", "1"))
            .insert_header(("te", "trailers"))
            .insert_header(("accept", "*/*"))
            .to_http_request();
        assert_eq!(passed(&request), [("accept", b"*/*".as_slice())]);
    }

    #[test]
    fn admin_keys_and_ownership_headers_are_never_passed_on() {
        let request = TestRequest::default()
            .insert_header(("x-api-key", "secret"))
            .insert_header(("x-constellation-epoch", "9"))
            .insert_header(("x-request", "mine"))
            .to_http_request();
        assert!(passed(&request).is_empty());
    }

    #[test]
    fn what_a_worker_could_take_for_the_controllers_word_is_not_passed_on() {
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-port",
            "x_forwarded_proto",
            "x-real-ip",
            "x_real.ip",
            "x-original-url",
            "x_constellation_epoch",
            "x-constellation_key",
            "x_request",
        ] {
            let request = TestRequest::default().insert_header((name, "1"));
            assert!(passed(&request.to_http_request()).is_empty(), "{name}");
        }
        for name in [
            "x-forward",
            "x-realip",
            "x-requests",
            "forwarder",
            "my_header",
        ] {
            let request = TestRequest::default().insert_header((name, "1"));
            assert_eq!(passed(&request.to_http_request()).len(), 1, "{name}");
        }
    }

    #[test]
    fn an_applications_own_key_passes_in_the_admin_header() {
        let request = TestRequest::default()
            .insert_header(("x-api-key", "theirs"))
            .to_http_request();
        assert_eq!(passed(&request), [("x-api-key", b"theirs".as_slice())]);
    }

    #[test]
    fn the_clients_address_is_appended_to_what_came() {
        let request = TestRequest::default()
            .insert_header(("x-forwarded-for", "10.0.0.1"))
            .insert_header(("host", "example.org"))
            .peer_addr("192.0.2.7:5000".parse().unwrap())
            .to_http_request();
        let forwarding = Forwarding::of(&request);
        assert_eq!(*forwarding.client, *b"10.0.0.1, 192.0.2.7");
        assert_eq!(
            (forwarding.scheme, forwarding.host),
            ("http", "example.org")
        );
    }

    #[test]
    fn a_worker_cannot_set_the_controllers_headers() {
        assert!(passes_back("set-cookie") && passes_back("date"));
        for name in [
            "x-request",
            "x-worker",
            "connection",
            "transfer-encoding",
            "content-length",
        ] {
            assert!(!passes_back(name), "{name}");
        }
    }
}
