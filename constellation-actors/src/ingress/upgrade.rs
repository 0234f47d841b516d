//! Which requests ask for a websocket, and which of those are refused. Looks at the head alone.
//!
//! The HTTP layer below takes every request with `Upgrade: websocket` for the beginning of an
//! endless stream, whatever its method, version or length. So nothing that claims an upgrade goes
//! on as an ordinary request: what its bytes mean would depend on who reads them.

use actix_web::{
    HttpRequest,
    http::{
        Method, Version,
        header::{self, HeaderName},
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{headers::connection_options, problem::Problem};

/// The version of the websocket protocol (RFC 6455, section 4.1).
const VERSION: &[u8] = b"13";

/// The bytes that a websocket's key stands for.
const KEY_BYTES: usize = 16;

/// Whether a request asks for a websocket, so that it becomes a tunnel.
///
/// # Errors
///
/// When it claims an upgrade, but not one that is forwarded.
pub(super) fn asks_for_websocket(request: &HttpRequest) -> Result<bool, Problem> {
    let headers = request.headers();
    if !headers.contains_key(header::UPGRADE) {
        return Ok(false);
    }
    if let Some(description) = fault(request) {
        let description = description.to_owned();
        return Err(Problem::BadRequest { description });
    }
    if only(request, header::SEC_WEBSOCKET_VERSION) != Some(VERSION) {
        return Err(Problem::UpgradeRequired);
    }
    Ok(true)
}

/// What is wrong with an upgrade, in words for the client.
fn fault(request: &HttpRequest) -> Option<&'static str> {
    let headers = request.headers();
    let is_websocket = only(request, header::UPGRADE)
        .is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"));
    if !is_websocket {
        return Some("No upgrade but the one to websocket is forwarded.");
    }
    if request.version() != Version::HTTP_11 || request.method() != Method::GET {
        return Some("A websocket begins with a GET of HTTP/1.1.");
    }
    let connection = connection_options(headers);
    let says = |wanted: &str| {
        let mut options = connection.iter();
        options.any(|option| option.eq_ignore_ascii_case(wanted))
    };
    if !says("upgrade") || says("close") {
        return Some("An upgrade needs the header Connection: upgrade.");
    }
    let bodies = [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::EXPECT,
    ];
    if bodies.iter().any(|name| headers.contains_key(name)) {
        return Some("A request for an upgrade has no body.");
    }
    let key = only(request, header::SEC_WEBSOCKET_KEY).and_then(|key| STANDARD.decode(key).ok());
    if key.is_none_or(|key| key.len() != KEY_BYTES) {
        return Some("Sec-WebSocket-Key is not 16 bytes in base64.");
    }
    None
}

/// The value of a header that came exactly once.
fn only(request: &HttpRequest, name: HeaderName) -> Option<&[u8]> {
    let mut values = request.headers().get_all(name);
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    /// A request as a browser makes it, but for the header `changed`, which has these values.
    fn request(changed: &str, values: &[&str]) -> TestRequest {
        let whole = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", KEY),
        ];
        let kept = whole.into_iter().filter(|(name, _)| *name != changed);
        let changed = values.iter().map(|value| (changed, *value));
        let mut request = TestRequest::get();
        for header in kept.chain(changed) {
            request = request.append_header(header);
        }
        request
    }

    fn judge(request: TestRequest) -> Result<bool, Problem> {
        asks_for_websocket(&request.to_http_request())
    }

    fn refusal(request: TestRequest) -> String {
        match judge(request) {
            Err(Problem::BadRequest { description }) => description,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_browsers_request_is_taken_and_one_without_the_header_is_none() {
        assert_eq!(judge(request("x", &[])), Ok(true));
        assert_eq!(judge(request("upgrade", &["WebSocket"])), Ok(true));
        assert_eq!(judge(request("upgrade", &[])), Ok(false));
    }

    #[test]
    fn another_protocol_than_websocket_is_refused() {
        for protocols in [&["h2c"][..], &["websocket, h2c"], &["websocket", "h2c"]] {
            assert!(refusal(request("upgrade", protocols)).contains("No upgrade"));
        }
    }

    #[test]
    fn an_upgrade_that_two_readers_could_take_differently_is_refused() {
        let posted = request("x", &[]).method(Method::POST);
        assert!(refusal(posted).contains("GET"));
        let old = request("x", &[]).version(Version::HTTP_10);
        assert!(refusal(old).contains("HTTP/1.1"));
        for (name, value) in [
            ("content-length", "0"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
        ] {
            assert!(
                refusal(request(name, &[value])).contains("no body"),
                "{name}"
            );
        }
        for options in [
            &[][..],
            &["keep-alive"],
            &["x-upgrade"],
            &["upgrade", "close"],
        ] {
            assert!(refusal(request("connection", options)).contains("Connection"));
        }
    }

    #[test]
    fn a_key_is_sixteen_bytes_and_comes_once() {
        for keys in [&[][..], &["abc"], &["YWJj"], &["!"], &[KEY, KEY]] {
            assert!(refusal(request("sec-websocket-key", keys)).contains("Key"));
        }
    }

    #[test]
    fn another_version_is_told_the_one_that_is_spoken() {
        for versions in [&[][..], &["8"], &["13", "13"]] {
            let refused = judge(request("sec-websocket-version", versions));
            assert_eq!(refused, Err(Problem::UpgradeRequired), "{versions:?}");
        }
        let response = Problem::UpgradeRequired.response();
        let version = response.headers().get("sec-websocket-version").unwrap();
        assert_eq!(
            (response.status().as_u16(), version),
            (426, &"13".parse().unwrap())
        );
    }
}
