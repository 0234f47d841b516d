//! The direction from the client to the worker: a task that passes bytes on as they are, as fast as
//! the worker takes them, and that keeps the tunnel's time. It ends with the client's connection.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_rt::time::{Sleep, sleep};
use actix_web::dev::Payload;
use bytes::Bytes;
use futures::Stream;

use super::{Ending, Tunnel};
use crate::{placement::moment::Moment, protocol::websocket::Walker};

/// How long a worker may take to read what a client sent before it went away.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// How long a client may take to read what came before the end, before that is dropped and the
/// worker has room for another tunnel. Its connection stays until it is closed or lost.
const REST_WITHIN: Duration = Duration::from_secs(5);

/// The bytes for the worker.
pub(super) struct Up {
    tunnel: Arc<Tunnel>,
    payload: Payload,
    walker: Walker,
    /// Read and not passed on yet.
    pending: Bytes,
    /// The worker takes nothing any more.
    deaf: bool,
    opened: Moment,
    stage: Stage,
    alarm: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Bytes pass.
    Open,
    /// Nothing more comes from the worker, and what came is for the client to read.
    Ended(Ending),
    /// It had its time to read.
    Over,
    /// The client has gone.
    Finishing,
}

impl Up {
    pub(super) fn new(tunnel: Arc<Tunnel>, payload: Payload) -> Self {
        let opened = tunnel.tunnels.clock.now();
        let mut up = Self {
            tunnel,
            payload,
            walker: Walker::new(),
            pending: Bytes::new(),
            deaf: false,
            opened,
            stage: Stage::Open,
            alarm: None,
        };
        up.set_alarm(opened);
        up
    }

    /// When the tunnel has to end, as far as is known, and why.
    fn due(&self) -> Option<(Moment, Ending)> {
        let times = self.tunnel.tunnels.times;
        let idle = times
            .idle
            .map(|idle| (self.tunnel.last_touched() + idle, Ending::Idle));
        let old = times
            .lifetime
            .map(|lifetime| (self.opened + lifetime, Ending::TooOld));
        idle.into_iter().chain(old).min_by_key(|(due, _)| *due)
    }

    fn set_alarm(&mut self, now: Moment) {
        let due = self.due();
        self.alarm = due.map(|(due, _)| Box::pin(sleep(due.saturating_since(now))));
    }

    /// Ends the tunnel when its time is over, and gives up what nobody reads then. Bytes that pass do
    /// not touch the alarm: it looks again when it rings.
    fn keep_time(&mut self, context: &mut Context<'_>) {
        while let Some(alarm) = &mut self.alarm
            && alarm.as_mut().poll(context).is_ready()
        {
            self.ring();
        }
        if self.stage == Stage::Open
            && let Poll::Ready(ended) = self.tunnel.exchange.poll_ended(context)
        {
            self.stage = Stage::Ended(Ending::of(&ended));
            self.alarm = Some(Box::pin(sleep(REST_WITHIN)));
            self.keep_time(context);
        }
    }

    fn ring(&mut self) {
        self.alarm = None;
        if let Stage::Ended(ending) = self.stage {
            self.stage = Stage::Over;
            self.tunnel.leave(ending);
            return self.tunnel.exchange.close();
        }
        let now = self.tunnel.tunnels.clock.now();
        match self.due() {
            Some((due, ending)) if due <= now => self.tunnel.end(ending),
            Some(_) | None => self.set_alarm(now),
        }
    }

    /// Passes on what has come. Ready when the client is gone.
    fn poll_pass(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if !self.pending.is_empty() {
                let exchange = &self.tunnel.exchange;
                let Poll::Ready(sent) = exchange.poll_send(context, &mut self.pending, false)
                else {
                    return self.poll_gone(context);
                };
                if sent.is_err() {
                    self.deaf = true;
                    self.pending.clear();
                }
            }
            match Pin::new(&mut self.payload).poll_next(context) {
                Poll::Ready(Some(Ok(chunk))) => self.take(chunk),
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => return self.poll_gone(context),
            }
        }
    }

    /// The client's connection is looked at while there is nothing else to do: its end shows in the
    /// payload only behind what waits, and not at all when somebody else drops the response.
    fn poll_gone(&self, context: &Context<'_>) -> Poll<()> {
        self.tunnel.up.register(context.waker());
        match self.tunnel.client_gone.load(Ordering::Acquire) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    fn take(&mut self, chunk: Bytes) {
        if !self.walker.has_closed() {
            self.walker.walk(&chunk);
            if self.walker.has_closed() {
                self.tunnel.note_close();
            }
        }
        if !self.deaf {
            self.tunnel.touch();
            self.pending = chunk;
        }
    }

    /// Lets the worker have what the client sent last, for a while.
    fn poll_finish(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let exchange = &self.tunnel.exchange;
        let sent = exchange.poll_send(context, &mut self.pending, true);
        if sent.is_pending()
            && let Some(alarm) = &mut self.alarm
        {
            ready!(alarm.as_mut().poll(context));
        }
        exchange.close();
        Poll::Ready(())
    }
}

impl Future for Up {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.stage != Stage::Finishing {
            if this.poll_pass(context).is_pending() {
                this.keep_time(context);
                return Poll::Pending;
            }
            this.stage = Stage::Finishing;
            this.alarm = Some(Box::pin(sleep(LAST_WORDS_WITHIN)));
        }
        this.poll_finish(context)
    }
}
