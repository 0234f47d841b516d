//! Which requests two parsers could read differently: they are refused before anything is decided
//! about them. Looks at a parsed head and decides; it reads and changes nothing else.
//!
//! The HTTP layer below has refused some already, with a bare 400 or 431: what has no head, two
//! lengths, a length beside a transfer coding, folded lines. What it takes and this refuses are
//! readings that it settled on silently and another parser may not share.

use actix_http::RequestHead;
use actix_web::http::{
    Method, Version,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};

use super::headers;

mod authority;
mod connection;
#[cfg(test)]
mod tests;

/// The longest method, in bytes; the longest registered one has 17.
pub(super) const METHOD_BYTES_MAX: usize = 32;

/// The methods that a server or a library knows by name (RFC 9110, section 9, and RFC 5789).
const KNOWN_METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// Headers of which there is one at most; of two, some readers take the first and some the last.
const SINGLE: [HeaderName; 15] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::CONTENT_RANGE,
    header::RANGE,
    header::IF_RANGE,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::MAX_FORWARDS,
    header::ORIGIN,
    header::REFERER,
    header::USER_AGENT,
    header::UPGRADE,
];

/// Headers that say where a message ends or whom it is for; a name that some readers take for one
/// of them must not pass beside it.
const FRAMING: [&str; 5] = [
    "content-length",
    "transfer-encoding",
    "host",
    "connection",
    "trailer",
];

/// What two parsers could read differently, in words for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ambiguity {
    #[error("The method has more than {METHOD_BYTES_MAX} bytes.")]
    MethodTooLong,
    #[error("The method {method} differs from {known} in letter case alone.")]
    MethodCase { method: String, known: &'static str },
    #[error("CONNECT is not forwarded.")]
    Connect,
    #[error("A TRACE request may not have a body.")]
    TraceWithBody,
    #[error("The request target is no path: the asterisk form is not forwarded.")]
    AsteriskForm,
    #[error("The request target is no path: the authority form is for CONNECT alone.")]
    AuthorityForm,
    #[error("The absolute request target has a query and no path.")]
    AbsoluteWithoutPath,
    #[error("The absolute request target has the scheme {0:?}, which is not this connection's.")]
    Scheme(String),
    #[error("The host in the absolute request target differs from that in the header host.")]
    HostsDiffer,
    #[error("The host {0}.")]
    Host(#[from] authority::HostError),
    #[error("The header {0} came more than once.")]
    Repeated(HeaderName),
    #[error("The header name {name:?} could be taken for {like}.")]
    Lookalike { name: String, like: &'static str },
    #[error("The header content-length is not a plain decimal number.")]
    ContentLength,
    #[error("The header content-length stands beside transfer-encoding.")]
    TwoLengths,
    #[error("The header transfer-encoding is not the one word chunked.")]
    TransferEncoding,
    #[error("The header connection {0}.")]
    Connection(#[from] connection::ConnectionError),
}

/// Checks a request's head. `secure` is whether it came over TLS.
///
/// # Errors
///
/// When two parsers could read it differently.
pub(super) fn check(head: &RequestHead, secure: bool) -> Result<(), Ambiguity> {
    let framing = Framing::read(head.headers())?;
    check_method(head, &framing)?;
    check_target(head, framing.host, secure)?;
    framing.check()?;
    connection::check(head, &framing)?;
    Ok(())
}

/// The headers that say where a message ends, whom it is for, and what it says of its connection.
#[derive(Default)]
struct Framing<'a> {
    host: Option<&'a HeaderValue>,
    length: Option<&'a HeaderValue>,
    coding: Option<&'a HeaderValue>,
    upgrade: Option<&'a HeaderValue>,
    has_connection: bool,
}

impl<'a> Framing<'a> {
    /// Finds them in one go through all headers, of which none may be taken for another.
    fn read(headers: &'a HeaderMap) -> Result<Self, Ambiguity> {
        let mut framing = Self::default();
        let mut previous = None;
        // The values of one name come one after the other.
        for (name, value) in headers {
            if previous == Some(name) && SINGLE.contains(name) {
                return Err(Ambiguity::Repeated(name.clone()));
            }
            previous = Some(name);
            match *name {
                header::HOST => framing.host = Some(value),
                header::CONTENT_LENGTH => framing.length = Some(value),
                header::TRANSFER_ENCODING => framing.coding = Some(value),
                header::UPGRADE => framing.upgrade = Some(value),
                header::CONNECTION => framing.has_connection = true,
                header::TRAILER => {}
                _ => check_name(name.as_str())?,
            }
        }
        Ok(framing)
    }

    fn has_body(&self) -> bool {
        self.length.is_some() || self.coding.is_some()
    }

    /// Checks what says where the body ends (RFC 9112, section 6).
    fn check(&self) -> Result<(), Ambiguity> {
        if let Some(length) = self.length {
            let digits = length.as_bytes();
            let leads_with_zero = digits.len() > 1 && digits[0] == b'0';
            // Some readers take a number that leads with a zero for an octal one.
            if !digits.iter().all(u8::is_ascii_digit) || digits.is_empty() || leads_with_zero {
                return Err(Ambiguity::ContentLength);
            }
        }
        match (self.coding, self.length) {
            (Some(coding), _) if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
                Err(Ambiguity::TransferEncoding)
            }
            (Some(_), Some(_)) => Err(Ambiguity::TwoLengths),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

fn check_name(name: &str) -> Result<(), Ambiguity> {
    let like = FRAMING.into_iter().find(|it| headers::are_alike(it, name));
    like.map_or(Ok(()), |like| {
        Err(Ambiguity::Lookalike {
            name: name.to_owned(),
            like,
        })
    })
}

fn check_method(head: &RequestHead, framing: &Framing<'_>) -> Result<(), Ambiguity> {
    // Nearly every method is one of these four, for which a comparison of numbers is enough.
    if [Method::GET, Method::POST, Method::PUT, Method::HEAD].contains(&head.method) {
        return Ok(());
    }
    let method = head.method.as_str();
    if method.len() > METHOD_BYTES_MAX {
        return Err(Ambiguity::MethodTooLong);
    }
    // Methods are case-sensitive (RFC 9110, section 9.1), and many readers do not care.
    let known = KNOWN_METHODS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(method));
    match known {
        Some("CONNECT") if method == "CONNECT" => Err(Ambiguity::Connect),
        Some("TRACE") if method == "TRACE" && framing.has_body() => Err(Ambiguity::TraceWithBody),
        Some(known) if known != method => Err(Ambiguity::MethodCase {
            method: method.to_owned(),
            known,
        }),
        Some(_) | None => Ok(()),
    }
}

/// Checks the form of the request target (RFC 9112, section 3.2) and whom it names.
fn check_target(
    head: &RequestHead,
    host: Option<&HeaderValue>,
    secure: bool,
) -> Result<(), Ambiguity> {
    if let Some(host) = host {
        authority::check(host.as_bytes())?;
    }
    let Some(authority) = head.uri.authority() else {
        return if head.uri.path() == "*" {
            Err(Ambiguity::AsteriskForm)
        } else {
            Ok(())
        };
    };
    let Some(scheme) = head.uri.scheme_str() else {
        return Err(Ambiguity::AuthorityForm);
    };
    authority::check(authority.as_str().as_bytes())?;
    if host.is_some_and(|host| !authority::are_same(host.as_bytes(), authority.as_str())) {
        return Err(Ambiguity::HostsDiffer);
    }
    // In HTTP/2 every target has this form, and scheme and path are fields of their own.
    if head.version >= Version::HTTP_2 {
        return Ok(());
    }
    if scheme != if secure { "https" } else { "http" } {
        return Err(Ambiguity::Scheme(scheme.to_owned()));
    }
    // No path at all reads as a slash (RFC 9110, section 4.2.3); a query without one has no form.
    let target = head.uri.path_and_query();
    if target.is_some_and(|target| !target.as_str().starts_with('/')) {
        return Err(Ambiguity::AbsoluteWithoutPath);
    }
    Ok(())
}
