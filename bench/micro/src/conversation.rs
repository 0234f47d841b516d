//! Both sides of a session, with nothing between them.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use constellation_actors::{
    placement::grant::GrantId,
    protocol::mux::{
        Mux, Role,
        event::{Event, ResponseFrame},
        limits::Limits,
        parts::Parts,
    },
};

/// The longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// A controller and a worker.
#[derive(Debug)]
pub struct Conversation {
    controller: Mux,
    worker: Mux,
    events: Vec<Event>,
}

impl Default for Conversation {
    fn default() -> Self {
        let side = |role| Mux::new(role, Limits::default()).expect("the default limits fit");
        Self {
            controller: side(Role::Controller),
            worker: side(Role::Worker),
            events: Vec::new(),
        }
    }
}

impl Conversation {
    /// One exchange from its beginning to its end: a request goes to the worker, its answer comes
    /// back, and the controller takes it.
    ///
    /// # Panics
    ///
    /// Never between two sides that keep to the protocol.
    pub fn exchange(&mut self, request: &[u8], response: &[u8]) -> ResponseFrame {
        let context = Context::from_waker(Waker::noop());
        let stream = self
            .controller
            .open(GrantId::new(1), true, |buffer| {
                buffer.extend_from_slice(request);
            })
            .expect("nothing else is under way");
        carry(&mut self.controller, &mut self.worker, &mut self.events);
        let answered = self.worker.poll_respond(stream, &context, true, |buffer| {
            buffer.extend_from_slice(response);
        });
        assert!(matches!(answered, Poll::Ready(Ok(()))), "{answered:?}");
        carry(&mut self.worker, &mut self.controller, &mut self.events);
        match self.controller.poll_response(stream, &context) {
            Poll::Ready(Ok(frame)) => frame,
            other => panic!("the answer has come: {other:?}"),
        }
    }
}

fn carry(from: &mut Mux, to: &mut Mux, events: &mut Vec<Event>) {
    events.clear();
    while let Some(message) = output(from) {
        to.receive(message, events)
            .expect("both keep to the protocol");
    }
    from.take_wakers().wake();
    to.take_wakers().wake();
}

fn output(mux: &mut Mux) -> Option<Bytes> {
    let context = Context::from_waker(Waker::noop());
    match mux.poll_output(&context, MESSAGE_BYTES_MAX) {
        Poll::Ready(message) => message.map(Parts::join),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_brings_the_answer() {
        let mut conversation = Conversation::default();
        for _ in 0..3 {
            let frame = conversation.exchange(b"ask", b"answer");
            assert_eq!((&frame.payload[..], frame.end), (&b"answer"[..], true));
        }
    }
}
