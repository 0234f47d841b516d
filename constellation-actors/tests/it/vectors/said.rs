//! A frame as a vector describes it, read from and written to the wire by the library.

use bytes::{Bytes, BytesMut};
use constellation_actors::{
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey},
    protocol::{
        frame::{
            FrameType, Held, StreamId,
            code::{ResetCode, RevokeReason},
            decode::{Control, Frame},
            encode,
        },
        handshake::{self, Goaway, Hello, Welcome},
        head::{
            HEAD_BYTES_MAX, RequestHead, RequestLine, ResponseHead, Status, encode::HeadEncoder,
            field::Fields,
        },
    },
};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use super::Breaks;

/// The codes of RESET by the names of the specification.
pub(super) const RESET_CODES: [(&str, ResetCode); 8] = [
    ("CANCELLED", ResetCode::Cancelled),
    ("REFUSED", ResetCode::Refused),
    ("TIMEOUT", ResetCode::Timeout),
    ("INTERNAL", ResetCode::Internal),
    ("OVERLOADED", ResetCode::Overloaded),
    ("TOO_LARGE", ResetCode::TooLarge),
    ("PROTOCOL", ResetCode::Protocol),
    ("MOVED", ResetCode::Moved),
];

/// The reasons of REVOKE by the names of the specification.
pub(super) const REVOKE_REASONS: [(&str, RevokeReason); 4] = [
    ("STALE", RevokeReason::Stale),
    ("MOVE", RevokeReason::Move),
    ("DRAIN", RevokeReason::Drain),
    ("IDLE", RevokeReason::Idle),
];

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub(super) enum Said {
    Hello {
        json: Value,
    },
    Welcome {
        json: Value,
    },
    #[serde(rename = "GOAWAY")]
    Goaway {
        json: Value,
    },
    Heartbeat {
        sequence: u64,
    },
    HeartbeatAck {
        sequence: u64,
    },
    Grant {
        grant: u32,
        epoch: u64,
        key: String,
    },
    Revoke {
        reason: String,
        epoch: u64,
        key: String,
    },
    Released {
        epoch: u64,
        key: String,
    },
    Holding {
        entries: Vec<Entry>,
    },
    Request {
        stream: u32,
        grant: u32,
        end: bool,
        #[serde(default)]
        upgrade: bool,
        head: Asked,
        content: Octets,
    },
    Response {
        stream: u32,
        end: bool,
        head: Answered,
        content: Octets,
    },
    Data {
        stream: u32,
        end: bool,
        content: Octets,
    },
    Credit {
        stream: Option<u32>,
        increment: u32,
    },
    Reset {
        stream: u32,
        code: String,
        reason: String,
    },
    #[serde(rename = "unknown")]
    Unknown {
        code: u8,
    },
}

/// A held key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    epoch: u64,
    key: String,
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    method: String,
    scheme: String,
    authority: String,
    path: String,
    fields: Vec<(String, Octets)>,
}

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    status: u16,
    fields: Vec<(String, Octets)>,
}

/// Bytes, in a vector a text whose characters stand for the bytes of their numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Octets(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text.chars().map(|one| u8::try_from(u32::from(one)));
        let bytes = bytes.collect::<Result<_, _>>();
        bytes.map(Self).map_err(D::Error::custom)
    }
}

type Refusal = (Breaks, String);

impl Said {
    /// What `frame` says, or why whoever it is for refuses it.
    pub(super) fn of(frame: Frame) -> Result<Self, Refusal> {
        Ok(match frame {
            Frame::Control(control) => return Self::of_control(control),
            Frame::Request {
                stream,
                grant,
                payload,
                end,
                upgrade,
            } => {
                let (head, content) = Asked::of(&payload)?;
                Self::Request {
                    stream: stream.get(),
                    grant: grant.get(),
                    end,
                    upgrade,
                    head,
                    content,
                }
            }
            Frame::Response {
                stream,
                payload,
                end,
            } => {
                let (head, content) = Answered::of(&payload)?;
                Self::Response {
                    stream: stream.get(),
                    end,
                    head,
                    content,
                }
            }
            Frame::Data {
                stream,
                content,
                end,
            } => Self::Data {
                stream: stream.get(),
                end,
                content: octets(&content),
            },
            Frame::Credit { stream, increment } => Self::Credit {
                stream: stream.map(StreamId::get),
                increment,
            },
            Frame::Reset {
                stream,
                code,
                reason,
            } => Self::Reset {
                stream: stream.get(),
                code: name(&RESET_CODES, code),
                reason: String::from_utf8(reason.to_vec()).unwrap(),
            },
            Frame::Unknown { code } => Self::Unknown { code },
        })
    }

    fn of_control(control: Control) -> Result<Self, Refusal> {
        Ok(match control {
            Control::Hello { json } => Self::Hello {
                json: document(Hello::parse(&json))?,
            },
            Control::Welcome { json } => Self::Welcome {
                json: document(Welcome::parse(&json))?,
            },
            Control::GoAway { json } => Self::Goaway {
                json: document(Goaway::parse(&json))?,
            },
            Control::Heartbeat { sequence } => Self::Heartbeat { sequence },
            Control::HeartbeatAck { sequence } => Self::HeartbeatAck { sequence },
            Control::Grant { grant, epoch, key } => Self::Grant {
                grant: grant.get(),
                epoch: epoch.get(),
                key: key.to_string(),
            },
            Control::Revoke { reason, epoch, key } => Self::Revoke {
                reason: name(&REVOKE_REASONS, reason),
                epoch: epoch.get(),
                key: key.to_string(),
            },
            Control::Released { epoch, key } => Self::Released {
                epoch: epoch.get(),
                key: key.to_string(),
            },
            Control::Holding { entries } => {
                let entries = entries.into_iter().map(|held| Entry {
                    epoch: held.epoch.get(),
                    key: held.key.to_string(),
                });
                Self::Holding {
                    entries: entries.collect(),
                }
            }
        })
    }

    /// Writes the frame.
    pub(super) fn write(&self, buffer: &mut BytesMut) {
        match self {
            Self::Hello { json } => encode::hello(buffer, &typed::<Hello>(json).to_json()),
            Self::Welcome { json } => encode::welcome(buffer, &typed::<Welcome>(json).to_json()),
            Self::Goaway { json } => encode::go_away(buffer, &typed::<Goaway>(json).to_json()),
            Self::Heartbeat { sequence } => encode::heartbeat(buffer, *sequence),
            Self::HeartbeatAck { sequence } => encode::heartbeat_ack(buffer, *sequence),
            Self::Grant {
                grant,
                epoch,
                key: text,
            } => encode::grant(buffer, GrantId::new(*grant), Epoch::new(*epoch), &key(text)),
            Self::Revoke {
                reason,
                epoch,
                key: text,
            } => {
                let reason = named(&REVOKE_REASONS, reason);
                encode::revoke(buffer, reason, Epoch::new(*epoch), &key(text));
            }
            Self::Released { epoch, key: text } => {
                encode::released(buffer, Epoch::new(*epoch), &key(text));
            }
            Self::Holding { entries } => {
                let held: Vec<_> = entries.iter().map(Entry::held).collect();
                assert!(encode::holding(buffer, &held, 1024).is_empty());
            }
            Self::Request { .. }
            | Self::Response { .. }
            | Self::Data { .. }
            | Self::Credit { .. }
            | Self::Reset { .. } => self.write_of_exchange(buffer),
            Self::Unknown { code } => panic!("nobody writes frames of the unknown type {code}"),
        }
    }

    fn write_of_exchange(&self, buffer: &mut BytesMut) {
        match self {
            Self::Request {
                stream: number,
                grant,
                upgrade: true,
                head,
                ..
            } => encode::upgrade(buffer, stream(*number), GrantId::new(*grant), |payload| {
                head.write(payload);
            }),
            Self::Request {
                stream: number,
                grant,
                end,
                upgrade: false,
                head,
                content,
            } => encode::request(
                buffer,
                stream(*number),
                GrantId::new(*grant),
                *end,
                |payload| {
                    head.write(payload);
                    payload.extend_from_slice(&content.0);
                },
            ),
            Self::Response {
                stream: number,
                end,
                head,
                content,
            } => encode::response(buffer, stream(*number), *end, |payload| {
                head.write(payload);
                payload.extend_from_slice(&content.0);
            }),
            Self::Data {
                stream: number,
                end,
                content,
            } => encode::data(buffer, stream(*number), *end, |payload| {
                payload.extend_from_slice(&content.0);
            }),
            Self::Credit {
                stream: number,
                increment,
            } => encode::credit(buffer, number.map(stream), *increment),
            Self::Reset {
                stream: number,
                code,
                reason,
            } => encode::reset(buffer, stream(*number), named(&RESET_CODES, code), reason),
            control => panic!("{control:?} belongs to no exchange"),
        }
    }

    /// The code of its type, if that is known.
    pub(super) fn code(&self) -> Option<u8> {
        let frame_type = match self {
            Self::Hello { .. } => FrameType::Hello,
            Self::Welcome { .. } => FrameType::Welcome,
            Self::Goaway { .. } => FrameType::GoAway,
            Self::Heartbeat { .. } => FrameType::Heartbeat,
            Self::HeartbeatAck { .. } => FrameType::HeartbeatAck,
            Self::Grant { .. } => FrameType::Grant,
            Self::Revoke { .. } => FrameType::Revoke,
            Self::Released { .. } => FrameType::Released,
            Self::Holding { .. } => FrameType::Holding,
            Self::Request { .. } => FrameType::Request,
            Self::Response { .. } => FrameType::Response,
            Self::Data { .. } => FrameType::Data,
            Self::Credit { .. } => FrameType::Credit,
            Self::Reset { .. } => FrameType::Reset,
            Self::Unknown { .. } => return None,
        };
        Some(frame_type.code())
    }

    pub(super) fn reset_code(&self) -> Option<&str> {
        match self {
            Self::Reset { code, .. } => Some(code),
            _ => None,
        }
    }

    pub(super) fn revoke_reason(&self) -> Option<&str> {
        match self {
            Self::Revoke { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

impl Entry {
    fn held(&self) -> Held {
        Held {
            epoch: Epoch::new(self.epoch),
            key: key(&self.key),
        }
    }
}

impl Asked {
    fn of(payload: &Bytes) -> Result<(Self, Octets), Refusal> {
        let (head, content) = RequestHead::decode(payload, HEAD_BYTES_MAX)
            .map_err(|error| (Breaks::Exchange, error.to_string()))?;
        let asked = Self {
            method: head.method().to_owned(),
            scheme: head.scheme().to_owned(),
            authority: head.authority().to_owned(),
            path: head.path().to_owned(),
            fields: fields(head.fields()),
        };
        Ok((asked, octets(&content)))
    }

    fn write(&self, payload: &mut BytesMut) {
        let line = RequestLine {
            method: &self.method,
            scheme: &self.scheme,
            authority: &self.authority,
            path: &self.path,
        };
        finish(HeadEncoder::request(payload, line), &self.fields);
    }
}

impl Answered {
    fn of(payload: &Bytes) -> Result<(Self, Octets), Refusal> {
        let (head, content) = ResponseHead::decode(payload, HEAD_BYTES_MAX)
            .map_err(|error| (Breaks::Exchange, error.to_string()))?;
        let answered = Self {
            status: head.status().get(),
            fields: fields(head.fields()),
        };
        Ok((answered, octets(&content)))
    }

    fn write(&self, payload: &mut BytesMut) {
        let status = Status::new(self.status).unwrap();
        finish(HeadEncoder::response(payload, status), &self.fields);
    }
}

fn finish(mut head: HeadEncoder<'_>, fields: &[(String, Octets)]) {
    for (name, value) in fields {
        head.field(name, &value.0);
    }
    head.finish(HEAD_BYTES_MAX).unwrap();
}

fn fields(fields: &Fields) -> Vec<(String, Octets)> {
    let fields = fields.iter();
    fields
        .map(|field| (field.name().to_owned(), Octets(field.value().to_vec())))
        .collect()
}

fn octets(bytes: &Bytes) -> Octets {
    Octets(bytes.to_vec())
}

/// The members of a document of the handshake, defaults included.
fn document<T: Serialize>(parsed: Result<T, handshake::Error>) -> Result<Value, Refusal> {
    parsed
        .map(|document| serde_json::to_value(document).unwrap())
        .map_err(|error| (Breaks::Handshake, error.to_string()))
}

fn typed<T: for<'de> Deserialize<'de>>(json: &Value) -> T {
    T::deserialize(json).unwrap()
}

fn stream(number: u32) -> StreamId {
    StreamId::new(number).unwrap()
}

fn key(text: &str) -> ResourceKey {
    ResourceKey::parse(text).unwrap()
}

fn name<T: Copy + PartialEq>(names: &[(&str, T)], code: T) -> String {
    let found = names.iter().find(|(_, known)| *known == code);
    found.unwrap().0.to_owned()
}

fn named<T: Copy>(names: &[(&str, T)], name: &str) -> T {
    let found = names.iter().find(|(known, _)| *known == name);
    found.unwrap().1
}
