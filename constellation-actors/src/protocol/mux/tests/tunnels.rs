//! Tunnels: their limit, their credit, and what of them survives their end.

use std::task::Poll;

use bytes::{Bytes, BytesMut};

use crate::{
    placement::{epoch::Epoch, grant::GrantId, key::ResourceKey},
    protocol::{
        frame::{StreamId, code::ResetCode, decode::Frame, encode},
        mux::{
            Mux,
            error::OpenError,
            event::{Ended, Event},
            testing::*,
        },
    },
};

fn try_open_tunnel(controller: &mut Mux) -> Result<StreamId, OpenError> {
    controller.open_tunnel(GrantId::new(7), Epoch::new(5), |buffer| {
        buffer.extend_from_slice(b"ask");
    })
}

/// Opens a tunnel whose answer has been taken.
fn begin_tunnel(controller: &mut Mux, worker: &mut Mux) -> StreamId {
    let stream = try_open_tunnel(controller).unwrap();
    carry(controller, worker);
    answer(worker, stream, false);
    carry(worker, controller);
    assert!(controller.poll_response(stream, &idle()).is_ready());
    stream
}

fn chunk(bytes: &'static [u8]) -> Poll<Option<Result<Bytes, Ended>>> {
    Poll::Ready(Some(Ok(Bytes::from_static(bytes))))
}

#[test]
fn an_upgrade_says_that_it_is_one() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = try_open_tunnel(&mut controller).unwrap();
    assert_eq!(
        carry(&mut controller, &mut worker),
        [Event::Request {
            stream,
            grant: GrantId::new(7),
            payload: Bytes::from_static(b"ask"),
            end: false,
            upgrade: true,
        }]
    );
    assert_eq!((controller.tunnels(), worker.tunnels()), (1, 1));
}

#[test]
fn tunnels_and_other_exchanges_have_limits_of_their_own() {
    let (mut controller, mut worker) = pair(SMALL);
    let tunnels: Vec<_> = (0..3)
        .map(|_| try_open_tunnel(&mut controller).unwrap())
        .collect();
    let full = OpenError::TunnelsFull { tunnels: 3 };
    assert_eq!(try_open_tunnel(&mut controller), Err(full));
    for _ in 0..10 {
        open(&mut controller, true);
    }
    assert!(try_open(&mut controller, true).is_err());
    carry(&mut controller, &mut worker);

    // Forgotten here, still running there.
    controller.close(tunnels[0]);
    let one_more = try_open_tunnel(&mut controller).unwrap();
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
fn a_tunnel_that_nobody_reads_holds_no_credit_of_the_session() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin_tunnel(&mut controller, &mut worker);
    assert_eq!(
        send(&mut worker, stream, &[1; 300], false),
        Poll::Ready(Ok(()))
    );
    carry(&mut worker, &mut controller);
    carry(&mut controller, &mut worker);
    assert_credit_is_whole(&worker, &controller);
    assert_eq!(take_all(&mut controller, stream), 150, "its own window");
    carry(&mut controller, &mut worker);
    carry(&mut worker, &mut controller);
    assert_eq!(take_all(&mut controller, stream), 150);
    carry(&mut controller, &mut worker);
    assert_credit_is_whole(&worker, &controller);
}

#[test]
fn what_came_before_a_reset_is_read_before_the_reset_is_told() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin_tunnel(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, b"goodbye", false).is_ready());
    carry(&mut worker, &mut controller);
    worker.reset(stream, ResetCode::Moved, "the key moves");
    carry(&mut worker, &mut controller);
    assert_eq!(take(&mut controller, stream), chunk(b"goodbye"));
    let moved = Ended::Reset {
        code: ResetCode::Moved,
        reason: "the key moves".into(),
    };
    assert_eq!(
        take(&mut controller, stream),
        Poll::Ready(Some(Err(moved.clone())))
    );
    assert_eq!(
        send(&mut controller, stream, b"x", false),
        Poll::Ready(Err(moved))
    );
    controller.close(stream);
    assert_eq!(frames(&mut controller), [], "the peer knows");
    assert_credit_is_whole(&worker, &controller);
}

#[test]
fn the_loss_of_the_session_leaves_what_came_through_a_tunnel() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin_tunnel(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, b"last", false).is_ready());
    carry(&mut worker, &mut controller);
    controller.end_all();
    assert_eq!(take(&mut controller, stream), chunk(b"last"));
    assert_eq!(
        take(&mut controller, stream),
        Poll::Ready(Some(Err(Ended::SessionLost)))
    );
}

#[test]
fn an_upgrade_without_an_answer_is_lost_whole() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = try_open_tunnel(&mut controller).unwrap();
    carry(&mut controller, &mut worker);
    answer(&mut worker, stream, false);
    assert!(send(&mut worker, stream, b"more", false).is_ready());
    carry(&mut worker, &mut controller);
    controller.end_all();
    assert_eq!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Err(Ended::SessionLost))
    );
}

#[test]
fn a_severed_tunnel_takes_nothing_more_in_and_tells_its_peer_once() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin_tunnel(&mut controller, &mut worker);
    assert!(send(&mut worker, stream, b"before", false).is_ready());
    carry(&mut worker, &mut controller);
    controller.sever(stream, ResetCode::Moved, "elsewhere");
    controller.sever(stream, ResetCode::Cancelled, "again");
    assert!(send(&mut worker, stream, b"after", false).is_ready());
    carry(&mut worker, &mut controller);
    assert_eq!(take(&mut controller, stream), chunk(b"before"));
    assert_eq!(
        take(&mut controller, stream),
        Poll::Ready(Some(Err(Ended::Over)))
    );
    controller.close(stream);
    let sent = frames(&mut controller);
    let resets = sent.iter().filter_map(|frame| match frame {
        Frame::Reset { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(resets.collect::<Vec<_>>(), [ResetCode::Moved]);
    assert_eq!(controller.exchanges(), 0);
}

#[test]
fn what_comes_behind_released_in_the_same_message_is_not_taken_in() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin_tunnel(&mut controller, &mut worker);
    let say = |epoch| {
        move |buffer: &mut BytesMut| {
            let key = ResourceKey::parse("/a").unwrap();
            let content =
                |words: &'static [u8]| move |buffer: &mut BytesMut| buffer.extend_from_slice(words);
            encode::data(buffer, stream, false, content(b"before"));
            encode::released(buffer, Epoch::new(epoch), &key);
            encode::data(buffer, stream, false, content(b"behind"));
        }
    };
    tell(&mut controller, say(4)).unwrap();
    assert_eq!(take(&mut controller, stream), chunk(b"beforebehind"));
    tell(&mut controller, say(5)).unwrap();
    assert_eq!(take(&mut controller, stream), chunk(b"before"));
    assert!(matches!(
        take(&mut controller, stream),
        Poll::Ready(Some(Err(Ended::Reset {
            code: ResetCode::Moved,
            ..
        })))
    ));
}

#[test]
fn everything_is_sent_when_nothing_waits_for_credit_any_more() {
    let (mut controller, mut worker) = pair(SMALL);
    let stream = begin_tunnel(&mut controller, &mut worker);
    assert!(worker.poll_sent(stream, &idle()).is_ready());
    let (task, waker) = Task::new();
    let context = std::task::Context::from_waker(&waker);
    assert!(send(&mut worker, stream, &[1; 200], false).is_ready());
    carry(&mut worker, &mut controller);
    assert!(worker.poll_sent(stream, &context).is_pending());
    assert_eq!(take_all(&mut controller, stream), 150);
    carry(&mut controller, &mut worker);
    carry(&mut worker, &mut controller);
    assert_eq!(task.wakes(), 1);
    assert!(worker.poll_sent(stream, &context).is_ready());
}
