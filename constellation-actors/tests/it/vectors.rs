//! Checks `docs/vectors`: what another implementation may rely on is what this one does. The bytes
//! there were made from the words of `docs/protocol.md`, never by this code.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use constellation_actors::protocol::{
    frame::{FrameType, SizeLimits, decode::Frames},
    mux::{Mux, Role, limits::Limits},
};
use serde::Deserialize;

use self::said::Said;

mod json_dialect;
mod said;

const V1: &str = include_str!("../../../docs/vectors/v1.json");

/// One message of the dialect `constellation.v1`: what it says, or why it is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    meaning: String,
    sender: Sender,
    hex: String,
    /// A reader takes it, but this writer would write it differently.
    #[serde(default)]
    read_only: bool,
    frames: Option<Vec<Said>>,
    breaks: Option<Breaks>,
    refused: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sender {
    Controller,
    Worker,
}

/// What cannot go on after a message that breaks the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Breaks {
    /// The session: the connection is closed.
    Session,
    /// The handshake: the connection is closed.
    Handshake,
    /// One exchange: it is reset, the session goes on.
    Exchange,
}

impl Vector {
    fn all() -> Vec<Self> {
        serde_json::from_str(V1).unwrap()
    }

    fn message(&self) -> Bytes {
        from_hex(&self.hex).into()
    }

    /// What whoever receives the message makes of it.
    fn read(&self) -> Result<Vec<Said>, (Breaks, String)> {
        let role = match self.sender {
            Sender::Controller => Role::Worker,
            Sender::Worker => Role::Controller,
        };
        let mut receiver = Mux::new(role, Limits::default()).unwrap();
        receiver
            .receive(self.message(), &mut Vec::new())
            .map_err(|error| (Breaks::Session, error.to_string()))?;
        Frames::new(self.message(), SizeLimits::default())
            .map(|frame| Said::of(frame.unwrap()))
            .collect()
    }

    /// What the vector says of it.
    fn expected(&self) -> Result<&[Said], (Breaks, String)> {
        match (&self.frames, self.breaks, &self.refused) {
            (Some(frames), None, None) => Ok(frames),
            (None, Some(breaks), Some(refused)) => Err((breaks, refused.clone())),
            _ => panic!("{} neither says anything nor is refused", self.name),
        }
    }
}

fn from_hex(hex: &str) -> Vec<u8> {
    assert!(hex.len().is_multiple_of(2), "half a byte in {hex}");
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_message_reads_as_its_vector_says() {
    for vector in Vector::all() {
        let expected = vector.expected().map(<[Said]>::to_vec);
        assert_eq!(vector.read(), expected, "{}", vector.name);
    }
}

#[test]
fn every_message_is_written_with_exactly_the_bytes_of_its_vector() {
    for vector in Vector::all() {
        let (Ok(frames), false) = (vector.expected(), vector.read_only) else {
            continue;
        };
        let mut message = BytesMut::new();
        frames.iter().for_each(|frame| frame.write(&mut message));
        assert_eq!(to_hex(&message), vector.hex, "{}", vector.name);
    }
}

#[test]
fn what_is_only_read_would_be_written_differently() {
    for vector in Vector::all().iter().filter(|vector| vector.read_only) {
        let frames = vector.expected().unwrap();
        let is_known = |frame: &&Said| !matches!(frame, Said::Unknown { .. });
        let mut message = BytesMut::new();
        frames
            .iter()
            .filter(is_known)
            .for_each(|frame| frame.write(&mut message));
        let same = to_hex(&message) == vector.hex && !vector.hex.is_empty();
        assert!(!same, "{} is also written so", vector.name);
    }
}

#[test]
fn every_type_of_frame_every_code_and_every_kind_of_refusal_has_a_vector() {
    let vectors = Vector::all();
    let written: Vec<_> = vectors
        .iter()
        .filter(|vector| !vector.read_only)
        .filter_map(|vector| vector.frames.as_deref())
        .flatten()
        .collect();
    let types: BTreeSet<_> = written.iter().filter_map(|said| said.code()).collect();
    let known: BTreeSet<_> = (0..=u8::MAX)
        .filter(|code| FrameType::from_code(*code).is_some())
        .collect();
    assert_eq!(types, known);
    for (code, _) in said::RESET_CODES {
        assert!(written.iter().any(|said| said.reset_code() == Some(code)));
    }
    for (reason, _) in said::REVOKE_REASONS {
        let found = written
            .iter()
            .any(|said| said.revoke_reason() == Some(reason));
        assert!(found, "{reason}");
    }
    let breaks: BTreeSet<_> = vectors.iter().filter_map(|vector| vector.breaks).collect();
    assert_eq!(breaks.len(), 3);
}

#[test]
fn every_vector_has_a_name_of_its_own_and_a_meaning() {
    let vectors = Vector::all();
    let names: BTreeSet<_> = vectors.iter().map(|vector| &vector.name).collect();
    assert_eq!(names.len(), vectors.len());
    assert!(vectors.iter().all(|vector| !vector.meaning.is_empty()));
}
