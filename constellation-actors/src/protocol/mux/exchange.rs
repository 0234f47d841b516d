//! One exchange at one side: its two directions, which end independently, and the end of both at
//! once by a reset. Never knows its peers in the table.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::{
    event::{Ended, ResponseFrame},
    receiving::Receiving,
    sending::Sending,
    waking::{Slot, Wakers},
};
use crate::placement::{epoch::Epoch, grant::GrantId};

/// A request and its response.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) grant: GrantId,
    /// Whether its pin was over before its response began: it can still be refused, not answered.
    pub(super) unwanted: bool,
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
    ended: Option<Ended>,
    observer: Slot,
    /// Under which epoch it is or may become a tunnel, if so: its content costs the session no
    /// credit once it is here, and what came before a reset stays readable.
    tunnel: Option<Epoch>,
}

/// What an exchange that ended had not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Remains {
    /// Content bytes that no reader took.
    pub(super) unread: u32,
    /// Content bytes that were not sent.
    pub(super) unsent: usize,
}

impl Exchange {
    /// An exchange that this side, the controller, begins.
    pub(super) fn opened(grant: GrantId, end: bool, credit: u32) -> Self {
        let (receiving, sending) = (Receiving::response(credit), Sending::request(end, credit));
        Self::new(grant, receiving, sending, None)
    }

    /// An exchange that this side, the controller, begins and that may become a tunnel.
    pub(super) fn opened_tunnel(grant: GrantId, epoch: Epoch, credit: u32) -> Self {
        let (receiving, sending) = (Receiving::response(credit), Sending::request(false, credit));
        Self::new(grant, receiving, sending, Some(epoch))
    }

    /// An exchange that the controller began, at the worker.
    pub(super) fn requested(grant: GrantId, end: bool, credit: u32) -> Self {
        let (receiving, sending) = (Receiving::request(end, credit), Sending::response(credit));
        Self::new(grant, receiving, sending, None)
    }

    /// An exchange that the controller began and that may become a tunnel, at the worker, which has
    /// no need of its epoch here.
    pub(super) fn requested_tunnel(grant: GrantId, credit: u32) -> Self {
        let (receiving, sending) = (Receiving::request(false, credit), Sending::response(credit));
        Self::new(grant, receiving, sending, Some(Epoch::default()))
    }

    fn new(grant: GrantId, receiving: Receiving, sending: Sending, tunnel: Option<Epoch>) -> Self {
        Self {
            grant,
            unwanted: false,
            receiving,
            sending,
            ended: None,
            observer: Slot::default(),
            tunnel,
        }
    }

    /// Whether it is or may become a tunnel.
    pub(super) const fn is_tunnel(&self) -> bool {
        self.tunnel.is_some()
    }

    /// Under which epoch it is or may become a tunnel.
    pub(super) const fn tunnel(&self) -> Option<Epoch> {
        self.tunnel
    }

    /// Whether the peer may still send frames that mean something to it.
    pub(super) const fn is_live(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether both directions ran to their ends, so that nobody needs to be told.
    pub(super) fn is_complete(&self) -> bool {
        self.sending.is_ended() && self.receiving.is_complete()
    }

    /// Whether both directions ran to their ends and its readers know.
    pub(super) fn is_over(&self) -> bool {
        self.sending.is_ended() && self.receiving.is_taken()
    }

    pub(super) fn poll_response(
        &mut self,
        context: &Context<'_>,
        wakers: &mut Wakers,
    ) -> Poll<Result<ResponseFrame, Ended>> {
        if self.receiving.is_answered() {
            return Poll::Ready(Err(Ended::Over));
        }
        match (self.receiving.take_head(), &self.ended) {
            (Some(head), _) => Poll::Ready(Ok(head)),
            (None, Some(ended)) => Poll::Ready(Err(ended.clone())),
            (None, None) => self.receiving.wait(context, wakers),
        }
    }

    pub(super) fn poll_chunk(
        &mut self,
        context: &Context<'_>,
        wakers: &mut Wakers,
    ) -> Poll<Option<Result<Bytes, Ended>>> {
        match (self.receiving.take_chunk(), &self.ended) {
            (Some(chunk), _) => Poll::Ready(chunk.map(Ok)),
            (None, Some(ended)) => Poll::Ready(Some(Err(ended.clone()))),
            (None, None) => self.receiving.wait(context, wakers),
        }
    }

    pub(super) fn poll_content(
        &mut self,
        context: &Context<'_>,
        content: &mut Bytes,
        end: bool,
        room_bytes: usize,
        wakers: &mut Wakers,
    ) -> Poll<Result<(), Ended>> {
        match &self.ended {
            Some(ended) if !self.sending.is_ended() => Poll::Ready(Err(ended.clone())),
            Some(_) | None => self
                .sending
                .poll_content(context, content, end, room_bytes, wakers),
        }
    }

    pub(super) fn poll_cancelled(
        &mut self,
        context: &Context<'_>,
        wakers: &mut Wakers,
    ) -> Poll<Ended> {
        if let Some(ended) = &self.ended {
            return Poll::Ready(ended.clone());
        }
        self.observer.wait(context, wakers);
        Poll::Pending
    }

    /// Why it ended, if it did.
    pub(super) const fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Ends it by something other than its owner. A response or request that has come completely
    /// stays readable; half of one is dropped, because nobody should act on it. So does what came
    /// through a tunnel, whose bytes mean something by themselves.
    pub(super) fn end(&mut self, ended: Ended, wakers: &mut Wakers) -> Remains {
        self.ended = Some(ended);
        let stays =
            self.receiving.is_complete() || self.is_tunnel() && self.receiving.is_answered();
        let unread = if stays { 0 } else { self.discard() };
        let unsent = self.sending.abort();
        self.wake(wakers);
        Remains { unread, unsent }
    }

    /// Its owner is done with it.
    pub(super) fn forget(&mut self, wakers: &mut Wakers) -> Remains {
        let unread = self.discard();
        let unsent = self.sending.abort();
        self.wake(wakers);
        Remains { unread, unsent }
    }

    /// Drops what was not taken, and tells how many bytes of it the session's credit counts.
    fn discard(&mut self) -> u32 {
        let unread = self.receiving.discard();
        if self.is_tunnel() { 0 } else { unread }
    }

    /// Marks every task that waits for something of it to be woken.
    pub(super) fn wake(&mut self, wakers: &mut Wakers) {
        self.receiving.wake(wakers);
        self.sending.wake(wakers);
        self.observer.wake(wakers);
    }
}
