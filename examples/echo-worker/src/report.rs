//! What a request was, as its answer tells it. Pure.

use serde::Serialize;

/// The longest body that an answer repeats, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// The answer to a request that asks for nothing special.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    /// The worker's id.
    pub(crate) worker: &'a str,
    /// The worker's name.
    pub(crate) name: &'a str,
    /// The key.
    pub(crate) key: &'a str,
    /// The epoch under which the worker owns the key.
    pub(crate) epoch: u64,
    /// The method.
    pub(crate) method: &'a str,
    /// The raw path.
    pub(crate) path: &'a str,
    /// The raw query; null when there is none.
    pub(crate) query: Option<&'a str>,
    /// The length of the body.
    pub(crate) body_bytes: u64,
    /// The body, when it is short UTF-8 text; null when it is not.
    pub(crate) body: Option<&'a str>,
}

/// A body that was read: its length, and its beginning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    bytes: u64,
    beginning: Vec<u8>,
}

impl Contents {
    /// Counts one more piece.
    pub(crate) fn add(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        if self.bytes <= TEXT_BYTES_MAX as u64 {
            self.beginning.extend_from_slice(chunk);
        }
    }

    /// How long it was.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it was, when that is short UTF-8 text.
    pub(crate) fn text(&self) -> Option<&str> {
        if self.bytes > TEXT_BYTES_MAX as u64 {
            return None;
        }
        str::from_utf8(&self.beginning).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &[&[u8]]) -> Contents {
        let mut contents = Contents::default();
        chunks.iter().for_each(|chunk| contents.add(chunk));
        contents
    }

    #[test]
    fn a_short_text_is_repeated_whole() {
        let contents = read(&[b"h\xc3", b"\xa9llo"]);
        assert_eq!((contents.bytes(), contents.text()), (6, Some("h\u{e9}llo")));
        assert_eq!(read(&[]).text(), Some(""));
    }

    #[test]
    fn what_is_long_or_no_text_is_counted_and_not_kept() {
        assert_eq!(read(&[b"\xff"]).text(), None);
        let long = read(&[&[b'a'; TEXT_BYTES_MAX], b"b", b"c"]);
        assert_eq!(
            (long.bytes(), long.text()),
            (TEXT_BYTES_MAX as u64 + 2, None)
        );
        assert_eq!(long.beginning.len(), TEXT_BYTES_MAX);
    }
}
