//! What a worker and a controller tell each other at the beginning and the end of a session: the
//! JSON of HELLO, WELCOME and GOAWAY.
//!
//! What comes in is checked once and becomes a type that needs no further checking; every error
//! names the member that is wrong. Members that this version does not know are ignored. Nothing
//! here decides whether a worker is welcome.

pub mod go_away;
pub mod hello;
mod member;
pub mod welcome;

/// The websocket sub-protocol (`Sec-WebSocket-Protocol`) of the binary dialect.
pub const SUB_PROTOCOL: &str = "constellation.v1";

/// The version of the binary dialect that HELLO and WELCOME name.
pub const VERSION: u64 = 1;

/// Why the JSON of a HELLO, WELCOME or GOAWAY is refused.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// It is longer than a frame of its type may be.
    #[error("{bytes} bytes of JSON, at most {bytes_max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// It is no JSON object.
    #[error("not a JSON object: {0}")]
    Json(serde_json::Error),
    /// A member that must be there is not.
    #[error("`{member}` is missing")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// A member has another type or range than it must.
    #[error("`{member}` must be {expected}")]
    Wrong {
        /// The member; an entry of a list or an object as `serves[1]`.
        member: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A member is longer than allowed.
    #[error("`{member}` has {bytes} bytes, at most {bytes_max} are allowed")]
    MemberTooLong {
        /// The member.
        member: String,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// A list or an object has more entries than allowed.
    #[error("`{member}` has {count} entries, at most {count_max} are allowed")]
    TooMany {
        /// The member.
        member: &'static str,
        /// How many it has.
        count: usize,
        /// The most allowed.
        count_max: usize,
    },
    /// The other side speaks another version.
    #[error("`version` is {version}, spoken here is {VERSION}")]
    Version {
        /// The version it named.
        version: u64,
    },
    /// A member's text is not what it must be, for a reason of its own.
    #[error("`{member}` is refused: {reason}")]
    Refused {
        /// The member.
        member: String,
        /// The reason.
        reason: String,
    },
}
