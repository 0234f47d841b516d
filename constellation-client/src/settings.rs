//! What a worker was built with, checked: resolved from what its builder was told.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use awc::http::{Uri, header::HeaderValue};
use constellation_actors::placement::{
    pattern::Pattern,
    worker::{Incarnation, WorkerId},
};

use crate::{clock::Clock, error::BuildError};

/// The port of an address that names none (RFC 6455, section 3).
const DEFAULT_PORT: u16 = 80;

/// Everything about a worker but its controllers and its handler.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) worker: WorkerId,
    pub(crate) incarnation: Incarnation,
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) capacity: Option<u32>,
    pub(crate) serves: Vec<Pattern>,
    pub(crate) token: Option<Token>,
    /// How long a handler may take until its response begins.
    pub(crate) handler_timeout: Duration,
    /// How long running exchanges may go on when their key is released in order.
    pub(crate) drain_timeout: Duration,
    /// How long a tunnel may go on when its key is released in order.
    pub(crate) tunnel_goodbye: Duration,
    /// How long a resource may take to close.
    pub(crate) closing_timeout: Duration,
    /// The most requests that wait for one key.
    pub(crate) queue_per_key_max: usize,
    pub(crate) clock: Clock,
}

/// The address of a controller's websocket.
#[derive(Clone, Debug)]
pub(crate) struct ControllerUrl {
    text: Arc<str>,
    uri: Uri,
}

impl ControllerUrl {
    pub(crate) fn parse(text: &str) -> Result<Self, BuildError> {
        let refused = |reason: String| {
            Err(BuildError::Url {
                url: text.to_owned(),
                reason,
            })
        };
        let uri = match Uri::try_from(text) {
            Ok(uri) => uri,
            Err(error) => return refused(error.to_string()),
        };
        match uri.scheme_str() {
            Some("ws") => {}
            Some("wss") => {
                return Err(BuildError::TlsMissing {
                    url: text.to_owned(),
                });
            }
            Some(scheme) => return refused(format!("its scheme is {scheme}, not ws")),
            None => return refused("it does not begin with ws://".to_owned()),
        }
        if uri.host().is_none_or(str::is_empty) {
            return refused("it names no host".to_owned());
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return refused("it holds user information, use a token instead".to_owned());
        }
        Ok(Self {
            text: text.into(),
            uri,
        })
    }

    /// Whether both lead to the same endpoint, however they are written. Two sessions of one worker
    /// there would end each other in turn.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let host = |url: &Self| url.uri.host().map(str::to_ascii_lowercase);
        let port = |url: &Self| url.uri.port_u16().unwrap_or(DEFAULT_PORT);
        host(self) == host(other)
            && port(self) == port(other)
            && self.uri.path() == other.uri.path()
            && self.uri.query() == other.uri.query()
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }
}

/// A worker's credential. Never printed.
#[derive(Clone)]
pub(crate) struct Token(HeaderValue);

impl Token {
    pub(crate) fn parse(text: &str) -> Result<Self, BuildError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BuildError::Token);
        }
        let mut value =
            HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| BuildError::Token)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the header that carries it.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_with_what_is_wrong_with_it() {
        let refused = |text: &str| ControllerUrl::parse(text).unwrap_err().to_string();
        assert!(refused("wss://host:8001").contains("TLS"));
        assert!(refused("http://host:8001").contains("http"));
        assert!(refused("host:8001").contains("ws"));
        assert!(refused("ws://").contains("ws://"));
        assert!(refused("ws://name:secret@host").contains("user information"));
        assert_eq!(
            &**ControllerUrl::parse("ws://host:8001").unwrap().text(),
            "ws://host:8001"
        );
    }

    #[test]
    fn addresses_of_one_endpoint_are_the_same_however_they_are_written() {
        let same = |one: &str, other: &str| {
            let parse = |text| ControllerUrl::parse(text).unwrap();
            parse(one).is_same_as(&parse(other))
        };
        assert!(same("ws://host", "ws://HOST:80/"));
        assert!(!same("ws://host", "ws://host:8001"));
        assert!(!same("ws://host/one", "ws://host/other"));
    }

    #[test]
    fn a_token_is_sent_as_bearer_and_never_printed() {
        let token = Token::parse("opensesame").unwrap();
        assert_eq!(token.header().to_str().unwrap(), "Bearer opensesame");
        assert!(!format!("{token:?} {:?}", token.header()).contains("opensesame"));
        for text in ["", "a b", "a\nb", "\u{e9}"] {
            assert!(Token::parse(text).is_err(), "{text:?}");
        }
    }
}
