//! One function per frame that appends it to an outgoing buffer. Never checks limits: what it is
//! given is what it writes.

use bytes::{BufMut, BytesMut};

use super::{
    Flags, FrameType, HEADER_BYTES, HELD_FIXED_BYTES, Held, REASON_BYTES_MAX, StreamId,
    code::{ResetCode, RevokeReason},
    write, write_header,
};
use crate::placement::{epoch::Epoch, grant::GrantId, key::ResourceKey};

/// Appends HELLO with its JSON.
pub fn hello(buffer: &mut BytesMut, json: &[u8]) {
    session(buffer, FrameType::Hello, |payload| payload.put_slice(json));
}

/// Appends WELCOME with its JSON.
pub fn welcome(buffer: &mut BytesMut, json: &[u8]) {
    session(buffer, FrameType::Welcome, |payload| {
        payload.put_slice(json)
    });
}

/// Appends GOAWAY with its JSON.
pub fn go_away(buffer: &mut BytesMut, json: &[u8]) {
    session(buffer, FrameType::GoAway, |payload| payload.put_slice(json));
}

/// Appends HEARTBEAT: the renewal with this sequence number.
pub fn heartbeat(buffer: &mut BytesMut, sequence: u64) {
    session(buffer, FrameType::Heartbeat, |payload| {
        payload.put_u64(sequence)
    });
}

/// Appends HEARTBEAT_ACK for the renewal with this sequence number.
pub fn heartbeat_ack(buffer: &mut BytesMut, sequence: u64) {
    session(buffer, FrameType::HeartbeatAck, |payload| {
        payload.put_u64(sequence)
    });
}

/// Appends GRANT: `key` is the worker's under `epoch`, and requests will name it `grant`.
pub fn grant(buffer: &mut BytesMut, grant: GrantId, epoch: Epoch, key: &ResourceKey) {
    session(buffer, FrameType::Grant, |payload| {
        payload.put_u32(grant.get());
        payload.put_u64(epoch.get());
        payload.put_slice(key.as_bytes());
    });
}

/// Appends REVOKE: `key` of `epoch` is to be given back.
pub fn revoke(buffer: &mut BytesMut, reason: RevokeReason, epoch: Epoch, key: &ResourceKey) {
    session(buffer, FrameType::Revoke, |payload| {
        payload.put_u8(reason.number());
        payload.put_u64(epoch.get());
        payload.put_slice(key.as_bytes());
    });
}

/// Appends RELEASED: `key` of `epoch` has been given back.
pub fn released(buffer: &mut BytesMut, epoch: Epoch, key: &ResourceKey) {
    session(buffer, FrameType::Released, |payload| {
        payload.put_u64(epoch.get());
        payload.put_slice(key.as_bytes());
    });
}

/// Appends one HOLDING frame with as many `entries` as fit into `message_bytes_max` together with
/// the header, at least one when there are any, and returns the entries that are left.
///
/// Call it again with those, one frame to a message, until none is left.
pub fn holding<'a>(
    buffer: &mut BytesMut,
    entries: &'a [Held],
    message_bytes_max: usize,
) -> &'a [Held] {
    let payload_bytes_max = message_bytes_max.saturating_sub(HEADER_BYTES);
    let mut bytes = 0;
    let fitting = entries
        .iter()
        .take_while(|held| {
            bytes += HELD_FIXED_BYTES + held.key.len();
            bytes <= payload_bytes_max
        })
        .count()
        .max(1)
        .min(entries.len());
    let (now, later) = entries.split_at(fitting);
    session(buffer, FrameType::Holding, |payload| {
        for held in now {
            payload.put_u64(held.epoch.get());
            let length = u16::try_from(held.key.len()).expect("a key has at most 8 KiB");
            payload.put_u16(length);
            payload.put_slice(held.key.as_bytes());
        }
    });
    later
}

/// Appends REQUEST: `head` appends the request's head and the first content.
pub fn request(
    buffer: &mut BytesMut,
    stream: StreamId,
    grant: GrantId,
    end: bool,
    head: impl FnOnce(&mut BytesMut),
) {
    write(
        buffer,
        FrameType::Request,
        Flags::end(end),
        Some(stream),
        |payload| {
            payload.put_u32(grant.get());
            head(payload);
        },
    );
}

/// Appends REQUEST with UPGRADE: `head` appends the request's head. It has no content yet.
pub fn upgrade(
    buffer: &mut BytesMut,
    stream: StreamId,
    grant: GrantId,
    head: impl FnOnce(&mut BytesMut),
) {
    write(
        buffer,
        FrameType::Request,
        Flags::UPGRADE,
        Some(stream),
        |payload| {
            payload.put_u32(grant.get());
            head(payload);
        },
    );
}

/// Appends RESPONSE: `head` appends the response's head and the first content.
pub fn response(
    buffer: &mut BytesMut,
    stream: StreamId,
    end: bool,
    head: impl FnOnce(&mut BytesMut),
) {
    write(
        buffer,
        FrameType::Response,
        Flags::end(end),
        Some(stream),
        head,
    );
}

/// Appends DATA: `content` appends the content.
pub fn data(
    buffer: &mut BytesMut,
    stream: StreamId,
    end: bool,
    content: impl FnOnce(&mut BytesMut),
) {
    write(
        buffer,
        FrameType::Data,
        Flags::end(end),
        Some(stream),
        content,
    );
}

/// Appends the header of a DATA whose content, of `length` bytes, follows by another way.
pub(in crate::protocol) fn data_header(
    buffer: &mut BytesMut,
    stream: StreamId,
    end: bool,
    length: u32,
) {
    write_header(
        buffer,
        FrameType::Data,
        Flags::end(end),
        Some(stream),
        length,
    );
}

/// Appends CREDIT: that many more bytes may be sent on `stream`, or on the session for `None`.
pub fn credit(buffer: &mut BytesMut, stream: Option<StreamId>, increment: u32) {
    write(buffer, FrameType::Credit, Flags::NONE, stream, |payload| {
        payload.put_u32(increment)
    });
}

/// Appends RESET. A `reason` longer than [`REASON_BYTES_MAX`] is cut.
pub fn reset(buffer: &mut BytesMut, stream: StreamId, code: ResetCode, reason: &str) {
    let reason = &reason[..reason.floor_char_boundary(REASON_BYTES_MAX)];
    write(
        buffer,
        FrameType::Reset,
        Flags::NONE,
        Some(stream),
        |payload| {
            payload.put_u8(code.number());
            payload.put_slice(reason.as_bytes());
        },
    );
}

fn session(buffer: &mut BytesMut, frame_type: FrameType, payload: impl FnOnce(&mut BytesMut)) {
    write(buffer, frame_type, Flags::NONE, None, payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut BytesMut)) -> Vec<u8> {
        let mut buffer = BytesMut::new();
        write(&mut buffer);
        buffer.to_vec()
    }

    fn key() -> ResourceKey {
        ResourceKey::parse("/db/a").unwrap()
    }

    #[test]
    fn control_frames_have_these_bytes() {
        assert_eq!(
            written(|buffer| hello(buffer, b"{}")),
            b"\x01\0\0\0\0\0\0\0\0\0\0\x02{}"
        );
        assert_eq!(
            written(|buffer| welcome(buffer, b"{}")),
            b"\x02\0\0\0\0\0\0\0\0\0\0\x02{}"
        );
        assert_eq!(
            written(|buffer| go_away(buffer, b"{}")),
            b"\x03\0\0\0\0\0\0\0\0\0\0\x02{}"
        );
        assert_eq!(
            written(|buffer| heartbeat(buffer, 0x0102_0304_0506_0708)),
            b"\x04\0\0\0\0\0\0\0\0\0\0\x08\x01\x02\x03\x04\x05\x06\x07\x08"
        );
        assert_eq!(
            written(|buffer| heartbeat_ack(buffer, 7)),
            b"\x05\0\0\0\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x07"
        );
    }

    #[test]
    fn frames_about_keys_have_these_bytes() {
        assert_eq!(
            written(|buffer| grant(buffer, GrantId::new(3), Epoch::new(9), &key())),
            b"\x10\0\0\0\0\0\0\0\0\0\0\x11\0\0\0\x03\0\0\0\0\0\0\0\x09/db/a"
        );
        assert_eq!(
            written(|buffer| revoke(buffer, RevokeReason::Move, Epoch::new(9), &key())),
            b"\x11\0\0\0\0\0\0\0\0\0\0\x0e\x02\0\0\0\0\0\0\0\x09/db/a"
        );
        assert_eq!(
            written(|buffer| released(buffer, Epoch::new(9), &key())),
            b"\x12\0\0\0\0\0\0\0\0\0\0\x0d\0\0\0\0\0\0\0\x09/db/a"
        );
        let held = Held {
            epoch: Epoch::new(9),
            key: key(),
        };
        let written = written(|buffer| {
            assert!(holding(buffer, &[held], 1024).is_empty());
        });
        assert_eq!(
            written,
            b"\x13\0\0\0\0\0\0\0\0\0\0\x0f\0\0\0\0\0\0\0\x09\0\x05/db/a"
        );
    }

    #[test]
    fn frames_of_an_exchange_have_these_bytes() {
        let stream = StreamId::new(0x0a0b).unwrap();
        let head = |payload: &mut BytesMut| payload.put_slice(b"head");
        assert_eq!(
            written(|buffer| request(buffer, stream, GrantId::new(3), true, head)),
            b"\x20\x01\0\0\0\0\x0a\x0b\0\0\0\x08\0\0\0\x03head"
        );
        assert_eq!(
            written(|buffer| upgrade(buffer, stream, GrantId::new(3), head)),
            b"\x20\x02\0\0\0\0\x0a\x0b\0\0\0\x08\0\0\0\x03head"
        );
        assert_eq!(
            written(|buffer| response(buffer, stream, false, head)),
            b"\x21\0\0\0\0\0\x0a\x0b\0\0\0\x04head"
        );
        assert_eq!(
            written(|buffer| data(buffer, stream, true, |_| {})),
            b"\x22\x01\0\0\0\0\x0a\x0b\0\0\0\0"
        );
        assert_eq!(
            written(|buffer| credit(buffer, Some(stream), 0x8000)),
            b"\x23\0\0\0\0\0\x0a\x0b\0\0\0\x04\0\0\x80\0"
        );
        assert_eq!(
            written(|buffer| credit(buffer, None, 1)),
            b"\x23\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\x01"
        );
        assert_eq!(
            written(|buffer| reset(buffer, stream, ResetCode::Refused, "no")),
            b"\x24\0\0\0\0\0\x0a\x0b\0\0\0\x03\x02no"
        );
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let reason = format!("{}é", "x".repeat(REASON_BYTES_MAX - 1));
        let stream = StreamId::new(1).unwrap();
        let frame = written(|buffer| reset(buffer, stream, ResetCode::Internal, &reason));
        assert_eq!(frame.len(), HEADER_BYTES + 1 + REASON_BYTES_MAX - 1);
    }

    #[test]
    fn holding_is_spread_over_as_many_frames_as_it_needs() {
        let entries: Vec<Held> = (0..10)
            .map(|number| Held {
                epoch: Epoch::new(number),
                key: key(),
            })
            .collect();
        let mut rest = &entries[..];
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let mut buffer = BytesMut::new();
            rest = holding(&mut buffer, rest, HEADER_BYTES + 3 * 15 + 14);
            frames.push(buffer.len());
        }
        let full = HEADER_BYTES + 3 * 15;
        assert_eq!(frames, [full, full, full, HEADER_BYTES + 15]);
    }
}
