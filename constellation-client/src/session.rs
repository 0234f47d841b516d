//! One live connection to one controller: what the controller says over it and what that does. The
//! bytes are carried by [`crate::socket`]; who owns what is decided by the
//! ownership that the domain keeps.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use constellation_actors::{
    ownership::input::Input,
    placement::grant::GrantId,
    protocol::{
        frame::{StreamId, code::ResetCode, decode::Control, encode},
        handshake::Goaway,
        head::RequestHead,
        mux::{event::Event, limits::Limits, shared::Shared},
    },
};
use tokio::sync::Notify;

use crate::{
    body::Body,
    dispatch::Call,
    domain::{Admission, Domain},
    exchange::Exchange,
    request::Request,
};

/// A live connection to a controller, after the handshake.
pub(crate) struct Session {
    number: u64,
    mux: Shared,
    limits: Limits,
    /// Whether its exchanges are over, and no further ones begin.
    ended: Cell<bool>,
    farewell: RefCell<Option<Farewell>>,
    leaving: Notify,
    /// Empty between messages; kept for its memory.
    events: Cell<Vec<Event>>,
}

/// What comes behind the head of a request.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// Nothing.
    end: bool,
    /// The bytes of a tunnel, if the answer makes it one.
    upgrade: bool,
}

/// Why a session ends, as far as this side knows or decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// The controller broke the protocol.
    Fault(String),
    /// The controller took nothing for so long that a queue is full.
    Stalled,
    /// The lease ended.
    LeaseEnded,
    /// The controller asked for it.
    GoneAway(Goaway),
    /// Everything was given back.
    Goodbye,
}

impl fmt::Display for Farewell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(formatter, "the controller broke the protocol: {fault}"),
            Self::Stalled => formatter.write_str("the controller takes nothing any more"),
            Self::LeaseEnded => formatter.write_str("the lease ended"),
            Self::GoneAway(Goaway { code, reason }) => {
                write!(
                    formatter,
                    "the controller ends the session: {code} {reason}"
                )
            }
            Self::Goodbye => formatter.write_str("everything was given back"),
        }
    }
}

impl Session {
    pub(crate) fn new(number: u64, mux: Shared, limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            number,
            mux,
            limits,
            ended: Cell::new(false),
            farewell: RefCell::new(None),
            leaving: Notify::new(),
            events: Cell::new(Vec::new()),
        })
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn mux(&self) -> &Shared {
        &self.mux
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Why it ends, if it does.
    pub(crate) fn farewell(&self) -> Option<Farewell> {
        self.farewell.borrow().clone()
    }

    /// Waits until it is to end.
    pub(crate) async fn leaving(&self) -> Farewell {
        loop {
            let leaving = self.leaving.notified();
            if let Some(farewell) = self.farewell() {
                return farewell;
            }
            leaving.await;
        }
    }

    /// Begins its end. The first reason stays.
    pub(crate) fn leave(&self, farewell: Farewell) {
        log::debug!(session = self.number; "leaving: {farewell}");
        match &farewell {
            Farewell::Fault(fault) => {
                self.end_exchanges();
                self.go_away("protocol_error", fault);
            }
            Farewell::Stalled => self.end_exchanges(),
            Farewell::LeaseEnded | Farewell::GoneAway(_) => {}
            Farewell::Goodbye => self.go_away(Goaway::GOODBYE, "every key was given back"),
        }
        self.farewell.borrow_mut().get_or_insert(farewell);
        self.leaving.notify_waiters();
    }

    /// Ends every exchange, as after the loss of the connection.
    pub(crate) fn end_exchanges(&self) {
        self.mux.with(|mux| mux.end_all());
        self.ended.set(true);
    }

    /// Says that this worker wants no new keys.
    pub(crate) fn announce_drain(&self) {
        self.go_away(Goaway::DRAINING, "the worker is drained");
    }

    fn go_away(&self, code: &str, reason: &str) {
        let json = Goaway::new(code, reason).to_json();
        self.control(|buffer| encode::go_away(buffer, &json));
    }

    /// Queues frames of the session itself.
    pub(crate) fn control(&self, frames: impl FnOnce(&mut BytesMut)) {
        if self.mux.with(|mux| mux.control(frames)).is_err() {
            // Not through `leave`, which may itself be what found no room.
            self.farewell.borrow_mut().get_or_insert(Farewell::Stalled);
            self.end_exchanges();
            self.leaving.notify_waiters();
        }
    }

    /// Takes in one message of the controller.
    pub(crate) fn receive(&self, domain: &Rc<Domain>, message: Bytes) {
        let mut events = self.events.take();
        let (outcome, wakers) = self
            .mux
            .with_wakers(|mux| mux.receive(message, &mut events));
        for event in events.drain(..) {
            match event {
                Event::Request {
                    stream,
                    grant,
                    payload,
                    end,
                    upgrade,
                } => {
                    let extent = Extent { end, upgrade };
                    self.request(domain, stream, grant, &payload, extent);
                }
                Event::Control(control) => self.obey(domain, control),
            }
        }
        self.events.set(events);
        wakers.wake();
        if let Err(error) = outcome {
            self.leave(Farewell::Fault(error.to_string()));
        }
    }

    fn request(
        &self,
        domain: &Rc<Domain>,
        stream: StreamId,
        grant: GrantId,
        payload: &Bytes,
        Extent { end, upgrade }: Extent,
    ) {
        let (holding, accepted) = match domain.admit(grant) {
            _ if self.ended.get() => return self.refuse(stream, "the session is over"),
            Admission::Refused(reason) => return self.refuse(stream, reason),
            Admission::Accepted(holding) => (holding, true),
            Admission::RefusedLater(holding) => (holding, false),
        };
        let sizes = self.limits.sizes;
        let head = match RequestHead::decode(payload, sizes.head_bytes_max as usize) {
            Ok(decoded) => decoded,
            Err(error) => return self.reset(stream, ResetCode::Protocol, &error.to_string()),
        };
        let (head, content) = head;
        let mux = self.mux.clone();
        let exchange = Arc::new(Exchange::new(mux, stream, sizes, head, upgrade));
        let body = Body::new(content, end, &exchange);
        let call = Call::new(
            Arc::clone(&exchange),
            Rc::clone(&holding),
            Rc::clone(domain),
        );
        if !accepted {
            return call.refuse();
        }
        let request = Request::new(exchange, holding.grant().clone(), body);
        holding.take(call, request, domain.settings().queue_per_key_max);
    }

    fn refuse(&self, stream: StreamId, reason: &str) {
        self.reset(stream, ResetCode::Refused, reason);
    }

    fn reset(&self, stream: StreamId, code: ResetCode, reason: &str) {
        self.mux.with(|mux| mux.reset(stream, code, reason));
    }

    fn obey(&self, domain: &Rc<Domain>, control: Control) {
        match control {
            Control::HeartbeatAck { sequence } => domain.handle(Input::Acknowledged { sequence }),
            Control::Grant { grant, epoch, key } => {
                domain.handle(Input::Granted { grant, epoch, key });
            }
            Control::Revoke { reason, epoch, key } => {
                domain.handle(Input::Revoked { reason, epoch, key });
            }
            Control::GoAway { json } => self.told_to_go(domain, &json),
            Control::Welcome { .. } => self.leave(Farewell::Fault("a second WELCOME".to_owned())),
            Control::Hello { .. }
            | Control::Heartbeat { .. }
            | Control::Released { .. }
            | Control::Holding { .. } => {
                unreachable!("the mux lets no frame through that only a worker sends")
            }
        }
    }

    fn told_to_go(&self, domain: &Rc<Domain>, json: &[u8]) {
        match Goaway::parse(json) {
            // The controller holds every key of this worker for free, or soon will.
            Ok(goaway) if goaway.code == "lease_expired" => {
                self.leave(Farewell::GoneAway(goaway));
                domain.handle(Input::LeaseExpired);
            }
            Ok(goaway) => self.leave(Farewell::GoneAway(goaway)),
            Err(error) => self.leave(Farewell::Fault(error.to_string())),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("number", &self.number)
            .field("farewell", &*self.farewell.borrow())
            .finish_non_exhaustive()
    }
}
