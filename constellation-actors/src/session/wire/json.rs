//! The original's JSON dialect on one connection: one message for each request and response.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures::channel::oneshot;
use uuid::Uuid;

use crate::{
    clock,
    placement::grant::GrantId,
    protocol::{
        json::{Heartbeat, Response},
        websocket::head::Opcode,
    },
    registry::route::Route,
    session::socket::{Closing, Outbound},
};

/// What a message has besides its body: names, headers, and what the body's base64 adds.
const ENVELOPE_BYTES_MAX: u64 = 1024 * 1024;

/// One connection of a worker that speaks the original's dialect.
#[derive(Debug)]
pub(crate) struct JsonWire {
    state: Mutex<State>,
    /// A probe is out, and nothing has come from the worker since.
    probed: AtomicBool,
    body_bytes_max: u64,
    exchanges_max: usize,
    pub(in crate::session) closing: Closing,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Outbound>,
    queued_bytes: u64,
    /// Who waits for an answer, by request, and under which grant it was sent.
    pending: HashMap<Uuid, (GrantId, oneshot::Sender<Response>)>,
    writer: Option<Waker>,
    /// Nothing more is taken.
    finished: bool,
}

impl State {
    fn push(&mut self, kind: Opcode, message: Bytes) -> Option<Waker> {
        self.queued_bytes += message.len() as u64;
        self.queue.push_back((kind, message.into()));
        self.writer.take()
    }
}

/// Why a request was not sent, although the connection is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    #[error("{exchanges} exchanges of one worker")]
    ExchangesFull { exchanges: usize },
    #[error("{bytes} bytes that wait to be sent to one worker")]
    QueueFull { bytes: u64 },
}

impl JsonWire {
    pub(crate) fn new(body_bytes_max: u64, exchanges_max: usize) -> Self {
        Self {
            state: Mutex::default(),
            probed: AtomicBool::new(false),
            body_bytes_max,
            exchanges_max,
            closing: Closing::default(),
        }
    }

    /// The longest body, in either direction.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        self.body_bytes_max
    }

    /// The longest message: a body of the greatest length in base64, and its envelope.
    pub(crate) fn message_bytes_max(&self) -> usize {
        let bytes = self.body_bytes_max.div_ceil(3) * 4 + ENVELOPE_BYTES_MAX;
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, kind: Opcode, message: Bytes) {
        let writer = {
            let mut state = self.lock();
            if state.finished {
                None
            } else {
                state.push(kind, message)
            }
        };
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    pub(super) fn probe(&self) {
        self.probed.store(true, Ordering::Release);
        let probe = Heartbeat {
            guid: Uuid::new_v4(),
            unix_micros: clock::unix_micros(),
        };
        self.push(Opcode::Text, probe.to_message());
    }

    /// Whether what the worker just sent is the first sign of life since it was probed.
    pub(in crate::session) fn is_sign_of_life(&self) -> bool {
        self.probed.swap(false, Ordering::AcqRel)
    }

    /// Sends the request `message`, whose id is `id`, under a pin; `None` when the connection or the
    /// pin is over.
    pub(crate) fn send(
        self: &Arc<Self>,
        route: &Arc<Route>,
        id: Uuid,
        message: Bytes,
    ) -> Result<Option<Sent>, SendError> {
        let (answer, answered) = oneshot::channel();
        let writer = {
            let mut state = self.lock();
            if state.finished || !route.is_open() {
                return Ok(None);
            }
            let exchanges = state.pending.len();
            if exchanges >= self.exchanges_max {
                return Err(SendError::ExchangesFull { exchanges });
            }
            // One message of the greatest length may wait, or many short ones.
            if state.queued_bytes > self.body_bytes_max {
                return Err(SendError::QueueFull {
                    bytes: state.queued_bytes,
                });
            }
            state.pending.insert(id, (route.grant, answer));
            state.push(Opcode::Binary, message)
        };
        if let Some(writer) = writer {
            writer.wake();
        }
        Ok(Some(Sent {
            wire: Arc::clone(self),
            id,
            answered: Some(answered),
        }))
    }

    /// Hands a response to whoever waits for it; nobody may.
    pub(in crate::session) fn answered(&self, id: Uuid, response: Response) {
        let waiting = self.lock().pending.remove(&id);
        if let Some((_, answer)) = waiting {
            let _gone = answer.send(response);
        }
    }

    /// Ends the exchanges under a pin that is over. An answer that has come is passed on.
    pub(super) fn withdraw(&self, route: &Route) {
        let mut state = self.lock();
        let over = state
            .pending
            .extract_if(|_, (grant, _)| *grant == route.grant);
        let over: Vec<_> = over.collect();
        drop(state);
        drop(over);
    }

    pub(super) fn finish(&self) {
        let writer = {
            let mut state = self.lock();
            state.finished = true;
            state.writer.take()
        };
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    pub(super) fn end_exchanges(&self) {
        self.finish();
        let pending = std::mem::take(&mut self.lock().pending);
        drop(pending);
    }

    pub(super) fn lose(&self) {
        self.finish();
        self.closing.abort();
    }

    pub(super) fn poll_outbound(&self, context: &Context<'_>) -> Poll<Option<Outbound>> {
        let mut state = self.lock();
        if let Some((kind, message)) = state.queue.pop_front() {
            state.queued_bytes -= message.len() as u64;
            return Poll::Ready(Some((kind, message)));
        }
        if state.finished {
            return Poll::Ready(None);
        }
        state.writer = Some(context.waker().clone());
        Poll::Pending
    }
}

/// A request that was sent. The dialect has no cancellation: dropped, its answer is ignored.
#[derive(Debug)]
pub(crate) struct Sent {
    wire: Arc<JsonWire>,
    id: Uuid,
    answered: Option<oneshot::Receiver<Response>>,
}

impl Sent {
    /// The answer; `None` when the connection was lost before it came.
    pub(crate) async fn answered(mut self) -> Option<Response> {
        self.answered.take()?.await.ok()
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.wire.lock().pending.remove(&self.id);
    }
}
