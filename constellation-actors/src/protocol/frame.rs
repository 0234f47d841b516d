//! Frames: what a websocket message of the dialect `constellation.v1` is made of.
//!
//! A message holds one or more whole frames back to back. A frame is a header of twelve bytes,
//! all big endian, and a payload:
//!
//! ```text
//! type u8 | flags u8 | reserved u16 | stream u32 | length u32 | payload (length bytes)
//! ```
//!
//! [`encode`] writes frames straight into an outgoing buffer, [`decode`] reads them out of a
//! received message without copying their payloads. Neither knows what a frame means to an
//! exchange, and neither allocates for a length it has not checked.

use std::{fmt, num::NonZeroU32};

use bytes::BytesMut;

use crate::placement::{epoch::Epoch, key::ResourceKey};

pub mod code;
pub mod decode;
pub mod encode;
pub mod error;
mod payload;
#[cfg(test)]
mod properties;

/// The bytes of a frame's header.
pub const HEADER_BYTES: usize = 12;

/// The most bytes of JSON in a HELLO, WELCOME or GOAWAY.
pub const JSON_BYTES_MAX: usize = 64 * 1024;

/// The most content that this implementation sends behind a head, where it costs no credit. What is
/// longer follows as DATA. A peer may send up to [`SizeLimits::data_bytes_max`] so.
pub const INLINE_BYTES_MAX: usize = 16 * 1024;

/// The most bytes of the reason that a RESET gives for people.
pub const REASON_BYTES_MAX: usize = 1024;

/// The bytes of a REQUEST's payload before its head: the grant.
pub(in crate::protocol) const GRANT_BYTES: usize = 4;

/// The bytes of a HOLDING entry before its key: the epoch and the key's length.
const HELD_FIXED_BYTES: usize = 8 + 2;

/// Where a header's length stands.
const LENGTH_AT: usize = 8;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameType {
    /// A worker introduces itself.
    Hello = 0x01,
    /// The controller accepts a worker and names the limits in force.
    Welcome = 0x02,
    /// The sender ends the session, or asks for its end.
    GoAway = 0x03,
    /// A worker renews its lease.
    Heartbeat = 0x04,
    /// The controller has handled a renewal.
    HeartbeatAck = 0x05,
    /// A key is the worker's.
    Grant = 0x10,
    /// A key is to be given back.
    Revoke = 0x11,
    /// A worker has given a key back.
    Released = 0x12,
    /// A worker names keys that it still holds.
    Holding = 0x13,
    /// An exchange begins.
    Request = 0x20,
    /// An exchange is answered.
    Response = 0x21,
    /// Content of an exchange.
    Data = 0x22,
    /// More content may be sent.
    Credit = 0x23,
    /// An exchange ends at once, in both directions.
    Reset = 0x24,
}

impl FrameType {
    /// The type with this code; `None` when this version knows none.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x01 => Self::Hello,
            0x02 => Self::Welcome,
            0x03 => Self::GoAway,
            0x04 => Self::Heartbeat,
            0x05 => Self::HeartbeatAck,
            0x10 => Self::Grant,
            0x11 => Self::Revoke,
            0x12 => Self::Released,
            0x13 => Self::Holding,
            0x20 => Self::Request,
            0x21 => Self::Response,
            0x22 => Self::Data,
            0x23 => Self::Credit,
            0x24 => Self::Reset,
            _ => return None,
        })
    }

    /// The type's code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name the specification gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hello => "HELLO",
            Self::Welcome => "WELCOME",
            Self::GoAway => "GOAWAY",
            Self::Heartbeat => "HEARTBEAT",
            Self::HeartbeatAck => "HEARTBEAT_ACK",
            Self::Grant => "GRANT",
            Self::Revoke => "REVOKE",
            Self::Released => "RELEASED",
            Self::Holding => "HOLDING",
            Self::Request => "REQUEST",
            Self::Response => "RESPONSE",
            Self::Data => "DATA",
            Self::Credit => "CREDIT",
            Self::Reset => "RESET",
        }
    }
}

impl fmt::Display for FrameType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A frame's flags. Bits that this version does not know are kept and ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// On REQUEST, RESPONSE and DATA: nothing more of this direction's body follows.
    pub const END: Self = Self(0x01);
    /// On REQUEST: the client asks for an upgrade. After a 101 the exchange is a tunnel.
    pub const UPGRADE: Self = Self(0x02);

    /// The flags of a header's second byte.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The header's second byte.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// [`Flags::END`] or none.
    #[must_use]
    pub const fn end(end: bool) -> Self {
        if end { Self::END } else { Self::NONE }
    }

    /// Whether nothing more of this direction's body follows.
    #[must_use]
    pub const fn is_end(self) -> bool {
        self.0 & Self::END.0 != 0
    }

    /// Whether the exchange may become a tunnel. One whose request has ended cannot.
    #[must_use]
    pub const fn is_upgrade(self) -> bool {
        self.0 & Self::UPGRADE.0 != 0 && !self.is_end()
    }
}

/// One exchange of a session. Chosen by the controller; zero stands for the session itself and
/// is never an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(NonZeroU32);

impl StreamId {
    /// The exchange with this number; `None` for zero.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The exchange's number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A key that a worker says it still holds, one entry of a HOLDING frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The epoch under which it holds the key.
    pub epoch: Epoch,
    /// The key.
    pub key: ResourceKey,
}

/// The sizes that both sides of a session keep to, in bytes. WELCOME announces them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimits {
    /// The most content in one DATA frame, and the most that rides behind a head. Default 64 KiB.
    pub data_bytes_max: u32,
    /// The longest head of a request or response. Default 128 KiB.
    pub head_bytes_max: u32,
    /// The longest websocket message. Default 1 MiB.
    pub message_bytes_max: u32,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self {
            data_bytes_max: 64 * 1024,
            head_bytes_max: 128 * 1024,
            message_bytes_max: 1024 * 1024,
        }
    }
}

/// Appends one frame to `buffer`: the header, then what `payload` appends. The length is filled
/// in afterwards, so the payload is written once and in place.
///
/// `stream` is `None` for frames of the session itself. Limits are the caller's matter. When
/// `payload` panics, `buffer` is left as it was.
///
/// # Panics
///
/// When `payload` appends 4 GiB or more, or takes away from the buffer.
pub fn write(
    buffer: &mut BytesMut,
    frame_type: FrameType,
    flags: Flags,
    stream: Option<StreamId>,
    payload: impl FnOnce(&mut BytesMut),
) {
    let frame = Unfinished {
        start: buffer.len(),
        buffer,
        finished: false,
    };
    write_header(frame.buffer, frame_type, flags, stream, 0);
    payload(frame.buffer);
    frame.finish();
}

/// Appends the header of a frame whose payload has `length` bytes.
fn write_header(
    buffer: &mut BytesMut,
    frame_type: FrameType,
    flags: Flags,
    stream: Option<StreamId>,
    length: u32,
) {
    let [a, b, c, d] = stream.map_or(0, StreamId::get).to_be_bytes();
    let [e, f, g, h] = length.to_be_bytes();
    let (code, flags) = (frame_type.code(), flags.bits());
    buffer.extend_from_slice(&[code, flags, 0, 0, a, b, c, d, e, f, g, h]);
}

/// A frame being written. Dropped before it is finished, it takes its bytes back, so that a
/// panic while a payload is written cannot leave half a frame in a queue that goes on.
struct Unfinished<'a> {
    buffer: &'a mut BytesMut,
    start: usize,
    finished: bool,
}

impl Unfinished<'_> {
    fn finish(mut self) {
        let length = (self.buffer.len() - self.start)
            .checked_sub(HEADER_BYTES)
            .and_then(|length| u32::try_from(length).ok())
            .expect("a payload only appends, and far less than 4 GiB");
        let at = self.start + LENGTH_AT;
        self.buffer[at..at + 4].copy_from_slice(&length.to_be_bytes());
        self.finished = true;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.buffer.truncate(self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn every_known_type_is_found_by_its_code() {
        for code in 0..=u8::MAX {
            if let Some(frame_type) = FrameType::from_code(code) {
                assert_eq!(frame_type.code(), code);
            }
        }
        let known = (0..=u8::MAX).filter_map(FrameType::from_code);
        assert_eq!(known.count(), 14);
    }

    #[test]
    fn zero_is_no_exchange() {
        assert_eq!(StreamId::new(0), None);
        assert_eq!(StreamId::new(u32::MAX).unwrap().get(), u32::MAX);
    }

    #[test]
    fn a_panic_in_a_payload_leaves_no_half_frame() {
        let mut buffer = BytesMut::new();
        encode::heartbeat(&mut buffer, 1);
        let whole = buffer.clone();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            write(
                &mut buffer,
                FrameType::Data,
                Flags::NONE,
                StreamId::new(1),
                |payload| {
                    payload.extend_from_slice(b"half");
                    panic!("the payload cannot be made");
                },
            );
        }));
        assert!(panicked.is_err());
        assert_eq!(buffer, whole);
    }
}
