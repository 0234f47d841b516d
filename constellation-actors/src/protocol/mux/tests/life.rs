//! How exchanges begin and run to their ends.

use std::task::Poll;

use bytes::Bytes;

use crate::{
    placement::grant::GrantId,
    protocol::{
        frame::{Flags, FrameType, code::ResetCode, encode, write},
        mux::{
            error::RespondError,
            event::{Ended, Event, ResponseFrame},
            shared::Shared,
            testing::*,
        },
    },
};

#[test]
fn an_exchange_without_further_content_is_two_frames() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    assert_eq!(
        carry(&mut controller, &mut worker),
        [Event::Request {
            stream,
            grant: GrantId::new(7),
            payload: Bytes::from_static(b"ask"),
            end: true,
            upgrade: false,
        }]
    );
    assert!(controller.poll_response(stream, &idle()).is_pending());
    answer(&mut worker, stream, true);
    assert_eq!(worker.exchanges(), 0, "its answer was its last word");
    assert_eq!(carry(&mut worker, &mut controller), []);
    assert_eq!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Ok(ResponseFrame {
            payload: Bytes::from_static(b"answer"),
            end: true,
        }))
    );
    assert_eq!(controller.exchanges(), 0);
    assert_eq!(frames(&mut controller), []);
    assert_eq!(frames(&mut worker), []);
}

#[test]
fn content_arrives_in_both_directions_in_order() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut controller, stream, b"up", false).is_ready());
    assert!(send(&mut controller, stream, b"ward", true).is_pending());
    assert!(send(&mut worker, stream, b"down", true).is_pending());
    carry(&mut controller, &mut worker);
    carry(&mut worker, &mut controller);
    let mut upward = Vec::new();
    while let Poll::Ready(Some(Ok(chunk))) = take(&mut worker, stream) {
        upward.extend_from_slice(&chunk);
    }
    assert_eq!(upward, b"upward");
    let down = Poll::Ready(Some(Ok(Bytes::from_static(b"down"))));
    assert_eq!(take(&mut controller, stream), down);
}

#[test]
fn an_end_is_reported_when_it_has_been_written_and_not_before() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, b"last", true).is_pending());
    assert!(send(&mut worker, stream, b"", true).is_pending());
    output(&mut worker, 1000).unwrap();
    assert_eq!(send(&mut worker, stream, b"", true), Poll::Ready(Ok(())));
}

#[test]
fn an_end_without_content_needs_no_credit_and_no_turn() {
    let (mut controller, mut worker) = pair(SMALL);
    let blocked = [0; 4].map(|_| begin(&mut controller, &mut worker));
    for stream in blocked {
        assert!(send(&mut worker, stream, &[1; 300], false).is_ready());
    }
    let stream = begin(&mut controller, &mut worker);
    carry(&mut worker, &mut controller);
    assert_eq!(worker.send_credit.available(), 0);
    assert_eq!(send(&mut worker, stream, b"", true), Poll::Ready(Ok(())));
    carry(&mut worker, &mut controller);
    assert_eq!(take(&mut controller, stream), Poll::Ready(None));
}

#[test]
fn an_exchange_is_forgotten_by_whoever_sees_the_last_of_it() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut controller, stream, b"", true).is_ready());
    assert!(send(&mut worker, stream, b"x", true).is_pending());
    carry(&mut controller, &mut worker);
    carry(&mut worker, &mut controller);

    assert_eq!(worker.exchanges(), 1, "its reader has not been told");
    assert!(send(&mut worker, stream, b"", true).is_ready());
    assert_eq!(take(&mut worker, stream), Poll::Ready(None));
    assert_eq!(worker.exchanges(), 0);

    assert_eq!(take_all(&mut controller, stream), 1);
    assert_eq!(controller.exchanges(), 0);
    let over = Poll::Ready(Some(Err(Ended::Over)));
    assert_eq!(take(&mut controller, stream), over);
    assert_eq!(
        worker.poll_cancelled(stream, &idle()),
        Poll::Ready(Ended::Over)
    );
}

#[test]
fn a_response_may_come_before_the_request_is_complete() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, false);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, true);
    carry(&mut worker, &mut controller);
    assert!(matches!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Ok(ResponseFrame { end: true, .. }))
    ));
    assert!(send(&mut controller, stream, b"late", true).is_pending());
    carry(&mut controller, &mut worker);
    assert!(send(&mut controller, stream, b"", true).is_ready());
    assert_eq!(take_all(&mut worker, stream), 4);
    assert_eq!((controller.exchanges(), worker.exchanges()), (0, 0));
}

#[test]
fn an_end_that_came_behind_the_head_is_told_with_the_head() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, false);
    assert!(send(&mut worker, stream, b"", true).is_ready());
    carry(&mut worker, &mut controller);
    assert!(matches!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Ok(ResponseFrame { end: true, .. }))
    ));
    assert_eq!(controller.exchanges(), 0);
}

#[test]
fn content_waits_for_the_head_it_belongs_to() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    let mut content = Bytes::from_static(b"early");
    assert!(
        worker
            .poll_content(stream, &idle(), &mut content, false)
            .is_pending()
    );
    assert_eq!(content, "early", "it was not taken in");
    assert_eq!(frames(&mut worker), []);
    answer(&mut worker, stream, false);
    assert!(
        worker
            .poll_content(stream, &idle(), &mut content, false)
            .is_ready()
    );
}

#[test]
fn an_exchange_is_answered_once() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    let again = try_answer(&mut worker, stream, true);
    assert_eq!(again, Poll::Ready(Err(RespondError::Repeated)));
    assert_eq!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Err(Ended::Over))
    );
}

#[test]
fn content_after_an_end_is_refused() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, b"last", true).is_pending());
    let over = Poll::Ready(Err(Ended::Over));
    assert_eq!(send(&mut worker, stream, b"more", true), over);
    carry(&mut worker, &mut controller);
    assert_eq!(send(&mut worker, stream, b"more", true), over);
    assert_eq!(frames(&mut worker), []);
}

#[test]
fn numbers_of_exchanges_wrap_past_zero_and_past_those_in_use() {
    let (mut controller, _) = pair(SMALL);
    assert_eq!(open(&mut controller, true), stream(1));
    controller.next_stream = u32::MAX;
    assert_eq!(open(&mut controller, true), stream(u32::MAX));
    assert_eq!(open(&mut controller, true), stream(2));
}

#[test]
fn a_number_that_comes_round_too_early_is_refused_without_harm() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, false);
    carry(&mut controller, &mut worker);
    controller.close(stream);
    controller.next_stream = stream.get();
    assert_eq!(open(&mut controller, true), stream);
    assert_eq!(
        carry(&mut controller, &mut worker),
        [],
        "its handler still cleans up"
    );
    carry(&mut worker, &mut controller);
    assert!(matches!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Err(Ended::Reset {
            code: ResetCode::Refused,
            ..
        }))
    ));
}

#[test]
fn frames_of_the_session_come_out_in_order_and_unknown_ones_do_not() {
    let (_, mut worker) = pair(SMALL);
    let events = tell(&mut worker, |buffer| {
        encode::heartbeat_ack(buffer, 1);
        buffer.extend_from_slice(b"\xf0\0\0\0\0\0\0\0\0\0\0\x01x");
        write(buffer, FrameType::HeartbeatAck, Flags::END, None, |body| {
            body.extend_from_slice(&2_u64.to_be_bytes());
        });
    });
    let printed = format!("{:?}", events.unwrap());
    assert_eq!(
        printed,
        "[HeartbeatAck { sequence: 1 }, HeartbeatAck { sequence: 2 }]"
    );
}

#[test]
fn after_finishing_everything_queued_goes_out_and_then_nothing() {
    let (mut controller, _) = pair(SMALL);
    open(&mut controller, true);
    controller.finish();
    assert!(controller.is_closed());
    assert!(matches!(
        controller.poll_output(&idle(), 1000),
        Poll::Ready(Some(_))
    ));
    assert_eq!(controller.poll_output(&idle(), 1000), Poll::Ready(None));
}

#[test]
fn a_panic_while_a_head_is_written_does_not_harm_the_session() {
    let (controller, mut worker) = pair(SMALL);
    let shared = Shared::new(controller);
    let handle = shared.clone();
    let panicked = std::thread::spawn(move || {
        handle.with(|controller| {
            controller.open(GrantId::new(1), true, |buffer| {
                buffer.extend_from_slice(b"half a head");
                panic!("the head cannot be written");
            })
        })
    });
    assert!(panicked.join().is_err());
    let stream = shared.with(|controller| open(controller, true));
    let events = shared.with(|controller| carry(controller, &mut worker));
    assert_eq!(events.len(), 1);
    assert_eq!(shared.with(|controller| controller.exchanges()), 1);
    answer(&mut worker, stream, true);
}

#[test]
fn nothing_printed_shows_a_body() {
    let (mut controller, mut worker) = pair(SMALL);
    open(&mut controller, true);
    let event = carry(&mut controller, &mut worker).remove(0);
    let response = ResponseFrame {
        payload: Bytes::from_static(b"ask"),
        end: true,
    };
    for printed in [
        format!("{event:?}"),
        format!("{response:?}"),
        format!("{worker:?}"),
    ] {
        assert!(!printed.contains("ask"), "{printed}");
    }
}
