//! The original's JSON dialect: one JSON document for each message, bodies in base64.
//!
//! Kept so that existing workers connect unchanged, and so that a worker can be written in a few
//! lines of any language. Never used between our own controller and worker library.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde::Deserialize;
use uuid::Uuid;

mod lenient;
mod request;
pub mod timestamp;

pub use self::request::{Heartbeat, Request};

/// The content type of a response that names none.
pub const CONTENT_TYPE_DEFAULT: &str = "application/json";

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not UTF-8.
    #[error("the message is not UTF-8 from byte {at} on")]
    Encoding {
        /// Where it stops being UTF-8.
        at: usize,
    },
    /// It is no JSON of the right form.
    #[error("the message cannot be read: {0}")]
    Json(#[source] serde_json::Error),
    /// Its id is none.
    #[error("member GUID is not a UUID: {text:?}")]
    Guid {
        /// What stands there.
        text: String,
    },
    /// Its body is no base64.
    #[error("member Data is not base64: {0}")]
    Data(#[source] base64::DecodeError),
    /// Its status is none.
    #[error("member StatusCode is {status}, which is no HTTP status")]
    Status {
        /// What stands there.
        status: i64,
    },
}

/// What a worker sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id: for a response that of the request, for a heartbeat that of the probe.
    pub guid: Uuid,
    /// What it is.
    pub kind: Incoming,
}

/// What a worker's message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The answer to a probe.
    Heartbeat,
    /// The answer to a request.
    Response(Response),
    /// Something that only a controller sends, or of an unknown type.
    Other,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status; 200 when the message names none.
    pub status: u16,
    /// The content type; [`CONTENT_TYPE_DEFAULT`] when the message names none.
    pub content_type: String,
    /// Further headers, in order, a name several times for several values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// A message as it is written.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "GUID", borrow)]
    guid: Cow<'a, str>,
    #[serde(rename = "Type", default, borrow)]
    kind: Cow<'a, str>,
    #[serde(rename = "StatusCode", default)]
    status_code: Option<Number>,
    #[serde(rename = "ContentType", default)]
    content_type: Option<String>,
    #[serde(rename = "Headers", default)]
    headers: Option<Headers>,
    #[serde(rename = "Data", default, borrow)]
    data: Option<Cow<'a, str>>,
}

/// A number, which may be written in a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(i64),
    Quoted(String),
}

/// Headers in the order in which they are written.
struct Headers(Vec<(String, String)>);

/// A header's value, or its values, or none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<Option<String>>),
    None(()),
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Headers;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object of header names and values")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Headers, A::Error> {
                let mut headers = Vec::new();
                while let Some((name, values)) = map.next_entry::<String, Values>()? {
                    match values {
                        Values::One(value) => headers.push((name, value)),
                        Values::Many(values) => {
                            let values = values.into_iter().flatten();
                            headers.extend(values.map(|value| (name.clone(), value)));
                        }
                        Values::None(()) => {}
                    }
                }
                Ok(Headers(headers))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

impl Message {
    /// Reads a message. Comments, trailing commas and numbers in strings are accepted, as by the
    /// original's readers; unknown members are ignored.
    ///
    /// # Errors
    ///
    /// When it is not such a message; the error names the member.
    pub fn parse(message: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(message).map_err(|error| Error::Encoding {
            at: error.valid_up_to(),
        })?;
        match serde_json::from_str::<Wire<'_>>(text) {
            Ok(wire) => wire.check(),
            // Only what strict JSON refuses is cleaned up, so that long messages are read once.
            Err(error) => {
                let plain = lenient::plain(text);
                let wire = serde_json::from_str::<Wire<'_>>(&plain);
                wire.map_err(|_| Error::Json(error))?.check()
            }
        }
    }
}

impl Wire<'_> {
    fn check(self) -> Result<Message, Error> {
        let guid = Uuid::parse_str(&self.guid).map_err(|_| Error::Guid {
            text: self.guid.chars().take(64).collect(),
        })?;
        let kind = match &*self.kind {
            "Heartbeat" => Incoming::Heartbeat,
            "Response" => Incoming::Response(self.response()?),
            _ => Incoming::Other,
        };
        Ok(Message { guid, kind })
    }

    fn response(self) -> Result<Response, Error> {
        let status = match self.status_code {
            None => 200,
            Some(Number::Plain(status)) => status,
            Some(Number::Quoted(text)) => text.trim().parse().unwrap_or(-1),
        };
        let checked = u16::try_from(status)
            .ok()
            .filter(|status| (200..=599).contains(status));
        let mut content_type = self.content_type;
        let mut headers = self.headers.map(|headers| headers.0).unwrap_or_default();
        headers.retain(|(name, value)| {
            let names_type = name.eq_ignore_ascii_case("content-type");
            if names_type && content_type.is_none() {
                content_type = Some(value.clone());
            }
            !names_type
        });
        let data = self.data.unwrap_or_default();
        Ok(Response {
            status: checked.ok_or(Error::Status { status })?,
            content_type: content_type.unwrap_or_else(|| CONTENT_TYPE_DEFAULT.to_owned()),
            headers,
            body: BASE64.decode(data.as_bytes()).map_err(Error::Data)?.into(),
        })
    }
}

#[cfg(test)]
mod tests;
