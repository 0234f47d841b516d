//! Who is woken, and who is not.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use bytes::Bytes;

use crate::protocol::{
    frame::{code::ResetCode, encode},
    mux::{Mux, testing::*},
};

/// The tasks of an exchange that wait at one side.
struct Waiting {
    reader: Arc<Task>,
    sender: Arc<Task>,
    observer: Arc<Task>,
}

/// Lets a task wait for each thing an exchange can tell.
fn wait(mux: &mut Mux, stream: crate::protocol::frame::StreamId) -> Waiting {
    let (reader, waker) = Task::new();
    assert!(
        mux.poll_chunk(stream, &Context::from_waker(&waker))
            .is_pending()
    );
    let (sender, waker) = Task::new();
    let context = Context::from_waker(&waker);
    while mux
        .poll_content(stream, &context, &mut Bytes::from_static(&[0; 200]), false)
        .is_ready()
    {}
    let (observer, waker) = Task::new();
    assert!(
        mux.poll_cancelled(stream, &Context::from_waker(&waker))
            .is_pending()
    );
    Waiting {
        reader,
        sender,
        observer,
    }
}

impl Waiting {
    fn wakes(&self) -> [usize; 3] {
        [&self.reader, &self.sender, &self.observer].map(|task| task.wakes())
    }
}

fn writer(mux: &mut Mux) -> Arc<Task> {
    let (task, waker) = Task::new();
    assert!(
        mux.poll_output(&Context::from_waker(&waker), 1000)
            .is_pending()
    );
    task
}

#[test]
fn the_writer_is_woken_once_for_all_that_is_queued() {
    let (mut controller, _) = pair(SMALL);
    let task = writer(&mut controller);
    open(&mut controller, false);
    open(&mut controller, false);
    controller.take_wakers().wake();
    assert_eq!(task.wakes(), 1);
}

#[test]
fn everything_that_can_be_sent_wakes_the_writer() {
    type Act = fn(&mut Mux, crate::protocol::frame::StreamId);
    let acts: [Act; 6] = [
        |worker, stream| assert!(send(worker, stream, b"x", false).is_ready()),
        |worker, stream| assert!(send(worker, stream, b"", true).is_ready()),
        |worker, stream| worker.close(stream),
        |worker, _| {
            worker
                .control(|buffer| encode::heartbeat(buffer, 1))
                .unwrap()
        },
        |worker, _| worker.finish(),
        |worker, stream| {
            tell(worker, |buffer| {
                encode::data(buffer, stream, false, |content| {
                    content.resize(content.len() + 100, 0);
                });
                encode::data(buffer, stream, false, |content| {
                    content.resize(content.len() + 100, 0);
                });
            })
            .unwrap();
            assert_eq!(take_all(worker, stream), 200);
        },
    ];
    for (number, act) in acts.into_iter().enumerate() {
        let (mut controller, mut worker) = pair(SMALL);
        let stream = begin(&mut controller, &mut worker);
        let task = writer(&mut worker);
        act(&mut worker, stream);
        worker.take_wakers().wake();
        assert_eq!(task.wakes(), 1, "act {number}");
    }
}

#[test]
fn credit_wakes_the_writer_if_content_waits_for_it() {
    let (mut controller, mut worker) = pair(SMALL);
    let streams = [0; 3].map(|_| begin(&mut controller, &mut worker));
    for stream in streams {
        assert!(send(&mut worker, stream, &[1; 500], false).is_ready());
    }
    frames(&mut worker);
    assert_eq!(worker.queued_bytes(), 500);
    let task = writer(&mut worker);
    let mut credit = |stream, increment| {
        tell(&mut worker, |buffer| {
            encode::credit(buffer, stream, increment);
        })
        .unwrap();
        worker.take_wakers().wake();
        task.wakes()
    };
    assert_eq!(credit(Some(streams[0]), 10), 0, "the session has none");
    assert_eq!(credit(None, 10), 1);
}

#[test]
fn what_arrives_wakes_its_reader_alone() {
    let (mut controller, mut worker) = pair(SMALL);
    let first = begin(&mut controller, &mut worker);
    let second = begin(&mut controller, &mut worker);
    let one = wait(&mut controller, first);
    let other = wait(&mut controller, second);
    assert!(send(&mut worker, first, b"x", false).is_ready());
    carry(&mut worker, &mut controller);
    assert_eq!(one.wakes(), [1, 0, 0]);
    assert_eq!(other.wakes(), [0, 0, 0]);
}

#[test]
fn a_reset_and_the_end_of_the_session_wake_everybody_once() {
    let ends: [fn(&mut Mux); 3] = [
        |controller| {
            tell(controller, |buffer| {
                encode::reset(buffer, stream(1), ResetCode::Internal, "");
                encode::reset(buffer, stream(2), ResetCode::Internal, "");
            })
            .unwrap();
        },
        Mux::end_all,
        |controller| {
            [1, 2]
                .into_iter()
                .for_each(|number| controller.close(stream(number)))
        },
    ];
    for end in ends {
        let (mut controller, mut worker) = pair(SMALL);
        let tasks = [0; 2].map(|_| {
            let stream = begin(&mut controller, &mut worker);
            wait(&mut controller, stream)
        });
        end(&mut controller);
        controller.take_wakers().wake();
        for waiting in tasks {
            assert_eq!(waiting.wakes(), [1, 1, 1]);
        }
    }
}

#[test]
fn a_sender_is_woken_when_its_content_is_gone_or_there_is_room_to_spare() {
    let (mut controller, mut worker) = pair(SMALL);
    let first = begin(&mut controller, &mut worker);
    let second = begin(&mut controller, &mut worker);
    let one = wait(&mut worker, first);
    let other = wait(&mut worker, second);
    assert_eq!(worker.queued_bytes(), 400);
    let mut woken = Vec::new();
    while output(&mut worker, 112).is_some() {
        worker.take_wakers().wake();
        woken.push((one.wakes()[1], other.wakes()[1], worker.queued_bytes()));
    }
    assert_eq!(woken, [(0, 0, 300), (0, 0, 200), (1, 0, 100), (0, 1, 0)]);
}

#[test]
fn of_two_tasks_that_wait_for_the_same_only_the_last_is_woken() {
    let (mut controller, _) = pair(SMALL);
    let stream = open(&mut controller, false);
    let (first, waker) = Task::new();
    let context = Context::from_waker(&waker);
    assert!(controller.poll_response(stream, &context).is_pending());
    let (last, waker) = Task::new();
    let context = Context::from_waker(&waker);
    assert!(controller.poll_response(stream, &context).is_pending());
    assert!(controller.poll_response(stream, &context).is_pending());
    controller.end_all();
    controller.take_wakers().wake();
    assert_eq!((first.wakes(), last.wakes()), (0, 1));
}

#[test]
fn a_waker_is_never_dropped_under_the_lock() {
    let (mut controller, _) = pair(SMALL);
    let stream = open(&mut controller, false);
    let (task, waker) = Task::new();
    assert!(
        controller
            .poll_response(stream, &Context::from_waker(&waker))
            .is_pending()
    );
    drop(waker);
    let wakers = Arc::strong_count(&task);
    assert!(
        controller
            .poll_response(stream, &Context::from_waker(Waker::noop()))
            .is_pending()
    );
    assert_eq!(Arc::strong_count(&task), wakers, "it is kept");
    controller.take_wakers().wake();
    assert_eq!(Arc::strong_count(&task), wakers - 1, "and dropped outside");
    assert_eq!(task.wakes(), 0);
}
