//! What the controller writes: requests and probes.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde::{Serialize, ser::SerializeMap};
use uuid::Uuid;

use super::timestamp;

/// A request for a worker.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its id, which the response repeats.
    pub guid: Uuid,
    /// The time by the controller's wall clock, in microseconds since 1970.
    pub unix_micros: u64,
    /// The method.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host that the client named.
    pub host: &'a str,
    /// The raw path and query.
    pub path_and_query: &'a str,
    /// The headers in their order, names in lower case; a name may come several times.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub body: &'a [u8],
}

/// A probe for a sign of life.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    /// Its id, which the answer repeats.
    pub guid: Uuid,
    /// The time by the controller's wall clock, in microseconds since 1970.
    pub unix_micros: u64,
}

/// A message as it is written. Members without a value are left out.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wire<'a> {
    #[serde(rename = "GUID")]
    guid: Uuid,
    r#type: &'a str,
    timestamp_utc: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Url<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_state: Option<String>,
}

/// The address of a request, whole and in parts.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Url<'a> {
    uri: &'a str,
    url: &'a str,
    url_without_query: &'a str,
    path_and_query: &'a str,
    path: &'a str,
    path_segments: Vec<&'a str>,
    query_elements: QueryElements<'a>,
}

/// The elements of a query, a name once with its last value.
struct QueryElements<'a>(&'a str);

impl Serialize for QueryElements<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let elements = self.0.split('&').filter(|element| !element.is_empty());
        let pairs = elements.map(|element| element.split_once('=').unwrap_or((element, "")));
        let last: std::collections::BTreeMap<_, _> = pairs.collect();
        serializer.collect_map(last)
    }
}

/// Headers as an object: a name with one value, or with the list of its values.
struct Headers<'a>(&'a [(&'a str, &'a [u8])]);

impl Serialize for Headers<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, (name, value)) in self.0.iter().enumerate() {
            let named = |(other, _): &&(&str, &[u8])| other == name;
            if self.0[..at].iter().any(|header| named(&header)) {
                continue;
            }
            let values: Vec<_> = self.0[at..]
                .iter()
                .filter(named)
                .map(|(_, v)| text(v))
                .collect();
            match &values[..] {
                [_] => map.serialize_entry(name, &text(value))?,
                values => map.serialize_entry(name, values)?,
            }
        }
        map.end()
    }
}

/// A header's value as text: UTF-8, or else each byte as the character of that number (Latin-1).
fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

impl Request<'_> {
    /// The message.
    #[must_use]
    pub fn to_message(&self) -> Bytes {
        let path_and_query = self.path_and_query;
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let without_query = format!("{}://{}{path}", self.scheme, self.host);
        let uri = format!("{}://{}{path_and_query}", self.scheme, self.host);
        let header = |wanted: &str| {
            let found = self.headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| text(value))
        };
        write(&Wire {
            guid: self.guid,
            r#type: "Request",
            timestamp_utc: timestamp::format(self.unix_micros),
            method: Some(self.method),
            content_type: header("content-type"),
            url: Some(Url {
                uri: &uri,
                url: &uri,
                url_without_query: &without_query,
                path_and_query,
                path,
                path_segments: path
                    .split('/')
                    .filter(|segment| !segment.is_empty())
                    .collect(),
                query_elements: QueryElements(query),
            }),
            headers: Some(Headers(self.headers)),
            data: (!self.body.is_empty()).then(|| BASE64.encode(self.body)),
            trace_parent: header("traceparent"),
            trace_state: header("tracestate"),
        })
    }
}

impl Heartbeat {
    /// The message.
    #[must_use]
    pub fn to_message(&self) -> Bytes {
        write(&Wire {
            guid: self.guid,
            r#type: "Heartbeat",
            timestamp_utc: timestamp::format(self.unix_micros),
            method: None,
            content_type: None,
            url: None,
            headers: None,
            data: None,
            trace_parent: None,
            trace_state: None,
        })
    }
}

fn write(wire: &Wire<'_>) -> Bytes {
    serde_json::to_vec(wire)
        .expect("texts and maps of texts always make JSON")
        .into()
}
