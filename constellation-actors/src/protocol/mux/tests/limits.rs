//! What happens at the limits.

use std::task::Poll;

use bytes::Bytes;

use crate::{
    placement::grant::GrantId,
    protocol::{
        frame::{code::ResetCode, encode},
        mux::{
            Mux,
            error::{OpenError, Overflow, RespondError},
            event::Ended,
            limits::Limits,
            testing::*,
        },
    },
};

fn fill(mux: &mut Mux, bytes: usize) {
    mux.control(|buffer| encode::go_away(buffer, &vec![b' '; bytes - 12]))
        .unwrap();
}

#[test]
fn no_more_exchanges_than_allowed_are_begun() {
    let (mut controller, _) = pair(SMALL);
    let streams: Vec<_> = (0..10).map(|_| open(&mut controller, true)).collect();
    let full = OpenError::ExchangesFull { exchanges: 10 };
    assert_eq!(try_open(&mut controller, true), Err(full));
    controller.close(streams[3]);
    assert!(try_open(&mut controller, true).is_ok());
}

#[test]
fn a_worker_with_too_many_exchanges_answers_overloaded() {
    let (mut controller, mut worker) = pair(SMALL);
    let streams: Vec<_> = (0..10).map(|_| open(&mut controller, false)).collect();
    carry(&mut controller, &mut worker);
    // The controller has forgotten it, but its handler at the worker runs on.
    controller.close(streams[0]);
    let one_more = open(&mut controller, true);
    assert_eq!(carry(&mut controller, &mut worker), []);
    carry(&mut worker, &mut controller);
    assert!(matches!(
        controller.poll_response(one_more, &idle()),
        Poll::Ready(Err(Ended::Reset {
            code: ResetCode::Overloaded,
            ..
        }))
    ));
}

#[test]
fn a_queue_that_is_half_full_takes_no_more_requests_but_still_resets() {
    let (mut controller, _) = pair(SMALL);
    let stream = open(&mut controller, true);
    fill(&mut controller, 900);
    fill(&mut controller, 900);
    fill(&mut controller, 200);
    let bytes = controller.queued_bytes();
    let full = OpenError::QueueFull { bytes };
    assert_eq!(try_open(&mut controller, true), Err(full));
    controller.close(stream);
    assert!(!controller.has_overflowed());
    assert!(output(&mut controller, 1000).is_some());
    assert!(try_open(&mut controller, true).is_ok());
}

#[test]
fn an_answer_waits_for_room_and_goes_on_when_there_is_some() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    fill(&mut worker, 900);
    fill(&mut worker, 500);
    fill(&mut worker, 600);
    let (task, waker) = Task::new();
    let mut context = std::task::Context::from_waker(&waker);
    let respond = |worker: &mut Mux, context: &mut std::task::Context<'_>| {
        worker.poll_respond(stream, context, true, |_| {})
    };
    assert!(respond(&mut worker, &mut context).is_pending());
    output(&mut worker, 1000).unwrap();
    worker.take_wakers().wake();
    assert_eq!(task.wakes(), 0, "1100 bytes are more than half of 2000");
    output(&mut worker, 1000).unwrap();
    worker.take_wakers().wake();
    assert_eq!(task.wakes(), 1);
    assert_eq!(respond(&mut worker, &mut context), Poll::Ready(Ok(())));
}

#[test]
fn a_head_that_no_peer_would_take_is_refused_and_not_queued() {
    let (mut controller, mut worker) = pair(SMALL);
    let head =
        |bytes: usize| move |buffer: &mut bytes::BytesMut| buffer.resize(buffer.len() + bytes, 0);
    let too_long = OpenError::TooLong {
        bytes: 301,
        bytes_max: 300,
    };
    let grant = GrantId::new(1);
    assert_eq!(controller.open(grant, true, head(301)), Err(too_long));
    assert_eq!((controller.exchanges(), controller.queued_bytes()), (0, 0));

    let stream = controller.open(grant, true, head(300)).unwrap();
    carry(&mut controller, &mut worker);
    let too_long = RespondError::TooLong {
        bytes: 301,
        bytes_max: 300,
    };
    assert_eq!(
        worker.poll_respond(stream, &idle(), true, head(301)),
        Poll::Ready(Err(too_long))
    );
    assert_eq!(worker.queued_bytes(), 0);
    assert_eq!(
        worker.poll_respond(stream, &idle(), true, head(300)),
        Poll::Ready(Ok(()))
    );
    carry(&mut worker, &mut controller);
    assert!(controller.poll_response(stream, &idle()).is_ready());
}

#[test]
fn frames_of_the_session_that_do_not_fit_are_an_error_and_not_queued() {
    let (mut controller, _) = pair(SMALL);
    (0..5).for_each(|_| fill(&mut controller, 800));
    let outcome = controller.control(|buffer| encode::heartbeat_ack(buffer, 1));
    assert_eq!(outcome, Err(Overflow { bytes: 4000 }));
    assert_eq!(controller.queued_bytes(), 4000);
    assert!(!controller.has_overflowed(), "that is for the owner to say");
}

#[test]
fn a_reset_that_does_not_fit_ends_the_session() {
    let (mut controller, _) = pair(SMALL);
    let stream = open(&mut controller, true);
    let other = open(&mut controller, true);
    let rest = 4000 - controller.queued_bytes();
    fill(&mut controller, rest);
    controller.close(stream);
    assert!(controller.has_overflowed());
    assert!(controller.is_closed());
    assert_eq!(
        controller.poll_response(other, &idle()),
        Poll::Ready(Err(Ended::SessionLost))
    );
    while output(&mut controller, 1000).is_some() {}
    assert_eq!(controller.poll_output(&idle(), 1000), Poll::Ready(None));
}

#[test]
fn content_is_taken_in_up_to_the_limit_and_one_chunk_of_each_beyond() {
    let (mut controller, mut worker) = pair(SMALL);
    let first = begin(&mut controller, &mut worker);
    let second = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, first, &[1; 200], false).is_ready());
    assert!(send(&mut worker, first, &[1; 100], false).is_ready());
    assert!(send(&mut worker, first, &[1; 1], false).is_pending());
    assert!(send(&mut worker, second, &[1; 250], false).is_ready());
    assert!(send(&mut worker, second, &[1; 1], false).is_pending());
    assert_eq!(worker.queued_bytes(), 550);
}

#[test]
fn an_exchange_that_is_given_up_in_the_middle_holds_up_nobody() {
    let limits = Limits {
        stream_credit: 100,
        ..SMALL
    };
    let (mut controller, mut worker) = pair(limits);
    // Nobody polls these any more, and nobody reads what they sent.
    for _ in 0..5 {
        let stream = begin(&mut controller, &mut worker);
        assert!(send(&mut worker, stream, &[1; 300], false).is_ready());
        assert!(send(&mut worker, stream, &[1; 300], false).is_pending());
    }
    carry(&mut worker, &mut controller);
    let stream = begin(&mut controller, &mut worker);
    let mut taken = 0;
    let mut content = Bytes::new();
    for _ in 0..50 {
        if content.is_empty() {
            content = Bytes::from_static(&[2; 60]);
        }
        let _ = worker.poll_content(stream, &idle(), &mut content, false);
        carry(&mut worker, &mut controller);
        taken += take_all(&mut controller, stream);
        carry(&mut controller, &mut worker);
    }
    assert!(taken >= 2000, "only {taken} bytes passed");
}
