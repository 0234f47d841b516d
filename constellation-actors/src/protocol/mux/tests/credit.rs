//! How much may be under way, and how it is given back.

use std::task::Poll;

use bytes::Bytes;

use crate::protocol::{
    frame::{decode::Frame, encode},
    mux::{limits::Limits, testing::*},
};

fn data_bytes(frames: &[Frame]) -> usize {
    frames
        .iter()
        .map(|frame| match frame {
            Frame::Data { content, .. } => content.len(),
            _ => 0,
        })
        .sum()
}

#[test]
fn an_exchange_sends_no_more_than_its_credit_until_its_reader_takes_some() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, &[1; 450], true).is_pending());
    let first = output(&mut worker, 112).unwrap();
    controller.receive(first, &mut Vec::new()).unwrap();
    assert_eq!(take_all(&mut controller, stream), 100);
    carry(&mut worker, &mut controller);
    assert_eq!(worker.queued_bytes(), 50);
    // Less than half a window is not worth a frame, and nothing else was taken yet.
    carry(&mut controller, &mut worker);
    assert_eq!(frames(&mut worker), []);

    assert_eq!(take_all(&mut controller, stream), 300);
    carry(&mut controller, &mut worker);
    carry(&mut worker, &mut controller);
    assert_eq!(take_all(&mut controller, stream), 50);
    assert_eq!(controller.exchanges(), 1, "the request is still open");
}

#[test]
fn the_session_sends_no_more_than_its_credit() {
    let (mut controller, mut worker) = pair(SMALL);
    let streams = [0; 4].map(|_| begin(&mut controller, &mut worker));
    for stream in streams {
        assert!(send(&mut worker, stream, &[1; 300], false).is_ready());
    }
    let sent = frames(&mut worker);
    assert_eq!(data_bytes(&sent), 1000);
    assert_eq!(worker.queued_bytes(), 200);
}

#[test]
fn inline_content_counts_against_no_credit() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, false);
    assert_eq!(worker.send_credit.available(), 1000);
    carry(&mut worker, &mut controller);
    assert_credit_is_whole(&worker, &controller);
    assert!(controller.poll_response(stream, &idle()).is_ready());
    assert_eq!(controller.receive_credit.to_give_back(), 0);
}

#[test]
fn content_for_a_forgotten_exchange_is_given_back_to_the_session() {
    let (mut controller, mut worker) = pair(SMALL);
    for _ in 0..20 {
        let stream = begin(&mut controller, &mut worker);
        assert!(send(&mut worker, stream, &[1; 300], false).is_ready());
        controller.close(stream);
        carry(&mut worker, &mut controller);
        carry(&mut controller, &mut worker);
        worker.close(stream);
    }
    assert_credit_is_whole(&worker, &controller);
    assert_eq!((controller.exchanges(), worker.exchanges()), (0, 0));
}

#[test]
fn content_that_was_not_read_is_given_back_when_its_exchange_ends() {
    let (mut controller, mut worker) = pair(SMALL);
    for ended_by_peer in [true, false].repeat(5) {
        let stream = begin(&mut controller, &mut worker);
        assert!(send(&mut worker, stream, &[1; 300], false).is_ready());
        carry(&mut worker, &mut controller);
        if ended_by_peer {
            worker.close(stream);
            carry(&mut worker, &mut controller);
        }
        controller.close(stream);
        carry(&mut controller, &mut worker);
        worker.close(stream);
        assert_credit_is_whole(&worker, &controller);
    }
}

#[test]
fn complete_content_that_was_not_read_is_given_back_at_close() {
    let (mut controller, mut worker) = pair(SMALL);
    for _ in 0..10 {
        let stream = begin(&mut controller, &mut worker);
        assert!(send(&mut controller, stream, b"", true).is_ready());
        assert!(send(&mut worker, stream, &[1; 300], true).is_pending());
        carry(&mut worker, &mut controller);
        controller.close(stream);
        carry(&mut controller, &mut worker);
        worker.close(stream);
    }
    assert_credit_is_whole(&worker, &controller);
}

#[test]
fn slow_readers_that_hold_most_of_the_session_do_not_stop_the_others() {
    let limits = Limits {
        stream_credit: 300,
        ..SMALL
    };
    let (mut controller, mut worker) = pair(limits);
    let slow = [0; 3].map(|_| begin(&mut controller, &mut worker));
    for stream in slow {
        assert!(send(&mut worker, stream, &[1; 300], false).is_ready());
    }
    carry(&mut worker, &mut controller);
    let quick = begin(&mut controller, &mut worker);
    let mut content = Bytes::from(vec![2; 5000]);
    let mut taken = 0;
    let mut rounds = 0;
    while taken < 5000 {
        rounds += 1;
        assert!(rounds < 200, "stands still after {taken} bytes");
        let _ = worker.poll_content(quick, &idle(), &mut content, false);
        carry(&mut worker, &mut controller);
        taken += take_all(&mut controller, quick);
        carry(&mut controller, &mut worker);
    }
}

#[test]
fn a_complete_body_gives_its_exchange_no_credit() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, &[1; 400], true).is_pending());
    carry(&mut worker, &mut controller);
    assert_eq!(take_all(&mut controller, stream), 400);
    let credits = frames(&mut controller);
    assert!(
        credits
            .iter()
            .all(|frame| matches!(frame, Frame::Credit { stream: None, .. }))
    );
}

#[test]
fn credit_may_grow_beyond_what_it_began_with() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    tell(&mut worker, |buffer| {
        encode::credit(buffer, Some(stream), 10_000);
        encode::credit(buffer, None, 10_000);
    })
    .unwrap();
    assert!(send(&mut worker, stream, &[1; 5000], false).is_ready());
    assert_eq!(data_bytes(&frames(&mut worker)), 5000);
    assert_eq!(take(&mut controller, stream), Poll::Pending);
}
