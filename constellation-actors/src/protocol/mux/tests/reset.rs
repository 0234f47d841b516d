//! Ends before the end: resets by either side, closing, and the loss of the session.

use std::task::Poll;

use bytes::Bytes;

use crate::protocol::{
    frame::{code::ResetCode, decode::Frame, encode},
    mux::{
        Mux,
        error::{OpenError, RespondError},
        event::Ended,
        testing::*,
    },
};

fn cancelled() -> Ended {
    Ended::Reset {
        code: ResetCode::Cancelled,
        reason: String::new(),
    }
}

/// The codes of the resets that were sent.
pub(super) fn resets(mux: &mut Mux) -> Vec<ResetCode> {
    let code = |frame| match frame {
        Frame::Reset { code, .. } => Some(code),
        _ => None,
    };
    frames(mux).into_iter().filter_map(code).collect()
}

#[test]
fn a_reset_ends_both_directions_and_says_why() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    worker.reset(stream, ResetCode::TooLarge, "more than 1 MiB");
    assert_eq!(worker.exchanges(), 0);
    carry(&mut worker, &mut controller);
    let ended = Ended::Reset {
        code: ResetCode::TooLarge,
        reason: "more than 1 MiB".to_owned(),
    };
    assert_eq!(
        send(&mut controller, stream, b"x", false),
        Poll::Ready(Err(ended.clone()))
    );
    assert_eq!(
        take(&mut controller, stream),
        Poll::Ready(Some(Err(ended.clone())))
    );
    assert_eq!(
        controller.poll_cancelled(stream, &idle()),
        Poll::Ready(ended.clone())
    );
    assert_eq!(
        ended.to_string(),
        "reset by the peer as too large: more than 1 MiB"
    );
    controller.close(stream);
    assert_eq!(controller.exchanges(), 0);
    assert_eq!(resets(&mut controller), []);
}

#[test]
fn a_request_that_is_reset_cannot_be_answered() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    controller.close(stream);
    carry(&mut controller, &mut worker);
    assert_eq!(
        try_answer(&mut worker, stream, true),
        Poll::Ready(Err(RespondError::Ended(cancelled())))
    );
    assert_eq!(frames(&mut worker), []);
}

#[test]
fn half_a_response_is_dropped_with_its_reset() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, false);
    assert!(send(&mut worker, stream, b"half", false).is_ready());
    carry(&mut worker, &mut controller);
    worker.close(stream);
    carry(&mut worker, &mut controller);
    assert_eq!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Err(cancelled()))
    );
    assert_eq!(
        take(&mut controller, stream),
        Poll::Ready(Some(Err(cancelled())))
    );
}

#[test]
fn a_complete_response_stays_readable_after_a_reset_and_after_the_session() {
    for lost in [false, true] {
        let (mut controller, mut worker) = pair(SMALL);
        let stream = open(&mut controller, false);
        carry(&mut controller, &mut worker);
        answer(&mut worker, stream, false);
        assert!(send(&mut worker, stream, b"all", true).is_pending());
        carry(&mut worker, &mut controller);
        if lost {
            controller.end_all();
        } else {
            assert!(send(&mut worker, stream, b"", true).is_ready());
            worker.close(stream);
            carry(&mut worker, &mut controller);
        }
        assert!(matches!(
            controller.poll_response(stream, &idle()),
            Poll::Ready(Ok(_))
        ));
        let all = Poll::Ready(Some(Ok(Bytes::from_static(b"all"))));
        assert_eq!(take(&mut controller, stream), all);
        assert_eq!(take(&mut controller, stream), Poll::Ready(None));
        let ended = if lost {
            Ended::SessionLost
        } else {
            cancelled()
        };
        assert_eq!(
            send(&mut controller, stream, b"more", true),
            Poll::Ready(Err(ended))
        );
    }
}

#[test]
fn closing_cancels_what_is_not_over() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    controller.close(stream);
    assert_eq!(resets(&mut controller), [ResetCode::Cancelled]);

    // The response is complete, but the request is not: the worker is to stop receiving it.
    let stream = open(&mut controller, false);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, true);
    carry(&mut worker, &mut controller);
    assert!(controller.poll_response(stream, &idle()).is_ready());
    controller.close(stream);
    assert_eq!(resets(&mut controller), [ResetCode::Cancelled]);
}

#[test]
fn closing_what_ran_to_its_end_says_nothing() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, true);
    carry(&mut worker, &mut controller);
    controller.close(stream);
    worker.close(stream);
    controller.close(stream);
    assert_eq!(controller.exchanges(), 0);
    assert_eq!(frames(&mut controller), []);
    assert_eq!(frames(&mut worker), []);
}

#[test]
fn content_that_waits_is_dropped_when_its_exchange_is_closed() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, &[1; 200], true).is_pending());
    worker.close(stream);
    assert_eq!(resets(&mut worker), [ResetCode::Cancelled]);
    assert_eq!(worker.queued_bytes(), 0);
    assert_eq!(worker.send_credit.available(), 1000);
}

#[test]
fn resets_that_cross_are_both_ignored() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin(&mut controller, &mut worker);
    controller.close(stream);
    worker.close(stream);
    assert_eq!(carry(&mut controller, &mut worker), []);
    assert_eq!(carry(&mut worker, &mut controller), []);
    assert_eq!((controller.exchanges(), worker.exchanges()), (0, 0));
    assert_eq!(frames(&mut controller), []);
    assert_eq!(frames(&mut worker), []);
}

#[test]
fn frames_for_a_forgotten_exchange_are_ignored() {
    let (mut controller, mut worker) = pair(SMALL);
    let forgotten = stream(99);
    let told = tell(&mut controller, |buffer| {
        encode::response(buffer, forgotten, true, |_| {});
        encode::data(buffer, forgotten, true, |_| {});
        encode::credit(buffer, Some(forgotten), 1);
        encode::reset(buffer, forgotten, ResetCode::Internal, "");
    });
    assert_eq!(told, Ok(Vec::new()));
    assert_eq!(frames(&mut controller), []);

    // The same for one that the peer has reset, until its owner lets go of it.
    let stream = begin(&mut controller, &mut worker);
    tell(&mut controller, |buffer| {
        encode::reset(buffer, stream, ResetCode::Internal, "first");
        encode::reset(buffer, stream, ResetCode::Timeout, "second");
        encode::data(buffer, stream, false, |content| {
            content.extend_from_slice(b"late");
        });
    })
    .unwrap();
    assert_eq!(controller.receive_credit.to_give_back(), 4);
    assert!(matches!(
        take(&mut controller, stream),
        Poll::Ready(Some(Err(Ended::Reset {
            code: ResetCode::Internal,
            ..
        })))
    ));
}

#[test]
fn the_end_of_the_session_ends_every_exchange() {
    let (mut controller, mut worker) = pair(SMALL);
    let first = begin(&mut controller, &mut worker);
    let second = open(&mut controller, false);
    assert!(send(&mut controller, first, &[1; 200], false).is_ready());
    controller.end_all();
    assert!(controller.is_closed());
    let lost = Ended::SessionLost;
    assert_eq!(
        take(&mut controller, first),
        Poll::Ready(Some(Err(lost.clone())))
    );
    assert_eq!(
        send(&mut controller, first, b"x", false),
        Poll::Ready(Err(lost.clone()))
    );
    assert_eq!(
        controller.poll_response(second, &idle()),
        Poll::Ready(Err(lost))
    );
    assert_eq!(try_open(&mut controller, true), Err(OpenError::Closed));

    // What was queued goes out, without the content.
    assert_eq!(frames(&mut controller).len(), 1);
    controller.close(first);
    controller.close(second);
    assert_eq!(controller.exchanges(), 0);
    assert_eq!(controller.queued_bytes(), 0);
}

#[test]
fn a_worker_whose_session_ends_refuses_what_still_comes() {
    let (mut controller, mut worker) = pair(SMALL);
    worker.end_all();
    open(&mut controller, true);
    assert_eq!(carry(&mut controller, &mut worker), []);
    assert_eq!(resets(&mut worker), [ResetCode::Refused]);
}

#[test]
fn a_goodbye_refuses_what_has_no_answer_and_leaves_what_has_a_whole_one() {
    let (mut controller, mut worker) = pair(SMALL);
    let answered = open(&mut controller, true);
    let begun = open(&mut controller, true);
    let crossed = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    answer(&mut worker, answered, true);
    answer(&mut worker, begun, false);
    carry(&mut worker, &mut controller);
    controller.end_unanswered();
    let of = |mux: &mut Mux, stream| mux.poll_response(stream, &idle());
    assert!(matches!(of(&mut controller, answered), Poll::Ready(Ok(_))));
    let lost = Poll::Ready(Err(Ended::SessionLost));
    assert_eq!(of(&mut controller, begun), lost);
    assert!(matches!(
        of(&mut controller, crossed),
        Poll::Ready(Err(Ended::Reset {
            code: ResetCode::Refused,
            ..
        }))
    ));
    assert_eq!(try_open(&mut controller, true), Err(OpenError::Closed));
}
