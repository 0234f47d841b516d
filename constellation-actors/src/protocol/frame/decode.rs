//! Reads the frames of one received message, without copying payloads. Never trusts a length it
//! has not checked, and never judges what a frame means to an exchange.

use std::fmt;

use bytes::{Buf, Bytes};

use super::{
    Flags, FrameType, HEADER_BYTES, Held, LENGTH_AT, SizeLimits, StreamId,
    code::{ResetCode, RevokeReason},
    error::FrameError,
    payload::{Payload, check_length},
};
use crate::placement::{epoch::Epoch, grant::GrantId, key::ResourceKey};

/// One frame. Payloads are slices of the message they came in. Prints their sizes, never bodies.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// A frame of the session itself.
    Control(Control),
    /// An exchange begins.
    Request {
        /// The exchange.
        stream: StreamId,
        /// The grant it comes under.
        grant: GrantId,
        /// The request's head, then the first content.
        payload: Bytes,
        /// Whether no DATA follows.
        end: bool,
        /// Whether it may become a tunnel.
        upgrade: bool,
    },
    /// An exchange is answered.
    Response {
        /// The exchange.
        stream: StreamId,
        /// The response's head, then the first content.
        payload: Bytes,
        /// Whether no DATA follows.
        end: bool,
    },
    /// Content of an exchange.
    Data {
        /// The exchange.
        stream: StreamId,
        /// The content.
        content: Bytes,
        /// Whether it is the last.
        end: bool,
    },
    /// More content may be sent.
    Credit {
        /// The exchange; `None` for the session.
        stream: Option<StreamId>,
        /// How many bytes more; zero is for the reader to refuse.
        increment: u32,
    },
    /// An exchange ends at once, in both directions.
    Reset {
        /// The exchange.
        stream: StreamId,
        /// Why.
        code: ResetCode,
        /// Why, for people; UTF-8 if the sender keeps to the rules.
        reason: Bytes,
    },
    /// A frame of a type that this version does not know, to be ignored.
    Unknown {
        /// The type's code.
        code: u8,
    },
}

/// A frame of the session itself, about no exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// A worker introduces itself.
    Hello {
        /// The frame's JSON.
        json: Bytes,
    },
    /// The controller accepts a worker.
    Welcome {
        /// The frame's JSON.
        json: Bytes,
    },
    /// The sender ends the session, or asks for its end.
    GoAway {
        /// The frame's JSON.
        json: Bytes,
    },
    /// A worker renews its lease.
    Heartbeat {
        /// The renewal's number.
        sequence: u64,
    },
    /// The controller has handled a renewal.
    HeartbeatAck {
        /// The renewal's number.
        sequence: u64,
    },
    /// A key is the worker's.
    Grant {
        /// The name that requests give it.
        grant: GrantId,
        /// The epoch of the ownership.
        epoch: Epoch,
        /// The key.
        key: ResourceKey,
    },
    /// A key is to be given back.
    Revoke {
        /// Why.
        reason: RevokeReason,
        /// The epoch of the ownership that ends.
        epoch: Epoch,
        /// The key.
        key: ResourceKey,
    },
    /// A worker has given a key back.
    Released {
        /// The epoch of the ownership that ended.
        epoch: Epoch,
        /// The key.
        key: ResourceKey,
    },
    /// A worker names keys that it still holds.
    Holding {
        /// The keys, with the epochs they are held under.
        entries: Vec<Held>,
    },
}

impl Control {
    /// The frame's type.
    #[must_use]
    pub const fn frame_type(&self) -> FrameType {
        match self {
            Self::Hello { .. } => FrameType::Hello,
            Self::Welcome { .. } => FrameType::Welcome,
            Self::GoAway { .. } => FrameType::GoAway,
            Self::Heartbeat { .. } => FrameType::Heartbeat,
            Self::HeartbeatAck { .. } => FrameType::HeartbeatAck,
            Self::Grant { .. } => FrameType::Grant,
            Self::Revoke { .. } => FrameType::Revoke,
            Self::Released { .. } => FrameType::Released,
            Self::Holding { .. } => FrameType::Holding,
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(control) => control.fmt(formatter),
            Self::Request {
                stream,
                grant,
                payload,
                end,
                upgrade,
            } => formatter
                .debug_struct("Request")
                .field("stream", stream)
                .field("grant", grant)
                .field("payload", &Size::of(payload))
                .field("end", end)
                .field("upgrade", upgrade)
                .finish(),
            Self::Response {
                stream,
                payload,
                end,
            } => formatter
                .debug_struct("Response")
                .field("stream", stream)
                .field("payload", &Size::of(payload))
                .field("end", end)
                .finish(),
            Self::Data {
                stream,
                content,
                end,
            } => formatter
                .debug_struct("Data")
                .field("stream", stream)
                .field("content", &Size::of(content))
                .field("end", end)
                .finish(),
            Self::Credit { stream, increment } => formatter
                .debug_struct("Credit")
                .field("stream", stream)
                .field("increment", increment)
                .finish(),
            Self::Reset {
                stream,
                code,
                reason,
            } => formatter
                .debug_struct("Reset")
                .field("stream", stream)
                .field("code", code)
                .field("reason", reason)
                .finish(),
            Self::Unknown { code } => formatter
                .debug_struct("Unknown")
                .field("code", code)
                .finish(),
        }
    }
}

/// How long a payload is, printed in its place.
pub(in crate::protocol) struct Size(usize);

impl Size {
    pub(in crate::protocol) const fn of(payload: &Bytes) -> Self {
        Self(payload.len())
    }
}

impl fmt::Debug for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0)
    }
}

/// The frames of one message, in order. After an error nothing more comes.
pub struct Frames {
    rest: Bytes,
    offset: usize,
    limits: SizeLimits,
    oversized: bool,
}

impl Frames {
    /// Reads `message`, keeping to `limits`.
    #[must_use]
    pub fn new(message: Bytes, limits: SizeLimits) -> Self {
        let oversized = message.len() > limits.message_bytes_max as usize;
        Self {
            rest: message,
            offset: 0,
            limits,
            oversized,
        }
    }

    /// What has not been read yet: whole frames again, for another reader.
    #[must_use]
    pub fn rest(self) -> Bytes {
        self.rest
    }

    fn read(&mut self) -> Result<Frame, FrameError> {
        if self.oversized {
            return Err(FrameError::MessageTooLong {
                bytes: self.rest.len(),
                bytes_max: self.limits.message_bytes_max as usize,
            });
        }
        let offset = self.offset;
        let Some(mut header) = self
            .rest
            .first_chunk::<HEADER_BYTES>()
            .map(|header| &header[..])
        else {
            return Err(FrameError::HeaderCut {
                offset,
                available: self.rest.len(),
            });
        };
        let code = header.get_u8();
        let flags = Flags::from_bits(header.get_u8());
        header.advance(2);
        let stream = StreamId::new(header.get_u32());
        let length = header.get_u32();
        let available = self.rest.len() - HEADER_BYTES;
        let payload_bytes = match usize::try_from(length) {
            Ok(bytes) if bytes <= available => bytes,
            Ok(_) | Err(_) => {
                return Err(FrameError::PayloadCut {
                    offset,
                    length,
                    available,
                });
            }
        };
        let Some(frame_type) = FrameType::from_code(code) else {
            self.skip(HEADER_BYTES + payload_bytes);
            return Ok(Frame::Unknown { code });
        };
        check_length(frame_type, payload_bytes, offset, &self.limits)?;
        self.skip(HEADER_BYTES);
        let bytes = self.rest.slice(..payload_bytes);
        self.skip(payload_bytes);
        Payload::new(frame_type, offset, bytes).into_frame(flags, stream)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest.advance(bytes);
        self.offset += bytes;
    }
}

impl Iterator for Frames {
    type Item = Result<Frame, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = self.read();
        if frame.is_err() {
            self.rest.clear();
        }
        Some(frame)
    }
}

impl std::iter::FusedIterator for Frames {}

impl fmt::Debug for Frames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Frames")
            .field("rest", &Size::of(&self.rest))
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// The bytes of the frame that `frames` begins with, if it begins with a header. For frames that
/// were written here, and so need no checking.
pub(in crate::protocol) fn frame_bytes(frames: &[u8]) -> Option<usize> {
    let mut length = frames.get(LENGTH_AT..HEADER_BYTES)?;
    Some(HEADER_BYTES + length.get_u32() as usize)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::{
        placement::key::{KEY_BYTES_MAX, KeyError},
        protocol::frame::{JSON_BYTES_MAX, REASON_BYTES_MAX, encode, write},
    };

    const LIMITS: SizeLimits = SizeLimits {
        data_bytes_max: 100,
        head_bytes_max: 200,
        message_bytes_max: 128 * 1024,
    };

    fn read(message: &[u8]) -> Vec<Result<Frame, FrameError>> {
        Frames::new(Bytes::copy_from_slice(message), LIMITS).collect()
    }

    /// One frame of `length` zeros.
    fn zeros(frame_type: FrameType, stream: u32, length: usize) -> Vec<u8> {
        let mut buffer = BytesMut::new();
        write(
            &mut buffer,
            frame_type,
            Flags::NONE,
            StreamId::new(stream),
            |payload| payload.resize(payload.len() + length, 0),
        );
        buffer.to_vec()
    }

    #[test]
    fn unknown_types_flags_and_reserved_bits_are_ignored() {
        let message = b"\x7f\xff\xff\xff\0\0\0\x09\0\0\0\x03abc\
            \x22\xfe\xff\xff\0\0\0\x01\0\0\0\x01x";
        let stream = StreamId::new(1).unwrap();
        let content = Bytes::from_static(b"x");
        let end = false;
        assert_eq!(
            read(message),
            [
                Ok(Frame::Unknown { code: 0x7f }),
                Ok(Frame::Data {
                    stream,
                    content,
                    end
                })
            ]
        );
    }

    #[test]
    fn payloads_are_slices_of_their_message() {
        let message = Bytes::from(zeros(FrameType::Data, 1, 50));
        let mut frames = Frames::new(message.clone(), LIMITS);
        let Some(Ok(Frame::Data { content, .. })) = frames.next() else {
            panic!("one DATA was written");
        };
        assert_eq!(content.as_ptr(), message[HEADER_BYTES..].as_ptr());
    }

    #[test]
    fn a_cut_message_tells_where_it_is_cut() {
        let mut message = zeros(FrameType::Data, 1, 8);
        message.extend(zeros(FrameType::Data, 1, 8));
        let header_cut = FrameError::HeaderCut {
            offset: 20,
            available: 11,
        };
        assert_eq!(read(&message[..31])[1], Err(header_cut));
        let payload_cut = FrameError::PayloadCut {
            offset: 20,
            length: 8,
            available: 7,
        };
        assert_eq!(read(&message[..39])[1..], [Err(payload_cut)]);
    }

    #[test]
    fn a_message_over_the_limit_is_not_read_at_all() {
        let message = vec![0; 128 * 1024 + 1];
        let (bytes, bytes_max) = (message.len(), 128 * 1024);
        assert_eq!(
            read(&message),
            [Err(FrameError::MessageTooLong { bytes, bytes_max })]
        );
        assert!(read(&zeros(FrameType::Hello, 0, JSON_BYTES_MAX))[0].is_ok());
    }

    #[test]
    fn every_type_has_its_limits() {
        let limits = [
            (FrameType::Hello, 0, JSON_BYTES_MAX),
            (FrameType::Welcome, 0, JSON_BYTES_MAX),
            (FrameType::GoAway, 0, JSON_BYTES_MAX),
            (FrameType::Heartbeat, 8, 8),
            (FrameType::HeartbeatAck, 8, 8),
            (FrameType::Grant, 12, 12 + KEY_BYTES_MAX),
            (FrameType::Revoke, 9, 9 + KEY_BYTES_MAX),
            (FrameType::Released, 8, 8 + KEY_BYTES_MAX),
            (FrameType::Request, 4, 304),
            (FrameType::Response, 0, 300),
            (FrameType::Data, 0, 100),
            (FrameType::Credit, 4, 4),
            (FrameType::Reset, 1, 1 + REASON_BYTES_MAX),
        ];
        for (frame_type, bytes_min, bytes_max) in limits {
            let stream = u32::from(frame_type.code() >= FrameType::Request.code());
            let refused = |length: usize| {
                let outcome = read(&zeros(frame_type, stream, length));
                let limit = FrameError::PayloadLength {
                    offset: 0,
                    frame_type,
                    length,
                    bytes_min,
                    bytes_max,
                };
                outcome == [Err(limit)]
            };
            assert!(refused(bytes_max + 1), "{frame_type}");
            assert!(!refused(bytes_max), "{frame_type}");
            assert!(!refused(bytes_min), "{frame_type}");
            assert!(bytes_min == 0 || refused(bytes_min - 1), "{frame_type}");
        }
    }

    #[test]
    fn a_frame_names_an_exchange_exactly_if_it_belongs_to_one() {
        let types = (0..=u8::MAX).filter_map(FrameType::from_code);
        for frame_type in types.filter(|frame_type| *frame_type != FrameType::Credit) {
            let of_exchange = frame_type.code() >= FrameType::Request.code();
            let stream = u32::from(!of_exchange);
            // Every type takes one of these lengths.
            let outcomes = [8, 12].map(|length| read(&zeros(frame_type, stream, length)));
            let (offset, stream) = (0, StreamId::new(1).unwrap());
            let error = match of_exchange {
                true => FrameError::StreamMissing { offset, frame_type },
                false => FrameError::StreamUnexpected {
                    offset,
                    frame_type,
                    stream,
                },
            };
            assert!(outcomes.contains(&vec![Err(error)]), "{frame_type}");
        }
    }

    #[test]
    fn credit_may_be_for_the_session() {
        assert_eq!(
            read(&zeros(FrameType::Credit, 0, 4)),
            [Ok(Frame::Credit {
                stream: None,
                increment: 0
            })]
        );
    }

    #[test]
    fn a_bad_key_is_refused_with_its_fault() {
        let refused = |key: &[u8]| {
            let mut buffer = BytesMut::new();
            write(
                &mut buffer,
                FrameType::Released,
                Flags::NONE,
                None,
                |payload| {
                    payload.extend_from_slice(&[0; 8]);
                    payload.extend_from_slice(key);
                },
            );
            match read(&buffer).remove(0) {
                Err(FrameError::Key { source, .. }) => source,
                outcome => panic!("{outcome:?}"),
            }
        };
        assert_eq!(refused(b""), KeyError::NoSlash);
        assert_eq!(
            refused(b"/\x7f"),
            KeyError::Unprintable { at: 1, byte: 0x7f }
        );
        assert_eq!(
            refused(b"/a\xff"),
            KeyError::Unprintable { at: 2, byte: 0xff }
        );
    }

    #[test]
    fn holding_is_read_entry_by_entry() {
        let entries: Vec<Held> = ["/a", "/db/b"]
            .iter()
            .map(|key| Held {
                epoch: Epoch::new(5),
                key: ResourceKey::parse(key).unwrap(),
            })
            .collect();
        let mut buffer = BytesMut::new();
        assert!(encode::holding(&mut buffer, &entries, 1024).is_empty());
        assert_eq!(
            read(&buffer),
            [Ok(Frame::Control(Control::Holding { entries }))]
        );

        for cut in [1, 5, 6] {
            let mut cut_short = buffer[..buffer.len() - cut].to_vec();
            cut_short[LENGTH_AT + 3] -= u8::try_from(cut).unwrap();
            let expected = if cut == 5 {
                let key = FrameError::Key {
                    offset: 0,
                    frame_type: FrameType::Holding,
                    source: KeyError::NoSlash,
                };
                // Cut exactly behind the length: make the entry say that its key is empty.
                let last = cut_short.len() - 1;
                cut_short[last] = 0;
                key
            } else {
                FrameError::EntryCut {
                    offset: 0,
                    entry: 1,
                }
            };
            assert_eq!(read(&cut_short), [Err(expected)]);
        }
    }

    #[test]
    fn what_was_not_read_can_be_read_by_somebody_else() {
        let mut message = BytesMut::new();
        encode::welcome(&mut message, b"{}");
        encode::heartbeat_ack(&mut message, 1);
        let mut frames = Frames::new(message.freeze(), LIMITS);
        assert!(matches!(
            frames.next(),
            Some(Ok(Frame::Control(Control::Welcome { .. })))
        ));
        let rest: Vec<_> = Frames::new(frames.rest(), LIMITS).collect();
        assert_eq!(
            rest,
            [Ok(Frame::Control(Control::HeartbeatAck { sequence: 1 }))]
        );
    }

    #[test]
    fn a_printed_frame_does_not_show_its_body() {
        let printed = format!(
            "{:?}",
            Frame::Data {
                stream: StreamId::new(1).unwrap(),
                content: Bytes::from_static(b"secret"),
                end: true,
            }
        );
        assert!(printed.contains("6 bytes"), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }
}
