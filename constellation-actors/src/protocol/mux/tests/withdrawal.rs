//! The end of a pin: which responses count, and which do not.

use std::task::Poll;

use bytes::Bytes;

use super::reset::resets;
use crate::{
    placement::grant::GrantId,
    protocol::{
        frame::code::ResetCode,
        mux::{
            Mux,
            event::{Ended, ResponseFrame},
            testing::*,
        },
    },
};

/// The grant that the exchanges of [`open`] come under.
const GRANT: GrantId = GrantId::new(7);

fn response(
    mux: &mut Mux,
    of: crate::protocol::frame::StreamId,
) -> Poll<Result<ResponseFrame, Ended>> {
    mux.poll_response(of, &idle())
}

#[test]
fn a_response_that_came_completely_counts_after_its_pin_is_over() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, false);
    assert!(send(&mut worker, stream, b"all", true).is_pending());
    carry(&mut worker, &mut controller);
    controller.withdraw(GRANT);
    assert!(matches!(
        response(&mut controller, stream),
        Poll::Ready(Ok(_))
    ));
    let all = Poll::Ready(Some(Ok(Bytes::from_static(b"all"))));
    assert_eq!(take(&mut controller, stream), all);
    assert_eq!(take(&mut controller, stream), Poll::Ready(None));
    assert_eq!(resets(&mut controller), []);
}

#[test]
fn half_a_response_ends_with_its_pin_and_the_worker_is_told() {
    for head_taken in [false, true] {
        let (mut controller, mut worker) = pair(SMALL);
        let stream = open(&mut controller, true);
        carry(&mut controller, &mut worker);
        answer(&mut worker, stream, false);
        assert!(send(&mut worker, stream, b"half", false).is_ready());
        carry(&mut worker, &mut controller);
        if head_taken {
            assert!(matches!(
                response(&mut controller, stream),
                Poll::Ready(Ok(_))
            ));
        }
        let (task, waker) = Task::new();
        let waiting = controller.poll_cancelled(stream, &std::task::Context::from_waker(&waker));
        assert!(waiting.is_pending());
        controller.withdraw(GRANT);
        controller.take_wakers().wake();
        assert_eq!(task.wakes(), 1);
        if !head_taken {
            assert_eq!(
                response(&mut controller, stream),
                Poll::Ready(Err(Ended::Withdrawn))
            );
        }
        let broken = Poll::Ready(Some(Err(Ended::Withdrawn)));
        assert_eq!(take(&mut controller, stream), broken);
        assert_eq!(resets(&mut controller), [ResetCode::Moved]);
        controller.close(stream);
        assert_eq!(controller.exchanges(), 0);
        assert_eq!(resets(&mut controller), []);
    }
}

#[test]
fn a_response_that_begins_after_its_pin_is_over_reaches_nobody() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    controller.withdraw(GRANT);
    assert!(response(&mut controller, stream).is_pending());
    answer(&mut worker, stream, true);
    carry(&mut worker, &mut controller);
    assert_eq!(
        response(&mut controller, stream),
        Poll::Ready(Err(Ended::Withdrawn))
    );
}

#[test]
fn a_worker_can_still_refuse_after_the_pin_is_over() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    controller.withdraw(GRANT);
    worker.reset(stream, ResetCode::Refused, "");
    carry(&mut worker, &mut controller);
    let refused = Ended::Reset {
        code: ResetCode::Refused,
        reason: String::new(),
    };
    assert_eq!(response(&mut controller, stream), Poll::Ready(Err(refused)));
}

#[test]
fn the_end_of_one_pin_is_not_the_end_of_another() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    controller.withdraw(GrantId::new(8));
    answer(&mut worker, stream, true);
    carry(&mut worker, &mut controller);
    assert!(matches!(
        response(&mut controller, stream),
        Poll::Ready(Ok(_))
    ));
}

#[test]
fn the_credit_of_half_a_response_is_given_back() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = open(&mut controller, true);
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, false);
    assert!(send(&mut worker, stream, &[1; 100], false).is_ready());
    carry(&mut worker, &mut controller);
    controller.withdraw(GRANT);
    carry(&mut controller, &mut worker);
    assert_credit_is_whole(&worker, &controller);
}
