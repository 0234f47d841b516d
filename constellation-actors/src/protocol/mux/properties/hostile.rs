//! A peer that sends anything: the mux either goes on or says what was wrong, and never panics.

use bytes::{Bytes, BytesMut};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey},
    protocol::{
        frame::{
            Flags, FrameType, StreamId,
            code::{ResetCode, RevokeReason},
            encode, write,
        },
        mux::{Mux, event::Event, testing::*},
    },
};

/// Both sides, in the middle of exchanges: one with nothing but its request, one with both bodies
/// open, one with content that waits for credit, one that its peer has ended.
fn busy() -> [Mux; 2] {
    let (mut controller, mut worker) = pair(SMALL);
    open(&mut controller, false);
    for _ in 0..3 {
        begin(&mut controller, &mut worker);
    }
    for mux in [&mut controller, &mut worker] {
        assert!(send(mux, stream(3), &[1; 500], true).is_pending());
    }
    carry(&mut controller, &mut worker);
    carry(&mut worker, &mut controller);
    worker.close(stream(4));
    carry(&mut worker, &mut controller);
    [controller, worker]
}

/// Frames that mean something, to exchanges that exist and to others.
fn frame() -> impl Strategy<Value = Bytes> {
    let stream = (1..7_u32).prop_map(stream);
    let body = (stream, 0..120_usize, any::<bool>());
    prop_oneof![
        body.clone().prop_map(|(stream, bytes, end)| one(|buffer| {
            encode::request(buffer, stream, GrantId::new(1), end, zeros(bytes));
        })),
        body.clone().prop_map(|(stream, bytes, end)| one(|buffer| {
            encode::response(buffer, stream, end, zeros(bytes));
        })),
        body.clone().prop_map(|(stream, bytes, end)| one(|buffer| {
            encode::data(buffer, stream, end, zeros(bytes));
        })),
        (0..7_u32, 0..500_u32).prop_map(|(stream, increment)| one(|buffer| {
            encode::credit(buffer, StreamId::new(stream), increment);
        })),
        (body, 0..9_u8).prop_map(|((stream, ..), code)| one(|buffer| {
            encode::reset(buffer, stream, ResetCode::from_number(code), "why");
        })),
        any::<u64>().prop_map(|number| one(|buffer| {
            let key = ResourceKey::parse("/db/a").unwrap();
            encode::grant(buffer, GrantId::new(1), Epoch::new(number), &key);
            encode::revoke(buffer, RevokeReason::Idle, Epoch::new(number), &key);
        })),
        any::<u64>().prop_map(|number| one(|buffer| {
            let key = ResourceKey::parse("/db/a").unwrap();
            encode::heartbeat(buffer, number);
            encode::released(buffer, Epoch::new(number), &key);
        })),
    ]
}

fn one(write: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut buffer = BytesMut::new();
    write(&mut buffer);
    buffer.freeze()
}

fn zeros(bytes: usize) -> impl FnOnce(&mut BytesMut) {
    move |buffer| buffer.resize(buffer.len() + bytes, 0)
}

/// Lets both sides receive the messages and then use what is left; nothing may panic, and what may
/// be under way stays within the limits.
fn survive(messages: &[Bytes]) {
    for mut mux in busy() {
        let mut events = Vec::new();
        for message in messages {
            if let Err(error) = mux.receive(message.clone(), &mut events) {
                assert!(!error.to_string().is_empty());
                break;
            }
            assert!(mux.exchanges() <= SMALL.exchanges_max as usize);
            let to_give_back = mux.receive_credit.to_give_back();
            assert!(to_give_back <= SMALL.session_credit);
        }
        use_all(&mut mux, &events);
        assert_eq!(mux.exchanges(), 0);
        assert_eq!(mux.queued_bytes(), 0);
    }
}

fn use_all(mux: &mut Mux, events: &[Event]) {
    let begun = events.iter().filter_map(|event| match event {
        Event::Request { stream, .. } => Some(*stream),
        Event::Control(_) => None,
    });
    let streams: Vec<_> = (1..7).map(stream).chain(begun).collect();
    for stream in streams.iter().copied() {
        let _ = mux.poll_response(stream, &idle());
        let _ = mux.poll_cancelled(stream, &idle());
        let _ = send(mux, stream, b"more", true);
        take_all(mux, stream);
    }
    while output(mux, 500).is_some() {}
    streams.iter().for_each(|stream| mux.close(*stream));
    while output(mux, 500).is_some() {}
    mux.take_wakers().wake();
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_ignored(messages in vec(vec(any::<u8>(), 0..300), 1..4)) {
        let messages: Vec<Bytes> = messages.into_iter().map(Bytes::from).collect();
        survive(&messages);
    }

    #[test]
    fn any_payload_under_any_header_is_refused_or_ignored(
        frames in vec((0..0x26_u8, any::<u8>(), 0..7_u32, vec(any::<u8>(), 0..40)), 1..10),
    ) {
        let known = |code| FrameType::from_code(code).unwrap_or(FrameType::Data);
        let messages: Vec<Bytes> = frames
            .into_iter()
            .map(|(code, flags, stream, payload)| one(|buffer| {
                let flags = Flags::from_bits(flags);
                write(buffer, known(code), flags, StreamId::new(stream), |buffer| {
                    buffer.extend_from_slice(&payload);
                });
            }))
            .collect();
        survive(&messages);
    }

    #[test]
    fn valid_frames_in_any_order_are_refused_or_applied(frames in vec(vec(frame(), 1..4), 1..12)) {
        let messages: Vec<Bytes> = frames.into_iter().map(|frames| frames.concat().into()).collect();
        survive(&messages);
    }

    #[test]
    fn damaged_messages_are_refused_or_applied(
        frames in vec(frame(), 1..8),
        damage in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let mut message = frames.concat();
        for (at, byte) in damage {
            let at = at.index(message.len());
            message[at] = byte;
        }
        if let Some(cut) = cut {
            message.truncate(cut.index(message.len()));
        }
        survive(&[message.into()]);
    }
}
