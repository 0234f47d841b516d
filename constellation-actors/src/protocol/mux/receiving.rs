//! One direction of an exchange, at its receiver. Never talks to the peer: what is to be given
//! back is for the mux to send.

use std::task::{Context, Poll};

use bytes::Bytes;

use super::{
    credit::ReceiveCredit,
    error::ProtocolError,
    event::ResponseFrame,
    retention::Chunks,
    waking::{Slot, Wakers},
};
use crate::protocol::frame::StreamId;

/// What has come from the peer and what of it was taken.
#[derive(Debug)]
pub(super) struct Receiving {
    head: Head,
    chunks: Chunks,
    end: End,
    credit: ReceiveCredit,
    reader: Slot,
}

/// The head of a response. That of a request is handed out at once.
#[derive(Debug)]
enum Head {
    Awaited,
    Arrived(Bytes),
    Taken,
}

/// The end of what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// More may come.
    Open,
    /// END came, but the reader has not been told.
    Received,
    /// The reader knows that nothing more comes.
    Taken,
}

impl Receiving {
    /// The receiver of a response.
    pub(super) fn response(window: u32) -> Self {
        Self::new(Head::Awaited, End::Open, window)
    }

    /// The receiver of a request whose head was handed out, and is complete when `end`.
    pub(super) fn request(end: bool, window: u32) -> Self {
        Self::new(
            Head::Taken,
            if end { End::Taken } else { End::Open },
            window,
        )
    }

    fn new(head: Head, end: End, window: u32) -> Self {
        let credit = ReceiveCredit::new(window);
        Self {
            head,
            chunks: Chunks::default(),
            end,
            credit,
            reader: Slot::default(),
        }
    }

    /// Whether the head was taken.
    pub(super) fn is_answered(&self) -> bool {
        matches!(self.head, Head::Taken)
    }

    /// Whether anything of a response came.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.head, Head::Awaited)
    }

    /// Whether END came.
    pub(super) fn is_complete(&self) -> bool {
        self.end != End::Open
    }

    /// Whether the reader knows that nothing more comes.
    pub(super) fn is_taken(&self) -> bool {
        self.end == End::Taken
    }

    /// Applies a RESPONSE.
    pub(super) fn answer(
        &mut self,
        stream: StreamId,
        payload: Bytes,
        end: bool,
        wakers: &mut Wakers,
    ) -> Result<(), ProtocolError> {
        match self.head {
            Head::Awaited => self.head = Head::Arrived(payload),
            Head::Arrived(_) | Head::Taken => {
                return Err(ProtocolError::ResponseRepeated { stream });
            }
        }
        self.finish(end);
        self.reader.wake(wakers);
        Ok(())
    }

    /// Applies DATA of a message of `message_bytes`.
    pub(super) fn data(
        &mut self,
        stream: StreamId,
        content: Bytes,
        end: bool,
        message_bytes: usize,
        wakers: &mut Wakers,
    ) -> Result<(), ProtocolError> {
        if matches!(self.head, Head::Awaited) {
            return Err(ProtocolError::DataBeforeResponse { stream });
        }
        if self.is_complete() {
            return Err(ProtocolError::DataAfterEnd { stream });
        }
        self.credit
            .receive(byte_count(content.len()))
            .map_err(|excess| ProtocolError::StreamCreditExceeded { stream, excess })?;
        self.chunks.push(content, message_bytes);
        self.finish(end);
        self.reader.wake(wakers);
        Ok(())
    }

    fn finish(&mut self, end: bool) {
        if end {
            self.end = End::Received;
        }
    }

    /// Takes the head, if it has come.
    pub(super) fn take_head(&mut self) -> Option<ResponseFrame> {
        let payload = match &mut self.head {
            Head::Arrived(payload) => std::mem::take(payload),
            Head::Awaited | Head::Taken => return None,
        };
        self.head = Head::Taken;
        let end = self.is_complete() && self.chunks.is_empty();
        if end {
            self.end = End::Taken;
        }
        Some(ResponseFrame { payload, end })
    }

    /// Takes what comes next of the content: `Some(None)` when nothing more comes, `None` when it
    /// is not known yet.
    pub(super) fn take_chunk(&mut self) -> Option<Option<Bytes>> {
        if let Some(chunk) = self.chunks.pop() {
            self.credit.take(byte_count(chunk.len()));
            return Some(Some(chunk));
        }
        if self.is_complete() {
            self.end = End::Taken;
            return Some(None);
        }
        None
    }

    /// Lets the reader wait.
    pub(super) fn wait<T>(&mut self, context: &Context<'_>, wakers: &mut Wakers) -> Poll<T> {
        self.reader.wait(context, wakers);
        Poll::Pending
    }

    /// The credit to give back to the peer now, if any. A peer that has sent END needs none.
    pub(super) fn due(&mut self) -> Option<u32> {
        if self.is_complete() {
            None
        } else {
            self.credit.due()
        }
    }

    /// Drops what was not taken, and tells how many bytes of it the session's credit counted.
    pub(super) fn discard(&mut self) -> u32 {
        if let Head::Arrived(_) = self.head {
            self.head = Head::Awaited;
        }
        byte_count(self.chunks.clear())
    }

    pub(super) fn wake(&mut self, wakers: &mut Wakers) {
        self.reader.wake(wakers);
    }
}

/// A count of content bytes that lie within the credit.
pub(super) fn byte_count(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("content is bounded by its credit, which is below 2^31")
}
