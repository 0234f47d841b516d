//! The dialect `constellation.v1` on one connection: exchanges multiplexed over a [`Mux`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};

use super::{Goodbye, Terms};
use crate::{
    placement::{
        effect::Revocation, epoch::Epoch, grant::GrantId, holder::SessionId, key::ResourceKey,
    },
    protocol::{
        frame::{
            StreamId,
            code::{ResetCode, RevokeReason},
            encode,
        },
        handshake::{self, Goaway, Welcome, WireLimits},
        mux::{
            Mux,
            error::{OpenError, ProtocolError},
            event::{Ended, Event, ResponseFrame},
            shared::Shared,
            waking::Wakers,
        },
        websocket::head::Opcode,
    },
    registry::route::Route,
    session::socket::{Closing, Outbound},
};

/// One connection of a worker that speaks `constellation.v1`.
#[derive(Debug)]
pub(crate) struct BinaryWire {
    mux: Shared,
    /// Which grants this connection's worker has been told of. Locked inside the mux's lock only.
    granted: Mutex<Granted>,
    pub(in crate::session) closing: Closing,
}

/// The epoch of each grant that was announced, by grant id. A grant id that comes to name another
/// pin has another epoch then.
#[derive(Debug, Default)]
struct Granted(Vec<Epoch>);

impl Granted {
    /// Notes a grant; tells whether it is new to the worker.
    fn is_news(&mut self, grant: GrantId, epoch: Epoch) -> bool {
        let at = grant.get() as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, Epoch::new(0));
        }
        std::mem::replace(&mut self.0[at], epoch) != epoch
    }
}

impl BinaryWire {
    pub(crate) fn new(mux: Mux) -> Self {
        let granted = Mutex::default();
        Self {
            mux: Shared::new(mux),
            granted,
            closing: Closing::default(),
        }
    }

    pub(super) fn welcome(&self, terms: &Terms, session: SessionId, resumed: bool) {
        let milliseconds =
            |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.mux.with(|mux| {
            let welcome = Welcome {
                version: handshake::VERSION,
                session: session.get(),
                controller: terms.controller,
                resumed,
                interval_ms: milliseconds(terms.lease.interval()),
                ttl_ms: milliseconds(terms.lease.ttl()),
                margin_ms: milliseconds(terms.lease.margin()),
                limits: WireLimits::new(mux.limits(), milliseconds(terms.request_timeout)),
            };
            let json = welcome.to_json();
            self.control(mux, |buffer| encode::welcome(buffer, &json));
        });
    }

    pub(super) fn acknowledge(&self, sequence: u64) {
        self.mux.with(|mux| {
            self.control(mux, |buffer| encode::heartbeat_ack(buffer, sequence));
        });
    }

    pub(super) fn revoke(&self, reason: Revocation, epoch: Epoch, key: &ResourceKey) {
        let reason = match reason {
            Revocation::Stale => RevokeReason::Stale,
            Revocation::Move => RevokeReason::Move,
            Revocation::Drain => RevokeReason::Drain,
            Revocation::Idle => RevokeReason::Idle,
        };
        self.mux.with(|mux| {
            self.control(mux, |buffer| encode::revoke(buffer, reason, epoch, key));
        });
    }

    pub(super) fn bid_goodbye(&self, goodbye: Goodbye, description: &str) {
        let json = Goaway::new(goodbye.word(), description).to_json();
        self.mux.with(|mux| {
            self.control(mux, |buffer| encode::go_away(buffer, &json));
            mux.finish();
        });
    }

    /// Queues a control frame. A worker that lets so many pile up that there is no room is lost.
    fn control(&self, mux: &mut Mux, write: impl FnOnce(&mut BytesMut)) {
        if let Err(overflow) = mux.control(write) {
            log::warn!(error:% = overflow; "a worker reads too slowly, its connection is ended");
            mux.end_all();
            self.closing.abort();
        }
    }

    pub(super) fn lose(&self) {
        self.mux.with(Mux::finish);
        self.closing.abort();
    }

    pub(super) fn hang_up(&self) {
        self.mux.with(|mux| {
            mux.end_all();
            mux.finish();
        });
    }

    pub(super) fn end_exchanges(&self) {
        self.mux.with(Mux::end_all);
    }

    /// The worker has said goodbye.
    pub(in crate::session) fn end_unanswered(&self) {
        self.mux.with(Mux::end_unanswered);
    }

    /// Ends the exchanges under a pin that is over, but for those whose response has come.
    pub(super) fn withdraw(&self, route: &Arc<Route>) {
        self.mux.with(|mux| {
            // An exchange keeps it, besides the route view. Seen under the lock, because that is
            // where `open` looks whether it may.
            if Arc::strong_count(route) > 1 {
                mux.withdraw(route.grant);
            }
        });
    }

    pub(super) fn poll_outbound(&self, context: &Context<'_>) -> Poll<Option<Outbound>> {
        self.mux
            .with(|mux| mux.poll_output(context, mux.limits().message_bytes()))
            .map(|message| message.map(|parts| (Opcode::Binary, parts)))
    }

    /// Takes in a message. The tasks it concerns wait for their waking until its events have been
    /// handled.
    pub(in crate::session) fn receive(
        &self,
        message: Bytes,
        events: &mut Vec<Event>,
    ) -> (Result<(), ProtocolError>, Wakers) {
        self.mux.with_wakers(|mux| mux.receive(message, events))
    }

    /// Sends a request under a pin; the worker is told of the pin first if it does not know it.
    ///
    /// Whether new requests may still be sent under the pin is looked at under the lock under which
    /// its revocation is queued, and the pin is frozen before that. So nothing follows the
    /// revocation: a GRANT there would make the worker hold a key anew that it just let go.
    ///
    /// # Errors
    ///
    /// When nothing was sent: the pin is not open any more, the session is over, or a limit of it
    /// is reached.
    pub(crate) fn open(
        self: &Arc<Self>,
        route: &Arc<Route>,
        end: bool,
        head: impl FnOnce(&mut BytesMut),
    ) -> Result<Exchange, OpenError> {
        self.begin(route, |mux| mux.open(route.grant, end, head))
    }

    /// Sends a request for an upgrade, as [`open`](Self::open) sends others.
    ///
    /// # Errors
    ///
    /// As there; also when the worker has as many tunnels as it may.
    pub(crate) fn open_tunnel(
        self: &Arc<Self>,
        route: &Arc<Route>,
        head: impl FnOnce(&mut BytesMut),
    ) -> Result<Exchange, OpenError> {
        self.begin(route, |mux| mux.open_tunnel(route.grant, route.epoch, head))
    }

    fn begin(
        self: &Arc<Self>,
        route: &Arc<Route>,
        open: impl FnOnce(&mut Mux) -> Result<StreamId, OpenError>,
    ) -> Result<Exchange, OpenError> {
        let (grant, epoch) = (route.grant, route.epoch);
        let stream = self.mux.with(|mux| {
            if !route.is_open() {
                return Err(OpenError::Closed);
            }
            let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
            if granted.is_news(grant, epoch) {
                self.control(mux, |buffer| {
                    encode::grant(buffer, grant, epoch, &route.key);
                });
            }
            open(mux)
        })?;
        Ok(Exchange {
            wire: Arc::clone(self),
            stream,
            _route: Arc::clone(route),
        })
    }

    /// How many of its exchanges are or may become tunnels.
    pub(super) fn tunnels(&self) -> usize {
        self.mux.with(|mux| mux.tunnels())
    }
}

/// A request that was sent and its response. Dropped before its end, it cancels the handler.
#[derive(Debug)]
pub(crate) struct Exchange {
    wire: Arc<BinaryWire>,
    stream: StreamId,
    /// Kept to the end: that somebody besides the view has a pin is how the end of the pin knows of
    /// its exchanges, and how idleness knows that the key is in use.
    _route: Arc<Route>,
}

impl Exchange {
    pub(crate) fn poll_response(
        &self,
        context: &Context<'_>,
    ) -> Poll<Result<ResponseFrame, Ended>> {
        self.wire
            .mux
            .with(|mux| mux.poll_response(self.stream, context))
    }

    pub(crate) fn poll_chunk(&self, context: &Context<'_>) -> Poll<Option<Result<Bytes, Ended>>> {
        self.wire
            .mux
            .with(|mux| mux.poll_chunk(self.stream, context))
    }

    pub(crate) fn poll_send(
        &self,
        context: &Context<'_>,
        content: &mut Bytes,
        end: bool,
    ) -> Poll<Result<(), Ended>> {
        self.wire
            .mux
            .with(|mux| mux.poll_content(self.stream, context, content, end))
    }

    /// Why the exchange ended, once it did. One task at a time may wait for it.
    pub(crate) fn poll_ended(&self, context: &Context<'_>) -> Poll<Ended> {
        self.wire
            .mux
            .with(|mux| mux.poll_cancelled(self.stream, context))
    }

    /// Ends the exchange with a reason that the worker is told.
    pub(crate) fn reset(&self, code: ResetCode, reason: &str) {
        self.wire
            .mux
            .with(|mux| mux.reset(self.stream, code, reason));
    }

    /// Ends the exchange with a reason that the worker is told, and leaves what has come through it
    /// to whoever reads it.
    pub(crate) fn sever(&self, code: ResetCode, reason: &str) {
        self.wire
            .mux
            .with(|mux| mux.sever(self.stream, code, reason));
    }

    /// Forgets the exchange, and cancels it unless it is over.
    pub(crate) fn close(&self) {
        self.wire.mux.with(|mux| mux.close(self.stream));
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use futures::task::noop_waker_ref;
    use uuid::Uuid;

    use super::*;
    use crate::{
        placement::{moment::Moment, worker::WorkerId},
        protocol::mux::{Role, limits::Limits},
        registry::route::{Link, RouteView},
        session::wire::Wire,
    };

    /// A connection, and a pin of its worker.
    fn pinned() -> (Arc<BinaryWire>, RouteView, ResourceKey) {
        let mux = Mux::new(Role::Controller, Limits::default()).unwrap();
        let wire = Arc::new(BinaryWire::new(mux));
        let view = RouteView::default();
        let key = ResourceKey::parse("/a").unwrap();
        let link = Arc::new(Link::new(WorkerId::new(Uuid::nil())));
        link.attach(Arc::new(Wire::Binary(Arc::clone(&wire))));
        view.publish(key.clone(), link, Epoch::new(5), GrantId::new(0));
        (wire, view, key)
    }

    /// What a worker says.
    fn hear(wire: &BinaryWire, write: impl FnOnce(&mut BytesMut)) -> Vec<Event> {
        let mut message = BytesMut::new();
        write(&mut message);
        let mut events = Vec::new();
        let (outcome, wakers) = wire.receive(message.freeze(), &mut events);
        outcome.unwrap();
        wakers.wake();
        events
    }

    /// An owner that answers, lets the key go and says goodbye in one message is done with it long
    /// before the request's task runs: the answer was given in time.
    #[test]
    fn an_answer_that_came_before_the_release_counts_however_late_it_is_looked_at() {
        let (wire, view, key) = pinned();
        let route = view.get(&key).unwrap();
        let exchange = wire.open(&route, true, |_| ()).unwrap();
        let events = hear(&wire, |buffer| {
            encode::response(buffer, exchange.stream, true, |_| ());
            encode::released(buffer, Epoch::new(5), &key);
        });
        assert_eq!(events.len(), 1, "the release");
        view.withdraw(&key, Epoch::new(5));
        route.link.end();
        assert!(!route.is_in_force());
        let context = Context::from_waker(noop_waker_ref());
        assert!(matches!(
            exchange.poll_response(&context),
            Poll::Ready(Ok(_))
        ));
    }

    #[test]
    fn an_answer_that_comes_after_the_pin_is_over_reaches_nobody() {
        for replaced in [false, true] {
            let (wire, view, key) = pinned();
            let route = view.get(&key).unwrap();
            let exchange = wire.open(&route, true, |_| ()).unwrap();
            if replaced {
                let next = Arc::new(Link::new(WorkerId::new(Uuid::max())));
                view.publish(key.clone(), next, Epoch::new(6), GrantId::new(0));
            } else {
                view.withdraw(&key, Epoch::new(5));
            }
            hear(&wire, |buffer| {
                encode::response(buffer, exchange.stream, true, |_| ());
            });
            let context = Context::from_waker(noop_waker_ref());
            let answer = exchange.poll_response(&context);
            assert!(matches!(answer, Poll::Ready(Err(Ended::Withdrawn))));
        }
    }

    /// A long answer outlives the request's task: nothing but its exchange knows of the pin then.
    #[test]
    fn a_stream_keeps_its_key_in_use_and_ends_with_its_pin() {
        let (wire, view, key) = pinned();
        let route = view.get(&key).unwrap();
        let exchange = wire.open(&route, true, |_| ()).unwrap();
        drop(route);
        hear(&wire, |buffer| {
            encode::response(buffer, exchange.stream, false, |_| ());
        });
        let context = Context::from_waker(noop_waker_ref());
        assert!(exchange.poll_response(&context).is_ready());
        let now = Moment::from_micros(60_000_000);
        assert_eq!(view.last_use(&key, Epoch::new(5), now), Some(now));
        view.withdraw(&key, Epoch::new(5));
        hear(&wire, |buffer| {
            encode::data(buffer, exchange.stream, true, |_| ());
        });
        let chunk = exchange.poll_chunk(&context);
        assert!(matches!(chunk, Poll::Ready(Some(Err(Ended::Withdrawn)))));
    }

    /// A worker may close its connection right behind an answer, while its session still waits for
    /// the Registry.
    #[test]
    fn an_answer_that_came_before_its_connection_was_lost_still_counts() {
        let (wire, view, key) = pinned();
        let route = view.get(&key).unwrap();
        let exchange = wire.open(&route, true, |_| ()).unwrap();
        wire.lose();
        assert!(matches!(
            wire.open(&route, true, |_| ()),
            Err(OpenError::Closed)
        ));
        hear(&wire, |buffer| {
            encode::response(buffer, exchange.stream, true, |_| ());
        });
        wire.hang_up();
        let context = Context::from_waker(noop_waker_ref());
        assert!(matches!(
            exchange.poll_response(&context),
            Poll::Ready(Ok(_))
        ));
    }

    #[test]
    fn a_newer_connection_ends_what_runs_over_the_one_before() {
        let (wire, view, key) = pinned();
        let route = view.get(&key).unwrap();
        let exchange = wire.open(&route, true, |_| ()).unwrap();
        let (newer, ..) = pinned();
        route.link.attach(Arc::new(Wire::Binary(newer)));
        let context = Context::from_waker(noop_waker_ref());
        let answer = exchange.poll_response(&context);
        assert!(matches!(answer, Poll::Ready(Err(Ended::SessionLost))));
    }

    #[test]
    fn nothing_is_sent_under_a_pin_whose_owner_was_asked_to_let_it_go() {
        let (wire, view, key) = pinned();
        let route = view.get(&key).unwrap();

        view.freeze(&key, Epoch::new(5));
        wire.revoke(Revocation::Move, Epoch::new(5), &key);
        let late = wire.open(&route, true, |_| ());
        assert!(matches!(late, Err(OpenError::Closed)));
        let context = Context::from_waker(noop_waker_ref());
        let Poll::Ready(Some((_, message))) = wire.poll_outbound(&context) else {
            panic!("the revocation is sent");
        };
        let mut revocation = BytesMut::new();
        encode::revoke(&mut revocation, RevokeReason::Move, Epoch::new(5), &key);
        assert_eq!(message.join(), revocation);
    }

    #[test]
    fn a_grant_is_news_once_and_again_under_another_epoch() {
        let mut granted = Granted::default();
        let grant = GrantId::new(3);
        assert!(granted.is_news(grant, Epoch::new(7)));
        assert!(!granted.is_news(grant, Epoch::new(7)));
        assert!(granted.is_news(grant, Epoch::new(9)));
    }
}
