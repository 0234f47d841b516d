//! One tunnel: what both of its directions and whoever ends it share. Each direction moves bytes
//! by itself, so that neither holds up the other: [`down`] as the body of the 101, [`up`] as a task.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};

use actix_http::ConnectionType;
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, body::BodyStream, dev::Payload,
    http::StatusCode,
};
use bytes::Bytes;
use futures::task::AtomicWaker;

use self::{down::Down, up::Up};
use super::{answer, pace::Pace, problem::Problem, tunnels::Tunnels};
use crate::{
    counters::{Counter, Counters},
    placement::{epoch::Epoch, key::ResourceKey, moment::Moment},
    protocol::{
        frame::code::ResetCode,
        mux::event::{Ended, ResponseFrame},
    },
    registry::route::Route,
    session::wire::binary::Exchange,
};

mod down;
mod up;

pub(crate) use self::down::is_noise;

/// Why a tunnel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Ending {
    /// The worker ended its direction.
    Closed = 1,
    /// The client's connection is gone.
    ClientGone,
    /// Its key moves.
    Moved,
    /// The worker's connection or lease is over.
    Lost,
    /// The worker gave it up.
    Failed,
    /// Nothing passed for too long.
    Idle,
    /// It was open for too long.
    TooOld,
    /// The controller stops.
    Stopped,
}

impl Ending {
    const ALL: [Self; 8] = [
        Self::Closed,
        Self::ClientGone,
        Self::Moved,
        Self::Lost,
        Self::Failed,
        Self::Idle,
        Self::TooOld,
        Self::Stopped,
    ];

    fn of(ended: &Ended) -> Self {
        match ended {
            Ended::Withdrawn
            | Ended::Reset {
                code: ResetCode::Moved,
                ..
            } => Self::Moved,
            Ended::Reset { .. } => Self::Failed,
            Ended::SessionLost => Self::Lost,
            Ended::Over => Self::Closed,
        }
    }

    /// The Close frame that the client gets if none has come from the worker: code (RFC 6455,
    /// section 7.4.1, and the registry that section 11.7 founds) and words. 1012, service restart,
    /// asks a client to connect again.
    const fn close(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Closed | Self::ClientGone => None,
            Self::Moved => Some((1012, "the resource moves to another worker")),
            Self::Lost => Some((1012, "the worker of the resource was lost")),
            Self::Failed => Some((1011, "the worker gave up")),
            Self::Idle => Some((1001, "nothing was sent for too long")),
            Self::TooOld => Some((1012, "the connection was open for too long")),
            Self::Stopped => Some((1012, "the server restarts")),
        }
    }

    /// What the worker is told.
    const fn reset(self) -> (ResetCode, &'static str) {
        match self {
            Self::Closed | Self::ClientGone | Self::Lost | Self::Failed => {
                (ResetCode::Cancelled, "")
            }
            Self::Moved => (ResetCode::Moved, "the key is another worker's"),
            Self::Idle => (ResetCode::Timeout, "nothing was sent for too long"),
            Self::TooOld => (ResetCode::Timeout, "it was open for too long"),
            Self::Stopped => (ResetCode::Moved, "the controller stops"),
        }
    }

    const fn counter(self, counters: &Counters) -> &Counter {
        match self {
            Self::Closed | Self::ClientGone => &counters.tunnels_closed,
            Self::Moved => &counters.tunnels_moved,
            Self::Lost => &counters.tunnels_lost,
            Self::Failed => &counters.tunnels_failed,
            Self::Idle => &counters.tunnels_idle,
            Self::TooOld => &counters.tunnels_too_old,
            Self::Stopped => &counters.tunnels_stopped,
        }
    }
}

/// A tunnel.
pub(crate) struct Tunnel {
    tunnels: Arc<Tunnels>,
    number: u64,
    exchange: Exchange,
    route: Arc<Route>,
    /// The [`Ending`], once there is one.
    ending: AtomicU8,
    /// When a byte last passed: microseconds by the controller's clock.
    passed: AtomicU64,
    /// Whether a Close frame has gone down.
    close_sent: AtomicBool,
    /// Whether a Close frame came up.
    close_came: AtomicBool,
    /// Whether that was after one had gone down: then the client has everything before it.
    close_answered: AtomicBool,
    /// The client's connection is gone.
    client_gone: AtomicBool,
    /// The direction down, when it waits for one of the above.
    down: AtomicWaker,
    /// The direction up, when it waits for the client's end.
    up: AtomicWaker,
}

impl Tunnel {
    pub(super) fn key(&self) -> &ResourceKey {
        &self.route.key
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.route.epoch
    }

    /// Ends it. What has come from the worker still goes to the client. Only the first reason
    /// counts.
    pub(super) fn end(&self, ending: Ending) {
        if self.note(ending) == ending {
            let (code, words) = ending.reset();
            self.exchange.sever(code, words);
        }
    }

    /// Notes why it ends; tells which reason was the first.
    fn note(&self, ending: Ending) -> Ending {
        let first =
            self.ending
                .compare_exchange(0, ending as u8, Ordering::AcqRel, Ordering::Acquire);
        let noted = first.err().and_then(|noted| {
            let mut all = Ending::ALL.into_iter();
            all.find(|ending| *ending as u8 == noted)
        });
        noted.unwrap_or(ending)
    }

    /// Takes it out of the open ones and counts why it ended; tells why.
    fn leave(&self, ending: Ending) -> Ending {
        let ending = self.note(ending);
        if self.tunnels.remove(self) {
            ending.counter(&self.tunnels.counters).add();
        }
        ending
    }

    /// A byte passes.
    fn touch(&self) {
        let now = self.tunnels.clock.now();
        self.passed.store(now.as_micros(), Ordering::Relaxed);
    }

    fn last_touched(&self) -> Moment {
        Moment::from_micros(self.passed.load(Ordering::Relaxed))
    }

    /// A Close frame has come from the client.
    fn note_close(&self) {
        let answer = self.close_sent.load(Ordering::Acquire);
        self.close_answered.store(answer, Ordering::Release);
        self.close_came.store(true, Ordering::Release);
        self.down.wake();
    }

    fn note_client_gone(&self) {
        self.client_gone.store(true, Ordering::Release);
        self.up.wake();
    }
}

/// The response to an upgrade that its owner has answered; with any status but 101 an ordinary one.
/// `None` when the owner's epoch is over meanwhile: then the `payload`, the client's bytes, is left for
/// the next.
pub(super) fn answer(
    tunnels: &Arc<Tunnels>,
    request: &HttpRequest,
    route: &Arc<Route>,
    exchange: Exchange,
    frame: ResponseFrame,
    payload: impl FnOnce() -> Payload,
    pace: Pace,
) -> Result<Option<HttpResponse>, Problem> {
    let (head, first) = answer::read_head(&frame)?;
    if head.status().get() != StatusCode::SWITCHING_PROTOCOLS.as_u16() {
        let response = answer::of_frame(request, route, exchange, frame, None, pace)?;
        return Ok(Some(last_of_connection(response)));
    }
    if tunnels.is_stopped() {
        return Err(Problem::ShuttingDown);
    }
    let mut response = HttpResponseBuilder::new(StatusCode::SWITCHING_PROTOCOLS);
    answer::fields(&mut response, &head, route);
    response.upgrade("websocket");
    let down = open(tunnels, route, exchange, first, payload);
    Ok(down.map(|down| response.body(BodyStream::new(down))))
}

/// A response behind which the connection closes, because nobody knows where the next request on it
/// would begin. A body of unknown length ends with the connection: the HTTP layer would announce
/// chunks and not send them.
fn last_of_connection(mut response: HttpResponse) -> HttpResponse {
    let head = response.head_mut();
    head.no_chunking(true);
    head.set_connection_type(ConnectionType::Close);
    response
}

/// Opens a tunnel; `None` when the owner's epoch is over meanwhile. `first` came with the answer.
fn open(
    tunnels: &Arc<Tunnels>,
    route: &Arc<Route>,
    exchange: Exchange,
    first: Bytes,
    payload: impl FnOnce() -> Payload,
) -> Option<Down> {
    let tunnel = Arc::new(Tunnel {
        tunnels: Arc::clone(tunnels),
        number: tunnels.next_number(),
        exchange,
        route: Arc::clone(route),
        ending: AtomicU8::new(0),
        passed: AtomicU64::new(tunnels.clock.now().as_micros()),
        close_sent: AtomicBool::new(false),
        close_came: AtomicBool::new(false),
        close_answered: AtomicBool::new(false),
        client_gone: AtomicBool::new(false),
        down: AtomicWaker::new(),
        up: AtomicWaker::new(),
    });
    tunnels.enter(&tunnel);
    // From here on whoever withdraws the route ends the tunnel; before, it shows here.
    if !route.is_in_force() {
        tunnel.leave(Ending::Moved);
        tunnels.counters.stale_answers.add();
        return None;
    }
    if tunnels.is_stopped() {
        tunnel.end(Ending::Stopped);
    }
    actix_rt::spawn(Up::new(Arc::clone(&tunnel), payload()));
    Some(Down::new(tunnel, first))
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tunnel")
            .field("exchange", &self.exchange)
            .field("key", &self.key().as_str())
            .field("epoch", &self.epoch())
            .finish_non_exhaustive()
    }
}
