//! What goes out before what.

use std::task::Poll;

use bytes::Bytes;

use crate::{
    placement::{epoch::Epoch, key::ResourceKey},
    protocol::{
        frame::{
            StreamId,
            code::ResetCode,
            decode::{Control, Frame},
            encode,
        },
        mux::{Mux, testing::*},
    },
};

/// What was sent, in short.
fn sent(mux: &mut Mux) -> Vec<String> {
    let short = |frame| match frame {
        Frame::Control(Control::Released { .. }) => "released".to_owned(),
        Frame::Control(control) => format!("{control:?}"),
        Frame::Request { stream, .. } => format!("request {stream}"),
        Frame::Response { stream, .. } => format!("response {stream}"),
        Frame::Data { stream, end, .. } => {
            format!("data {stream}{}", if end { " end" } else { "" })
        }
        Frame::Credit { .. } => "credit".to_owned(),
        Frame::Reset { stream, code, .. } => format!("{code} {stream}"),
        Frame::Unknown { code } => format!("unknown {code}"),
    };
    frames(mux).into_iter().map(short).collect()
}

fn release(worker: &mut Mux) {
    let key = ResourceKey::parse("/db/a").unwrap();
    worker
        .control(|buffer| encode::released(buffer, Epoch::new(1), &key))
        .unwrap();
}

fn asked(controller: &mut Mux, worker: &mut Mux) -> StreamId {
    let stream = open(controller, true);
    carry(controller, worker);
    stream
}

#[test]
fn bodies_take_turns_and_a_small_exchange_overtakes_them() {
    let (mut controller, mut worker) = pair(SMALL);
    let first = begin(&mut controller, &mut worker);
    let second = begin(&mut controller, &mut worker);
    let small = asked(&mut controller, &mut worker);
    assert!(send(&mut worker, first, &[1; 300], true).is_pending());
    assert!(send(&mut worker, second, &[2; 200], true).is_pending());
    answer(&mut worker, small, true);
    assert_eq!(
        sent(&mut worker),
        [
            format!("response {small}"),
            format!("data {first}"),
            format!("data {second}"),
            format!("data {first}"),
            format!("data {second} end"),
            format!("data {first} end"),
        ]
    );
}

#[test]
fn a_message_is_whole_frames_up_to_the_length_asked_for() {
    let (mut controller, mut worker) = pair(SMALL);
    let first = begin(&mut controller, &mut worker);
    let second = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, first, &[1; 300], false).is_ready());
    assert!(send(&mut worker, second, &[2; 130], false).is_ready());
    let mut lengths = Vec::new();
    while let Some(message) = output(&mut worker, 112 + 42) {
        lengths.push(message.len());
    }
    assert_eq!(lengths, [112, 112, 112 + 42, 112]);

    for _ in 0..3 {
        let stream = asked(&mut controller, &mut worker);
        answer(&mut worker, stream, true);
    }
    let response = 12 + 6;
    for expected in [2 * response, response] {
        let message = output(&mut worker, 2 * response + 1).unwrap();
        assert_eq!(message.len(), expected);
    }
}

#[test]
fn one_frame_goes_out_however_little_is_asked_for() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, &[1; 150], false).is_ready());
    let small = asked(&mut controller, &mut worker);
    answer(&mut worker, small, true);
    let lengths: Vec<_> = std::iter::from_fn(|| output(&mut worker, 0))
        .map(|message| message.len())
        .collect();
    assert_eq!(lengths, [18, 112, 62]);
}

#[test]
fn released_does_not_overtake_the_content_of_its_key() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, &[1; 250], true).is_pending());
    let mut message = Vec::new();
    while send(&mut worker, stream, b"", true).is_pending() {
        message.extend(output(&mut worker, 112));
    }
    release(&mut worker);
    assert_eq!(message.len(), 3, "all content is on its way");
    assert_eq!(sent(&mut worker), ["released"]);
}

#[test]
fn refused_does_not_overtake_released() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = asked(&mut controller, &mut worker);
    release(&mut worker);
    worker.reset(stream, ResetCode::Refused, "moved");
    assert_eq!(
        sent(&mut worker),
        ["released".to_owned(), format!("refused {stream}")]
    );
}

#[test]
fn a_reset_does_not_overtake_the_end_that_was_reported() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, b"all", true).is_pending());
    let content = output(&mut worker, 1000).unwrap();
    assert!(send(&mut worker, stream, b"", true).is_ready());
    worker.close(stream);
    controller.receive(content, &mut Vec::new()).unwrap();
    carry(&mut worker, &mut controller);
    let all = Poll::Ready(Some(Ok(Bytes::from_static(b"all"))));
    assert_eq!(take(&mut controller, stream), all);
    assert_eq!(take(&mut controller, stream), Poll::Ready(None));
}

#[test]
fn many_small_chunks_go_out_as_few_frames() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    for byte in 0..150 {
        assert!(send(&mut worker, stream, &[byte], false).is_ready());
    }
    let frames = frames(&mut worker);
    assert_eq!(frames.len(), 2);
    let mut expected = 0..150_u8;
    for frame in frames {
        let Frame::Data { content, .. } = frame else {
            panic!("only content was sent");
        };
        assert!(content.iter().all(|byte| Some(*byte) == expected.next()));
    }
}

#[test]
fn an_exchange_that_goes_away_gives_its_turn_to_the_next() {
    let (mut controller, mut worker) = pair(SMALL);
    let streams = [0; 3].map(|_| begin(&mut controller, &mut worker));
    for stream in streams {
        assert!(send(&mut worker, stream, &[1; 150], false).is_ready());
    }
    worker.close(streams[0]);
    tell(&mut worker, |buffer| {
        encode::reset(buffer, streams[1], ResetCode::Cancelled, "");
    })
    .unwrap();
    assert_eq!(
        sent(&mut worker),
        [
            format!("cancelled {}", streams[0]),
            format!("data {}", streams[2]),
            format!("data {}", streams[2]),
        ]
    );
    assert_eq!(worker.queued_bytes(), 0);
}
