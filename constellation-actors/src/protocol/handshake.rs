//! What controller and worker say when a session begins and ends: the JSON of HELLO, WELCOME and
//! GOAWAY. Unknown members are ignored, so that either side may learn new ones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    frame::SizeLimits,
    mux::limits::{Limits, TUNNEL_CREDIT},
};
use crate::placement::{
    pattern::{Pattern, PatternError},
    worker::{Incarnation, Profile, WorkerId},
};

/// The websocket sub-protocol of the binary dialect.
pub const SUBPROTOCOL: &str = "constellation.v1";

/// The version of HELLO and WELCOME.
pub const VERSION: u32 = 1;

/// The longest name of a worker, and the longest name or value of a label, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;

/// The most labels of a worker, and the most patterns it serves.
pub const ENTRIES_MAX: usize = 64;

/// Why a HELLO, WELCOME or GOAWAY cannot be accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no JSON of the right form.
    #[error("not the expected JSON: {0}")]
    Json(serde_json::Error),
    /// It is of a version that this one does not speak.
    #[error("member version is {version}, but only {VERSION} is spoken here")]
    Version {
        /// Its version.
        version: u32,
    },
    /// A text is too long.
    #[error("member {member} has a text of {bytes} bytes, at most {TEXT_BYTES_MAX} are allowed")]
    TooLong {
        /// Where.
        member: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// A list is too long.
    #[error("member {member} has {entries} entries, at most {ENTRIES_MAX} are allowed")]
    TooMany {
        /// Where.
        member: &'static str,
        /// How many there are.
        entries: usize,
    },
    /// A worker that takes no key.
    #[error("member capacity is 0; leave it out for no limit")]
    NoCapacity,
    /// A pattern of `serves` is none.
    #[error("member serves: {0}")]
    Serves(PatternError),
}

/// HELLO: a worker introduces itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u32,
    /// The worker's stable id.
    pub worker: WorkerId,
    /// This life of the worker's process.
    pub incarnation: Incarnation,
    /// A name for people; may be empty.
    #[serde(default)]
    pub name: String,
    /// Free labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The most keys it takes at a time; `None` for no limit.
    #[serde(default)]
    pub capacity: Option<u32>,
    /// The patterns of the keys it serves; none for every key.
    #[serde(default)]
    pub serves: Vec<String>,
    /// How many held keys the HOLDING frames behind this list.
    #[serde(default)]
    pub holding: u32,
    /// The library that speaks, for people.
    #[serde(default)]
    pub library: String,
}

impl Hello {
    /// Reads and checks a HELLO.
    ///
    /// # Errors
    ///
    /// When it is no JSON of this form, or a member is out of bounds.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let hello: Self = serde_json::from_slice(json).map_err(Error::Json)?;
        check_version(hello.version)?;
        check_text("name", &hello.name)?;
        check_text("library", &hello.library)?;
        check_entries("labels", hello.labels.len())?;
        check_entries("serves", hello.serves.len())?;
        for (name, value) in &hello.labels {
            check_text("labels", name)?;
            check_text("labels", value)?;
        }
        if hello.capacity == Some(0) {
            return Err(Error::NoCapacity);
        }
        hello.patterns()?;
        Ok(hello)
    }

    /// The JSON of the frame.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }

    /// What the worker says of itself.
    ///
    /// # Errors
    ///
    /// When a pattern is none; not after [`parse`](Self::parse).
    pub fn profile(&self) -> Result<Profile, Error> {
        Ok(Profile {
            name: self.name.clone(),
            serves: self.patterns()?,
            capacity: self.capacity,
            labels: self.labels.clone(),
        })
    }

    fn patterns(&self) -> Result<Vec<Pattern>, Error> {
        let patterns = self.serves.iter().map(|text| Pattern::parse(text));
        patterns.collect::<Result<_, _>>().map_err(Error::Serves)
    }
}

/// WELCOME: the controller accepts a worker and names the rules in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`VERSION`].
    pub version: u32,
    /// The session's number, for logs.
    pub session: u64,
    /// This life of the controller.
    pub controller: Uuid,
    /// Whether the worker's life as an owner goes on: its keys are still its own.
    pub resumed: bool,
    /// How often to renew the lease, in milliseconds.
    pub interval_ms: u64,
    /// How long a lease is, in milliseconds.
    pub ttl_ms: u64,
    /// How long before the end of its lease a worker stops acting, in milliseconds.
    pub margin_ms: u64,
    /// The limits that both sides keep to.
    pub limits: WireLimits,
}

impl Welcome {
    /// Reads and checks a WELCOME.
    ///
    /// # Errors
    ///
    /// When it is no JSON of this form or of another version.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let welcome: Self = serde_json::from_slice(json).map_err(Error::Json)?;
        check_version(welcome.version)?;
        Ok(welcome)
    }

    /// The JSON of the frame.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

/// The limits of a session, as WELCOME names them. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireLimits {
    /// The content that each direction of an exchange may have under way.
    pub stream_credit: u32,
    /// The content that each direction of the session may have under way.
    pub session_credit: u32,
    /// The most content in one DATA frame, and the most that rides behind a head.
    pub data_bytes_max: u32,
    /// The longest head.
    pub head_bytes_max: u32,
    /// The longest websocket message.
    pub message_bytes_max: u32,
    /// The most exchanges at a time.
    pub exchanges_max: u32,
    /// How long the controller waits for the head of a response, in milliseconds.
    pub request_timeout_ms: u64,
    /// The most tunnels at a time. A controller that says nothing of them has none.
    #[serde(default)]
    pub tunnels_max: u32,
    /// The bytes that each direction of a tunnel may have under way.
    #[serde(default = "tunnel_credit")]
    pub tunnel_credit: u32,
}

const fn tunnel_credit() -> u32 {
    TUNNEL_CREDIT
}

impl WireLimits {
    /// What WELCOME says of `limits`.
    #[must_use]
    pub const fn new(limits: &Limits, request_timeout_ms: u64) -> Self {
        Self {
            stream_credit: limits.stream_credit,
            session_credit: limits.session_credit,
            data_bytes_max: limits.sizes.data_bytes_max,
            head_bytes_max: limits.sizes.head_bytes_max,
            message_bytes_max: limits.sizes.message_bytes_max,
            exchanges_max: limits.exchanges_max,
            request_timeout_ms,
            tunnels_max: limits.tunnels_max,
            tunnel_credit: limits.tunnel_credit,
        }
    }

    /// The limits that a worker's mux keeps to.
    #[must_use]
    pub fn for_mux(&self) -> Limits {
        Limits {
            sizes: SizeLimits {
                data_bytes_max: self.data_bytes_max,
                head_bytes_max: self.head_bytes_max,
                message_bytes_max: self.message_bytes_max,
            },
            stream_credit: self.stream_credit,
            session_credit: self.session_credit,
            exchanges_max: self.exchanges_max,
            tunnels_max: self.tunnels_max,
            tunnel_credit: self.tunnel_credit,
            ..Limits::default()
        }
    }
}

/// GOAWAY: the sender ends the session, or asks for its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goaway {
    /// Why, for programs.
    pub code: String,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
}

impl Goaway {
    /// A worker asks for no new keys.
    pub const DRAINING: &str = "draining";
    /// A worker has released every key.
    pub const GOODBYE: &str = "goodbye";

    /// A GOAWAY with this code and reason.
    #[must_use]
    pub fn new(code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            reason: reason.into(),
        }
    }

    /// Reads a GOAWAY.
    ///
    /// # Errors
    ///
    /// When it is no JSON of this form.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(json).map_err(Error::Json)
    }

    /// The JSON of the frame.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        to_json(self)
    }
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and maps of texts always make JSON")
}

fn check_version(version: u32) -> Result<(), Error> {
    if version == VERSION {
        Ok(())
    } else {
        Err(Error::Version { version })
    }
}

fn check_text(member: &'static str, text: &str) -> Result<(), Error> {
    match text.len() {
        bytes if bytes > TEXT_BYTES_MAX => Err(Error::TooLong { member, bytes }),
        _ => Ok(()),
    }
}

fn check_entries(member: &'static str, entries: usize) -> Result<(), Error> {
    if entries > ENTRIES_MAX {
        Err(Error::TooMany { member, entries })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01";

    fn hello(more: &str) -> Result<Hello, Error> {
        let json = format!(r#"{{"version":1,"worker":"{ID}","incarnation":"{ID}"{more}}}"#);
        Hello::parse(json.as_bytes())
    }

    #[test]
    fn a_hello_needs_no_more_than_its_ids() {
        let hello = hello(r#","something_new":1"#).unwrap();
        assert_eq!(hello.profile().unwrap(), Profile::default());
        assert_eq!(Hello::parse(&hello.to_json()).unwrap(), hello);
    }

    #[test]
    fn a_hello_out_of_bounds_is_refused_by_member() {
        let refused = |more: &str| hello(more).unwrap_err().to_string();
        assert!(refused(r#","capacity":0"#).contains("capacity"));
        assert!(refused(r#","serves":["db"]"#).contains("serves"));
        let long = format!(r#","name":"{}""#, "x".repeat(300));
        assert!(refused(&long).contains("name"));
        let labels: Vec<_> = (0..65).map(|n| format!(r#""{n}":"""#)).collect();
        assert!(refused(&format!(r#","labels":{{{}}}"#, labels.join(","))).contains("labels"));
        assert!(
            Hello::parse(br#"{"version":1}"#)
                .unwrap_err()
                .to_string()
                .contains("worker")
        );
    }

    #[test]
    fn another_version_is_refused() {
        let json = format!(r#"{{"version":2,"worker":"{ID}","incarnation":"{ID}"}}"#);
        assert!(matches!(
            Hello::parse(json.as_bytes()),
            Err(Error::Version { version: 2 })
        ));
    }

    #[test]
    fn the_limits_of_a_welcome_are_those_of_the_mux() {
        let limits = Limits {
            exchanges_max: 7,
            ..Limits::default()
        };
        assert_eq!(WireLimits::new(&limits, 30_000).for_mux(), limits);
    }
}
