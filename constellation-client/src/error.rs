//! What can go wrong for the users of this library: building a worker, reading a body, answering.

use std::fmt;

use constellation_actors::{
    placement::pattern::PatternError,
    protocol::handshake::{ENTRIES_MAX, TEXT_BYTES_MAX},
};

/// Why a worker was not built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No controller was named.
    #[error("a worker needs at least one controller, such as ws://localhost:8001")]
    NoController,
    /// An address is not one of a websocket.
    #[error("{url:?} is not the address of a controller: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address asks for TLS.
    #[error("{url:?} asks for TLS, which this version of the library cannot do yet; use ws://")]
    TlsMissing {
        /// The address.
        url: String,
    },
    /// A controller was named twice.
    #[error("the controller {url:?} is named twice")]
    Twice {
        /// The address.
        url: String,
    },
    /// A pattern of the keys it serves is none.
    #[error("serves: {0}")]
    Serves(#[from] PatternError),
    /// The token cannot be sent in a header.
    #[error("the token is empty or holds something else than visible ASCII")]
    Token,
    /// A name or label is too long for a controller.
    #[error("{member} has {bytes} bytes, at most {TEXT_BYTES_MAX} are allowed")]
    TooLong {
        /// Which text.
        member: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// There are more labels or patterns than a controller takes.
    #[error("there are {entries} {member}, at most {ENTRIES_MAX} are allowed")]
    TooMany {
        /// Of what.
        member: &'static str,
        /// How many.
        entries: usize,
    },
    /// A number that must let something through is zero.
    #[error("{member} must not be zero")]
    Zero {
        /// Which number.
        member: &'static str,
    },
}

/// A failure of a handler: the client gets a 500 without details, the log gets these words.
///
/// Made from any error by `?`, or from words by [`HandlerError::new`]. It is no
/// [`std::error::Error`] itself, because then it could not be made from all others.
pub struct HandlerError(Box<str>);

impl HandlerError {
    /// A failure described by `reason`, for the log.
    #[must_use]
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string().into())
    }
}

impl<E: std::error::Error> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            reason.push_str(": ");
            reason.push_str(&error.to_string());
            source = error.source();
        }
        Self(reason.into())
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// Why there is no more of a request's body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than its reader takes.
    #[error("the body is longer than the {bytes_max} bytes that are taken")]
    TooLarge {
        /// The most that is taken.
        bytes_max: usize,
    },
    /// The client, or the connection to the controller, went away in the middle.
    #[error("the body broke off: {reason}")]
    BrokenOff {
        /// What happened.
        reason: String,
    },
}
