//! What the tests of the mux share: two sides without a connection between them, and tasks that
//! count how often they were woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::{Bytes, BytesMut};

use super::{
    Mux, Role,
    error::{OpenError, ProtocolError, RespondError},
    event::{Ended, Event, ResponseFrame},
    limits::Limits,
    parts::Parts,
};
use crate::{
    placement::grant::GrantId,
    protocol::frame::{
        SizeLimits, StreamId,
        decode::{Frame, Frames},
    },
};

/// Limits that a few hundred bytes reach.
pub(super) const SMALL: Limits = Limits {
    sizes: SizeLimits {
        data_bytes_max: 100,
        head_bytes_max: 200,
        message_bytes_max: 1000,
    },
    stream_credit: 400,
    session_credit: 1000,
    exchanges_max: 10,
    tunnels_max: 3,
    tunnel_credit: 150,
    urgent_bytes_max: 4000,
    bulk_bytes_max: 300,
    part_bytes_min: 20,
};

/// A task that does nothing but count.
#[derive(Default)]
pub(super) struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    pub(super) fn new() -> (Arc<Self>, Waker) {
        let task = Arc::new(Self::default());
        (task.clone(), task.into())
    }

    /// How often it was woken since the last call.
    pub(super) fn wakes(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

pub(super) fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

pub(super) fn pair(limits: Limits) -> (Mux, Mux) {
    let side = |role| Mux::new(role, limits).unwrap();
    (side(Role::Controller), side(Role::Worker))
}

pub(super) fn stream(number: u32) -> StreamId {
    StreamId::new(number).unwrap()
}

pub(super) fn try_open(controller: &mut Mux, end: bool) -> Result<StreamId, OpenError> {
    controller.open(GrantId::new(7), end, |buffer| {
        buffer.extend_from_slice(b"ask");
    })
}

pub(super) fn open(controller: &mut Mux, end: bool) -> StreamId {
    try_open(controller, end).unwrap()
}

pub(super) fn try_answer(
    worker: &mut Mux,
    stream: StreamId,
    end: bool,
) -> Poll<Result<(), RespondError>> {
    worker.poll_respond(stream, &idle(), end, |buffer| {
        buffer.extend_from_slice(b"answer");
    })
}

pub(super) fn answer(worker: &mut Mux, stream: StreamId, end: bool) {
    assert_eq!(try_answer(worker, stream, end), Poll::Ready(Ok(())));
}

/// Begins an exchange whose both heads have arrived, and whose both bodies are open.
pub(super) fn begin(controller: &mut Mux, worker: &mut Mux) -> StreamId {
    let stream = open(controller, false);
    carry(controller, worker);
    answer(worker, stream, false);
    carry(worker, controller);
    let head = ResponseFrame {
        payload: Bytes::from_static(b"answer"),
        end: false,
    };
    assert_eq!(
        controller.poll_response(stream, &idle()),
        Poll::Ready(Ok(head))
    );
    stream
}

pub(super) fn send(
    mux: &mut Mux,
    stream: StreamId,
    content: &[u8],
    end: bool,
) -> Poll<Result<(), Ended>> {
    mux.poll_content(stream, &idle(), &mut Bytes::copy_from_slice(content), end)
}

pub(super) fn take(mux: &mut Mux, stream: StreamId) -> Poll<Option<Result<Bytes, Ended>>> {
    mux.poll_chunk(stream, &idle())
}

/// Takes everything there is, and tells how many bytes that was.
pub(super) fn take_all(mux: &mut Mux, stream: StreamId) -> usize {
    let mut bytes = 0;
    while let Poll::Ready(Some(Ok(chunk))) = take(mux, stream) {
        bytes += chunk.len();
    }
    bytes
}

/// The next message to send, if there is any.
pub(super) fn output(mux: &mut Mux, bytes_max: usize) -> Option<Bytes> {
    match mux.poll_output(&idle(), bytes_max) {
        Poll::Ready(message) => message.map(Parts::join),
        Poll::Pending => None,
    }
}

/// Everything there is to send.
pub(super) fn frames(mux: &mut Mux) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some(message) = output(mux, usize::MAX) {
        frames.extend(Frames::new(message, mux.limits().sizes).map(Result::unwrap));
    }
    frames
}

/// Carries everything there is to send to the other side, and wakes whom that concerns.
pub(super) fn carry(from: &mut Mux, to: &mut Mux) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(message) = output(from, usize::MAX) {
        to.receive(message, &mut events).unwrap();
    }
    from.take_wakers().wake();
    to.take_wakers().wake();
    events
}

/// What comes of frames that nobody but this test would send.
pub(super) fn tell(
    mux: &mut Mux,
    write: impl FnOnce(&mut BytesMut),
) -> Result<Vec<Event>, ProtocolError> {
    let mut message = BytesMut::new();
    write(&mut message);
    let mut events = Vec::new();
    mux.receive(message.freeze(), &mut events)?;
    Ok(events)
}

/// Checks that everything a side may send is either in its hands or on its way back, when nothing
/// is under way any more.
pub(super) fn assert_credit_is_whole(from: &Mux, to: &Mux) {
    assert_eq!(
        from.send_credit.available() + to.receive_credit.to_give_back(),
        to.limits.session_credit
    );
}
