//! What a request says of its connection: options that would take away what belongs to the
//! request, and upgrades that make the rest of the connection its body.

use actix_http::RequestHead;
use actix_web::http::{Version, header};

use super::{Framing, headers};

/// Headers that are for whoever answers the request, so that a client may not have them removed on
/// the way (RFC 9110, section 7.6.1).
const NOT_OF_THE_CONNECTION: [&str; 8] = [
    "authorization",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "origin",
    "transfer-encoding",
];

/// What is wrong with it. Each text goes on after "The header connection".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("has something that is no option's name")]
    Malformed,
    #[error("names {0}, which does not belong to the connection")]
    Nominates(String),
    #[error("does not name upgrade, although there is an upgrade to websocket")]
    UpgradeNotNamed,
    #[error("comes with an upgrade in HTTP/1.0")]
    UpgradeInHttp10,
    #[error("comes with an upgrade to several protocols")]
    UpgradeToSeveral,
    #[error("comes with an upgrade and a body")]
    UpgradeWithBody,
}

/// Checks the options of a connection and its upgrade.
pub(super) fn check(head: &RequestHead, framing: &Framing<'_>) -> Result<(), ConnectionError> {
    if framing.has_connection {
        for value in head.headers().get_all(header::CONNECTION) {
            check_options(value.as_bytes())?;
        }
    }
    match framing.upgrade {
        Some(protocol) => check_upgrade(head, framing, protocol.as_bytes()),
        None => Ok(()),
    }
}

fn check_options(value: &[u8]) -> Result<(), ConnectionError> {
    let options = str::from_utf8(value).map_err(|_| ConnectionError::Malformed)?;
    for option in options.split(',') {
        let option = option.trim_matches([' ', '\t']);
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !option.bytes().all(is_token) {
            return Err(ConnectionError::Malformed);
        }
        let option = option.to_ascii_lowercase();
        let belongs_to_the_request = NOT_OF_THE_CONNECTION
            .into_iter()
            .any(|name| headers::are_alike(name, &option));
        if belongs_to_the_request || headers::is_ours(&option) {
            return Err(ConnectionError::Nominates(option));
        }
    }
    Ok(())
}

fn check_upgrade(
    head: &RequestHead,
    framing: &Framing<'_>,
    protocol: &[u8],
) -> Result<(), ConnectionError> {
    if head.version < Version::HTTP_11 {
        return Err(ConnectionError::UpgradeInHttp10);
    }
    if framing.has_body() {
        return Err(ConnectionError::UpgradeWithBody);
    }
    if protocol.contains(&b',') {
        return Err(ConnectionError::UpgradeToSeveral);
    }
    // The HTTP layer takes everything behind such a head for its body, named or not.
    if !head.upgrade() && protocol.eq_ignore_ascii_case(b"websocket") {
        return Err(ConnectionError::UpgradeNotNamed);
    }
    Ok(())
}
