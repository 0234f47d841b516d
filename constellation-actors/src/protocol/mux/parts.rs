//! A message on its way out. Never looks into what it consists of.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// The payload of one websocket message to send, in parts that follow each other: frames as they
/// were written, and long content as it was taken in, which is not copied together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    first: Bytes,
    more: VecDeque<Bytes>,
    bytes: usize,
}

impl Parts {
    /// Adds a part. An empty one adds nothing.
    pub(super) fn push(&mut self, part: Bytes) {
        self.bytes += part.len();
        if self.first.is_empty() {
            self.first = part;
        } else if !part.is_empty() {
            self.more.push_back(part);
        }
    }

    /// Takes the next part.
    pub fn pop(&mut self) -> Option<Bytes> {
        let next = self.more.pop_front().unwrap_or_default();
        let first = std::mem::replace(&mut self.first, next);
        self.bytes -= first.len();
        (!first.is_empty()).then_some(first)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// How many bytes are left, in all parts.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// Copies all parts together, if there are several.
    #[must_use]
    pub fn join(self) -> Bytes {
        if self.more.is_empty() {
            return self.first;
        }
        let mut joined = BytesMut::with_capacity(self.bytes);
        joined.extend(std::iter::once(self.first).chain(self.more));
        joined.freeze()
    }
}

impl From<Bytes> for Parts {
    fn from(first: Bytes) -> Self {
        let mut parts = Self::default();
        parts.push(first);
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_out_in_their_order_and_none_is_empty() {
        let mut parts = Parts::default();
        assert!(parts.is_empty() && parts.pop().is_none());
        for part in [&b""[..], b"one", b"", b"two", b"three"] {
            parts.push(Bytes::from_static(part));
        }
        assert_eq!(
            (parts.len(), parts.clone().join()),
            (11, "onetwothree".into())
        );
        let taken: Vec<_> = std::iter::from_fn(|| parts.pop()).collect();
        assert_eq!(taken, ["one", "two", "three"]);
        assert!(parts.is_empty());
    }

    #[test]
    fn a_single_part_is_not_copied() {
        let part = Bytes::from(vec![1; 100]);
        let joined = Parts::from(part.clone()).join();
        assert_eq!(joined.as_ptr(), part.as_ptr());
    }
}
