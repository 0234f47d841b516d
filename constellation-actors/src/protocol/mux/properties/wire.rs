//! A connection between two muxes: it keeps the order of frames, regroups them into other messages
//! than they were sent in, holds few of them at a time, and checks that nobody sends more content
//! than the frames that passed it allow.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
};

use bytes::{Bytes, BytesMut};

use super::executor::Draw;
use crate::protocol::{
    frame::{
        StreamId,
        decode::{self, Frame, Frames},
    },
    mux::{event::Event, limits::Limits, parts::Parts, shared::Shared},
};

/// How many frames are under way at most when the next message is asked for.
const FRAMES_MAX: usize = 4;

/// One direction.
#[derive(Default)]
struct Wire {
    frames: VecDeque<Bytes>,
    ended: bool,
    waiting: Vec<Waker>,
}

impl Wire {
    fn changed(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

/// One end: what this side sends and what it receives.
#[derive(Clone)]
pub(super) struct End {
    pub(super) mux: Shared,
    limits: Limits,
    draw: Draw,
    outgoing: Rc<RefCell<Wire>>,
    incoming: Rc<RefCell<Wire>>,
    allowed: Rc<RefCell<Allowed>>,
}

/// What this side may send by what it has received.
struct Allowed {
    stream_credit: u32,
    session: i64,
    streams: HashMap<StreamId, i64>,
}

impl Allowed {
    fn stream(&mut self, stream: StreamId) -> &mut i64 {
        let initial = i64::from(self.stream_credit);
        self.streams.entry(stream).or_insert(initial)
    }

    fn sent(&mut self, frame: &Frame) {
        if let Frame::Data {
            stream, content, ..
        } = frame
        {
            let bytes = i64::try_from(content.len()).unwrap();
            self.session -= bytes;
            *self.stream(*stream) -= bytes;
            assert!(self.session >= 0, "the session's credit is exceeded");
            assert!(*self.stream(*stream) >= 0, "credit of {stream} is exceeded");
        }
    }

    fn received(&mut self, frame: &Frame) {
        match frame {
            Frame::Credit {
                stream: None,
                increment,
            } => self.session += i64::from(*increment),
            Frame::Credit {
                stream: Some(stream),
                increment,
            } => {
                *self.stream(*stream) += i64::from(*increment);
            }
            _ => {}
        }
    }
}

/// Connects two muxes.
pub(super) fn connect(muxes: [Shared; 2], limits: Limits, draw: &Draw) -> [End; 2] {
    let wires: [Rc<RefCell<Wire>>; 2] = Default::default();
    let mut sides = [0, 1].into_iter();
    muxes.map(|mux| {
        let side = sides.next().unwrap();
        End {
            mux,
            limits,
            draw: draw.clone(),
            outgoing: wires[side].clone(),
            incoming: wires[1 - side].clone(),
            allowed: Rc::new(RefCell::new(Allowed {
                stream_credit: limits.stream_credit,
                session: i64::from(limits.session_credit),
                streams: HashMap::new(),
            })),
        }
    })
}

impl End {
    /// Sends what the mux has to send, until it has finished.
    pub(super) async fn write(self) {
        while let Some(message) = self.output().await {
            let frames = Frames::new(message.clone(), self.limits.sizes);
            frames.for_each(|frame| self.allowed.borrow_mut().sent(&frame.unwrap()));
            let mut wire = self.outgoing.borrow_mut();
            let mut rest = message;
            while let Some(bytes) = decode::frame_bytes(&rest) {
                wire.frames.push_back(rest.split_to(bytes));
            }
            wire.changed();
        }
        let mut wire = self.outgoing.borrow_mut();
        wire.ended = true;
        wire.changed();
    }

    async fn output(&self) -> Option<Bytes> {
        let bytes_max = self.draw.below(300);
        poll_fn(|context| {
            let mut wire = self.outgoing.borrow_mut();
            if wire.frames.len() >= FRAMES_MAX {
                wire.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            drop(wire);
            self.mux
                .with(|mux| mux.poll_output(context, bytes_max))
                .map(|message| message.map(Parts::join))
        })
        .await
    }

    /// Receives what the other side sends, until it has finished, and hands out the events before
    /// it wakes anybody.
    pub(super) async fn read(self, mut on_event: impl FnMut(Event)) {
        while let Some(message) = self.input().await {
            let frames = Frames::new(message.clone(), self.limits.sizes);
            frames.for_each(|frame| self.allowed.borrow_mut().received(&frame.unwrap()));
            let mut events = Vec::new();
            let (outcome, wakers) = self
                .mux
                .with_wakers(|mux| mux.receive(message, &mut events));
            outcome.unwrap();
            events.into_iter().for_each(&mut on_event);
            wakers.wake();
        }
    }

    async fn input(&self) -> Option<Bytes> {
        poll_fn(|context| {
            let mut wire = self.incoming.borrow_mut();
            if wire.frames.is_empty() {
                if wire.ended {
                    return Poll::Ready(None);
                }
                wire.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            wire.changed();
            Poll::Ready(Some(self.regroup(&mut wire.frames)))
        })
        .await
    }

    fn regroup(&self, frames: &mut VecDeque<Bytes>) -> Bytes {
        let bytes_max = self
            .draw
            .below(self.limits.sizes.message_bytes_max as usize);
        let mut message = BytesMut::new();
        while let Some(frame) = frames.front()
            && (message.is_empty() || message.len() + frame.len() <= bytes_max)
        {
            message.extend_from_slice(frame);
            frames.pop_front();
        }
        message.freeze()
    }
}
