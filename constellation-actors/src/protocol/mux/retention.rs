//! What is kept of a received message until its reader comes. Never lets a few bytes hold a large
//! message in memory.
//!
//! A slice of a message keeps the whole message alive. So content is kept as a slice only where it
//! is at least a quarter of its message, and copied otherwise: what unread content holds is at
//! most four times what its credit counted. Small content is gathered in one buffer, so that a
//! peer that sends single bytes cannot make each of them cost an allocation.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// The least part of a message that may hold the whole of it: one in this many bytes.
const MESSAGE_SHARE: usize = 4;

/// Content shorter than this is gathered.
const GATHERED_BYTES: usize = 1024;

/// What to keep of `payload`, the head and first content of an exchange in a message of
/// `message_bytes`.
///
/// It counts against no credit, because every exchange has only one; so it may hold a message that
/// has at most `shared_bytes_max`, in which the heads of many exchanges come.
pub(super) fn first(payload: Bytes, message_bytes: usize, shared_bytes_max: usize) -> Bytes {
    if message_bytes <= shared_bytes_max || payload.len() >= message_bytes / MESSAGE_SHARE {
        payload
    } else {
        Bytes::copy_from_slice(&payload)
    }
}

/// Content that came in and waits for its reader, in order.
#[derive(Debug, Default)]
pub(super) struct Chunks(VecDeque<Chunk>);

#[derive(Debug)]
enum Chunk {
    /// A slice of the message it came in.
    Shared(Bytes),
    /// Content gathered from one message or several.
    Gathered(BytesMut),
}

impl Chunks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `content` of a message of `message_bytes`. Nothing adds nothing.
    pub(super) fn push(&mut self, content: Bytes, message_bytes: usize) {
        if content.is_empty() {
            return;
        }
        if content.len() >= GATHERED_BYTES && content.len() >= message_bytes / MESSAGE_SHARE {
            self.0.push_back(Chunk::Shared(content));
        } else if let Some(Chunk::Gathered(last)) = self.0.back_mut() {
            last.extend_from_slice(&content);
        } else {
            self.0
                .push_back(Chunk::Gathered(BytesMut::from(&content[..])));
        }
    }

    pub(super) fn pop(&mut self) -> Option<Bytes> {
        Some(match self.0.pop_front()? {
            Chunk::Shared(bytes) => bytes,
            Chunk::Gathered(bytes) => bytes.freeze(),
        })
    }

    /// Drops everything and tells how many bytes that were.
    pub(super) fn clear(&mut self) -> usize {
        let bytes = self.0.iter().map(Chunk::len).sum();
        self.0 = VecDeque::new();
        bytes
    }
}

impl Chunk {
    fn len(&self) -> usize {
        match self {
            Self::Shared(bytes) => bytes.len(),
            Self::Gathered(bytes) => bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_slice_of(part: &Bytes, message: &Bytes) -> bool {
        message.as_ptr_range().contains(&part.as_ptr())
    }

    #[test]
    fn a_large_part_of_a_message_is_kept_without_a_copy() {
        let message = Bytes::from(vec![1; 8192]);
        let mut chunks = Chunks::default();
        chunks.push(message.slice(12..12 + 2048), message.len());
        let chunk = chunks.pop().unwrap();
        assert!(is_slice_of(&chunk, &message));
    }

    #[test]
    fn a_small_part_of_a_message_does_not_hold_the_message() {
        let message = Bytes::from(vec![1; 8192]);
        let mut chunks = Chunks::default();
        chunks.push(message.slice(12..12 + 2047), message.len());
        assert!(!is_slice_of(&chunks.pop().unwrap(), &message));

        let head = first(message.slice(12..12 + 2047), message.len(), 8191);
        assert!(!is_slice_of(&head, &message));
        let head = first(message.slice(12..12 + 2047), message.len(), 8192);
        assert!(is_slice_of(&head, &message));
    }

    #[test]
    fn single_bytes_are_gathered_and_keep_their_order() {
        let mut chunks = Chunks::default();
        let large = Bytes::from(vec![9; GATHERED_BYTES]);
        for part in [&b"a"[..], b"", b"b", &large, b"c", b"d"] {
            chunks.push(Bytes::copy_from_slice(part), part.len());
        }
        assert_eq!(chunks.pop().unwrap(), "ab");
        assert_eq!(chunks.pop().unwrap(), large);
        assert_eq!(chunks.clear(), 2);
        assert!(chunks.is_empty());
    }
}
