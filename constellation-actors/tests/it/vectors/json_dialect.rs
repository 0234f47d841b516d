//! Checks `docs/vectors/json-dialect.json`: what the controller writes, and what it makes of what a
//! worker writes.

use std::collections::BTreeSet;

use constellation_actors::protocol::json::{Heartbeat, Incoming, Message, Request};
use serde::Deserialize;
use uuid::Uuid;

use super::{Sender, said::Octets};

const JSON_DIALECT: &str = include_str!("../../../../docs/vectors/json-dialect.json");

/// One message of the original's dialect.
#[derive(Debug, Deserialize)]
struct Vector {
    name: String,
    meaning: String,
    sender: Sender,
    message: String,
    #[serde(flatten)]
    said: Said,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Said {
    Heartbeat(Probe),
    Request(Asked),
    Response(Answered),
    Echo { guid: Uuid },
    Other { guid: Uuid },
    Refused(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    guid: Uuid,
    unix_micros: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    guid: Uuid,
    unix_micros: u64,
    method: String,
    scheme: String,
    host: String,
    path_and_query: String,
    headers: Vec<(String, Octets)>,
    body: Octets,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    guid: Uuid,
    status: u16,
    content_type: String,
    headers: Vec<(String, String)>,
    body: Octets,
}

impl Asked {
    fn to_message(&self) -> String {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.0.as_slice()))
            .collect();
        let request = Request {
            guid: self.guid,
            unix_micros: self.unix_micros,
            method: &self.method,
            scheme: &self.scheme,
            host: &self.host,
            path_and_query: &self.path_and_query,
            headers: &headers,
            body: &self.body.0,
        };
        text(&request.to_message())
    }
}

impl Answered {
    fn assert_is(self, message: Message, name: &str) {
        let Incoming::Response(found) = message.kind else {
            panic!("{name}: {message:?}");
        };
        assert_eq!(message.guid, self.guid, "{name}");
        assert_eq!(found.status, self.status, "{name}");
        assert_eq!(found.content_type, self.content_type, "{name}");
        assert_eq!(found.headers, self.headers, "{name}");
        assert_eq!(found.body, self.body.0, "{name}");
    }
}

fn all() -> Vec<Vector> {
    serde_json::from_str(JSON_DIALECT).unwrap()
}

fn text(message: &[u8]) -> String {
    str::from_utf8(message).unwrap().to_owned()
}

#[test]
fn the_controller_writes_what_the_vectors_say() {
    let mut checked = 0;
    for vector in all() {
        let written = match vector.said {
            Said::Heartbeat(Probe { guid, unix_micros }) => {
                text(&Heartbeat { guid, unix_micros }.to_message())
            }
            Said::Request(request) => request.to_message(),
            Said::Response(_) | Said::Echo { .. } | Said::Other { .. } | Said::Refused(_) => {
                assert_eq!(vector.sender, Sender::Worker, "{}", vector.name);
                continue;
            }
        };
        assert_eq!(vector.sender, Sender::Controller, "{}", vector.name);
        assert_eq!(written, vector.message, "{}", vector.name);
        checked += 1;
    }
    assert!(checked >= 3);
}

#[test]
fn the_controller_reads_what_the_vectors_say() {
    let mut checked = 0;
    for vector in all() {
        let name = vector.name;
        let read = Message::parse(vector.message.as_bytes());
        let of = |guid, kind| Message { guid, kind };
        match vector.said {
            Said::Heartbeat(_) | Said::Request(_) => continue,
            Said::Response(response) => response.assert_is(read.unwrap(), &name),
            Said::Echo { guid } => {
                assert_eq!(read.unwrap(), of(guid, Incoming::Heartbeat), "{name}");
            }
            Said::Other { guid } => {
                assert_eq!(read.unwrap(), of(guid, Incoming::Other), "{name}");
            }
            Said::Refused(refused) => {
                assert_eq!(read.unwrap_err().to_string(), refused, "{name}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 10);
}

#[test]
fn the_echo_of_a_probe_is_its_answer() {
    let vectors = all();
    let probe = vectors
        .iter()
        .find(|vector| matches!(vector.said, Said::Heartbeat(_)));
    let echo = Message::parse(probe.unwrap().message.as_bytes()).unwrap();
    assert_eq!(echo.kind, Incoming::Heartbeat);
}

#[test]
fn every_vector_of_the_json_dialect_has_a_name_of_its_own_and_a_meaning() {
    let vectors = all();
    let names: BTreeSet<_> = vectors.iter().map(|vector| &vector.name).collect();
    assert_eq!(names.len(), vectors.len());
    assert!(vectors.iter().all(|vector| !vector.meaning.is_empty()));
}
