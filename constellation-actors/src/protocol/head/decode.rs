//! Reads heads. Every length is checked against what is there before it is used, nothing is
//! copied, and nothing is allocated.

use std::ops::Range;

use bytes::Bytes;

use super::{
    Ascii, FIELDS_MAX, RequestHead, ResponseHead, Status,
    error::{HeadError, Part},
    field::Fields,
    grammar::{self, Class},
};
use crate::protocol::varint;

impl RequestHead {
    /// Reads the head that `payload` begins with, at most `bytes_max` long, and returns it with
    /// the content behind it.
    ///
    /// # Errors
    ///
    /// When it is cut off, too long, has too many fields, or holds a byte that may not stand
    /// where it does.
    pub fn decode(payload: &Bytes, bytes_max: usize) -> Result<(Self, Bytes), HeadError> {
        let mut reader = Reader {
            input: payload,
            position: 0,
            bytes_max,
        };
        let method = reader.required(Part::Method, Class::TOKEN)?;
        let scheme = reader.required(Part::Scheme, Class::SCHEME)?;
        check_scheme(payload, &scheme)?;
        let authority = reader.text(Part::Authority, Class::AUTHORITY)?;
        let path = reader.required(Part::Path, Class::PATH)?;
        if payload[path.start] != b'/' && payload[path.clone()] != *b"*" {
            return Err(HeadError::NoSlash { offset: path.start });
        }
        let fields = reader.fields(payload)?;
        let ascii = |range| Ascii(payload.slice(range));
        let head = Self {
            method: ascii(method),
            scheme: ascii(scheme),
            authority: ascii(authority),
            path: ascii(path),
            fields,
        };
        Ok((head, payload.slice(reader.position..)))
    }
}

impl ResponseHead {
    /// Reads the head that `payload` begins with, at most `bytes_max` long, and returns it with
    /// the content behind it.
    ///
    /// # Errors
    ///
    /// When it is cut off, too long, has too many fields, has a status that a response cannot
    /// have, or holds a byte that may not stand where it does.
    pub fn decode(payload: &Bytes, bytes_max: usize) -> Result<(Self, Bytes), HeadError> {
        let mut reader = Reader {
            input: payload,
            position: 0,
            bytes_max,
        };
        let offset = reader.position;
        let number = reader.number(Part::Status)?;
        let status = u16::try_from(number)
            .ok()
            .and_then(Status::new)
            .ok_or(HeadError::Status {
                offset,
                status: number,
            })?;
        let fields = reader.fields(payload)?;
        Ok((Self { status, fields }, payload.slice(reader.position..)))
    }
}

/// A scheme begins with a letter (RFC 3986, section 3.1).
fn check_scheme(input: &[u8], scheme: &Range<usize>) -> Result<(), HeadError> {
    let (offset, byte) = (scheme.start, input[scheme.start]);
    if byte.is_ascii_lowercase() {
        return Ok(());
    }
    Err(HeadError::Byte {
        part: Part::Scheme,
        offset,
        byte,
    })
}

struct Reader<'a> {
    input: &'a [u8],
    position: usize,
    bytes_max: usize,
}

impl<'a> Reader<'a> {
    fn number(&mut self, part: Part) -> Result<u64, HeadError> {
        let offset = self.position;
        let (number, bytes) =
            varint::get(&self.input[offset..]).ok_or(HeadError::NumberCut { part, offset })?;
        self.position += bytes;
        self.check_length()?;
        Ok(number)
    }

    /// A length and that many bytes.
    fn part(&mut self, part: Part) -> Result<Range<usize>, HeadError> {
        let length = self.number(part)?;
        let offset = self.position;
        let available = self.input.len() - offset;
        let bytes = match usize::try_from(length) {
            Ok(bytes) if bytes <= available => bytes,
            Ok(_) | Err(_) => {
                return Err(HeadError::PastEnd {
                    part,
                    offset,
                    length,
                    available,
                });
            }
        };
        self.position += bytes;
        self.check_length()?;
        Ok(offset..self.position)
    }

    fn check_length(&self) -> Result<(), HeadError> {
        if self.position > self.bytes_max {
            return Err(HeadError::TooLong {
                bytes: self.position,
                bytes_max: self.bytes_max,
            });
        }
        Ok(())
    }

    /// A part whose bytes are all `allowed`.
    fn text(&mut self, part: Part, allowed: Class) -> Result<Range<usize>, HeadError> {
        let range = self.part(part)?;
        match allowed.first_other(&self.input[range.clone()]) {
            Some(at) => {
                let offset = range.start + at;
                Err(HeadError::Byte {
                    part,
                    offset,
                    byte: self.input[offset],
                })
            }
            None => Ok(range),
        }
    }

    /// A part that is not empty and whose bytes are all `allowed`.
    fn required(&mut self, part: Part, allowed: Class) -> Result<Range<usize>, HeadError> {
        let range = self.text(part, allowed)?;
        if range.is_empty() {
            return Err(HeadError::Empty {
                part,
                offset: range.start,
            });
        }
        Ok(range)
    }

    /// The field section of `payload`, which is the whole of this reader's input.
    fn fields(&mut self, payload: &Bytes) -> Result<Fields, HeadError> {
        let section = self.part(Part::FieldSection)?;
        let mut inside = Reader {
            input: &self.input[..section.end],
            position: section.start,
            bytes_max: self.bytes_max,
        };
        let mut count = 0;
        while inside.position < section.end {
            if count == FIELDS_MAX {
                return Err(HeadError::TooManyFields {
                    offset: inside.position,
                });
            }
            inside.field()?;
            count += 1;
        }
        Ok(Fields::checked(payload.slice(section), count))
    }

    fn field(&mut self) -> Result<(), HeadError> {
        self.required(Part::FieldName, Class::NAME)?;
        let value = self.text(Part::FieldValue, Class::VALUE)?;
        let offset = value.start;
        let value: &'a [u8] = &self.input[value];
        if grammar::trimmed(value).len() != value.len() {
            return Err(HeadError::Blank { offset });
        }
        Ok(())
    }
}
