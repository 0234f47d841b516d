//! What holds for every frame and every sequence of bytes.

use bytes::{Bytes, BytesMut};
use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    Held, SizeLimits, StreamId,
    code::{ResetCode, RevokeReason},
    decode::{Control, Frame, Frames},
    encode,
};
use crate::placement::{epoch::Epoch, grant::GrantId, key::ResourceKey};

fn key() -> impl Strategy<Value = ResourceKey> {
    "/[!-~]{0,40}".prop_map(|text| ResourceKey::parse(&text).unwrap())
}

fn epoch() -> impl Strategy<Value = Epoch> {
    any::<u64>().prop_map(Epoch::new)
}

fn grant() -> impl Strategy<Value = GrantId> {
    any::<u32>().prop_map(GrantId::new)
}

fn stream() -> impl Strategy<Value = StreamId> {
    (1..=u32::MAX).prop_map(|number| StreamId::new(number).unwrap())
}

fn bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

fn held() -> impl Strategy<Value = Held> {
    (epoch(), key()).prop_map(|(epoch, key)| Held { epoch, key })
}

fn control() -> impl Strategy<Value = Control> {
    let reason = (1..=4_u8).prop_map(RevokeReason::from_number);
    prop_oneof![
        bytes().prop_map(|json| Control::Hello { json }),
        bytes().prop_map(|json| Control::Welcome { json }),
        bytes().prop_map(|json| Control::GoAway { json }),
        any::<u64>().prop_map(|sequence| Control::Heartbeat { sequence }),
        any::<u64>().prop_map(|sequence| Control::HeartbeatAck { sequence }),
        (grant(), epoch(), key()).prop_map(|(grant, epoch, key)| Control::Grant {
            grant,
            epoch,
            key
        }),
        (reason, epoch(), key()).prop_map(|(reason, epoch, key)| Control::Revoke {
            reason,
            epoch,
            key
        }),
        (epoch(), key()).prop_map(|(epoch, key)| Control::Released { epoch, key }),
        vec(held(), 0..20).prop_map(|entries| Control::Holding { entries }),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    let code = (1..=8_u8).prop_map(ResetCode::from_number);
    prop_oneof![
        5 => control().prop_map(Frame::Control),
        1 => (stream(), grant(), bytes(), any::<bool>(), any::<bool>()).prop_map(
            |(stream, grant, payload, end, upgrade)| Frame::Request {
                stream,
                grant,
                payload,
                end,
                upgrade: upgrade && !end,
            }
        ),
        1 => (stream(), bytes(), any::<bool>())
            .prop_map(|(stream, payload, end)| Frame::Response { stream, payload, end }),
        1 => (stream(), bytes(), any::<bool>())
            .prop_map(|(stream, content, end)| Frame::Data { stream, content, end }),
        1 => (proptest::option::of(stream()), any::<u32>())
            .prop_map(|(stream, increment)| Frame::Credit { stream, increment }),
        1 => (stream(), code, "[a-zé]{0,30}").prop_map(|(stream, code, reason)| Frame::Reset {
            stream,
            code,
            reason: reason.into()
        }),
    ]
}

fn write(buffer: &mut BytesMut, frame: &Frame) {
    match frame {
        Frame::Control(control) => write_control(buffer, control),
        Frame::Request {
            stream,
            grant,
            payload,
            upgrade: true,
            ..
        } => encode::upgrade(buffer, *stream, *grant, |buffer| {
            buffer.extend_from_slice(payload);
        }),
        Frame::Request {
            stream,
            grant,
            payload,
            end,
            upgrade: false,
        } => encode::request(buffer, *stream, *grant, *end, |buffer| {
            buffer.extend_from_slice(payload);
        }),
        Frame::Response {
            stream,
            payload,
            end,
        } => encode::response(buffer, *stream, *end, |buffer| {
            buffer.extend_from_slice(payload);
        }),
        Frame::Data {
            stream,
            content,
            end,
        } => encode::data(buffer, *stream, *end, |buffer| {
            buffer.extend_from_slice(content);
        }),
        Frame::Credit { stream, increment } => encode::credit(buffer, *stream, *increment),
        Frame::Reset {
            stream,
            code,
            reason,
        } => encode::reset(buffer, *stream, *code, str::from_utf8(reason).unwrap()),
        Frame::Unknown { .. } => panic!("nothing unknown is generated"),
    }
}

fn write_control(buffer: &mut BytesMut, control: &Control) {
    match control {
        Control::Hello { json } => encode::hello(buffer, json),
        Control::Welcome { json } => encode::welcome(buffer, json),
        Control::GoAway { json } => encode::go_away(buffer, json),
        Control::Heartbeat { sequence } => encode::heartbeat(buffer, *sequence),
        Control::HeartbeatAck { sequence } => encode::heartbeat_ack(buffer, *sequence),
        Control::Grant { grant, epoch, key } => encode::grant(buffer, *grant, *epoch, key),
        Control::Revoke { reason, epoch, key } => encode::revoke(buffer, *reason, *epoch, key),
        Control::Released { epoch, key } => encode::released(buffer, *epoch, key),
        Control::Holding { entries } => {
            assert!(encode::holding(buffer, entries, 1 << 20).is_empty());
        }
    }
}

fn message(frames: &[Frame]) -> BytesMut {
    let mut buffer = BytesMut::new();
    frames.iter().for_each(|frame| write(&mut buffer, frame));
    buffer
}

/// Reads to the end or to the first error, and checks that nothing follows an error.
fn read(message: impl Into<Bytes>) -> Vec<Frame> {
    let mut frames = Frames::new(message.into(), SizeLimits::default());
    let read = frames.by_ref().map_while(Result::ok).collect();
    assert!(frames.next().is_none());
    read
}

proptest! {
    #[test]
    fn what_was_written_is_read(frames in vec(frame(), 0..10)) {
        prop_assert_eq!(read(message(&frames)), frames);
    }

    #[test]
    fn a_message_cut_anywhere_gives_its_whole_frames(
        frames in vec(frame(), 1..10),
        cut in any::<Index>(),
    ) {
        let mut message = message(&frames);
        message.truncate(cut.index(message.len()));
        let read = read(message);
        prop_assert!(frames.starts_with(&read));
        prop_assert!(read.len() < frames.len());
    }

    #[test]
    fn no_bytes_are_a_reason_to_panic(bytes in vec(any::<u8>(), 0..200)) {
        read(bytes);
    }

    #[test]
    fn no_damage_is_a_reason_to_panic(
        frames in vec(frame(), 1..10),
        damage in vec((any::<Index>(), any::<u8>()), 1..5),
    ) {
        let mut message = message(&frames);
        for (at, byte) in damage {
            let at = at.index(message.len());
            message[at] = byte;
        }
        read(message);
    }
}
