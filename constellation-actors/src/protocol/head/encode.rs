//! Writes heads into an outgoing buffer, in one pass and without an allocation per field. Never
//! checks names or values: those that come from outside were checked when they were parsed.

use bytes::{BufMut, BytesMut};

use super::{FIELDS_MAX, RequestLine, Status, grammar};
use crate::protocol::varint;

/// Why a head was not written. The buffer is as it was before the head was begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadTooLarge {
    /// It is longer than the peer takes.
    #[error("the head has {bytes} bytes, at most {bytes_max} are allowed")]
    Bytes {
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// It has more fields than the peer takes.
    #[error("the head has {count} fields, at most {FIELDS_MAX} are allowed")]
    Fields {
        /// How many it has.
        count: usize,
    },
}

/// Writes one head: begin it, add its fields, finish it. What follows in the buffer is content.
///
/// The length of the field section stands before it and is known only at the end, so it always
/// takes four bytes and is filled in then. Dropped before it is finished, the encoder takes back
/// what it wrote.
#[derive(Debug)]
#[must_use = "a head that is not finished is taken back"]
pub struct HeadEncoder<'a> {
    buffer: &'a mut BytesMut,
    start: usize,
    section_length_at: usize,
    fields: usize,
    finished: bool,
}

impl<'a> HeadEncoder<'a> {
    /// Begins the head of a request. Its parts must be what [`super::grammar`] allows, or the
    /// peer refuses them.
    pub fn request(buffer: &'a mut BytesMut, line: RequestLine<'_>) -> Self {
        let start = buffer.len();
        for part in [line.method, line.scheme, line.authority, line.path] {
            put_part(buffer, part.as_bytes());
        }
        Self::fields_of(buffer, start)
    }

    /// Begins the head of a response.
    pub fn response(buffer: &'a mut BytesMut, status: Status) -> Self {
        let start = buffer.len();
        varint::put(buffer, u64::from(status.get()));
        Self::fields_of(buffer, start)
    }

    fn fields_of(buffer: &'a mut BytesMut, start: usize) -> Self {
        let section_length_at = varint::reserve_four(buffer);
        Self {
            buffer,
            start,
            section_length_at,
            fields: 0,
            finished: false,
        }
    }

    /// Adds a field line. `name` must be a token in lower case and `value` free of control
    /// characters, or the peer refuses the head; white space around the value is left out.
    pub fn field(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        put_part(self.buffer, name.as_ref());
        put_part(self.buffer, grammar::trimmed(value.as_ref()));
        self.fields += 1;
        self
    }

    /// Finishes the head.
    ///
    /// # Errors
    ///
    /// When it is longer than `bytes_max`, or has more than [`FIELDS_MAX`] fields. The buffer is
    /// then as it was before the head.
    pub fn finish(mut self, bytes_max: usize) -> Result<(), HeadTooLarge> {
        let bytes = self.buffer.len() - self.start;
        let bytes_max = bytes_max.min(varint::FOUR_BYTES_MAX);
        if bytes > bytes_max {
            return Err(HeadTooLarge::Bytes { bytes, bytes_max });
        }
        if self.fields > FIELDS_MAX {
            return Err(HeadTooLarge::Fields { count: self.fields });
        }
        let section = self.buffer.len() - self.section_length_at - varint::FOUR_BYTES;
        varint::fill_four(self.buffer, self.section_length_at, section);
        self.finished = true;
        Ok(())
    }
}

impl Drop for HeadEncoder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.buffer.truncate(self.start);
        }
    }
}

fn put_part(buffer: &mut BytesMut, part: &[u8]) {
    varint::put(buffer, part.len() as u64);
    buffer.put_slice(part);
}
