//! The head of a websocket frame (RFC 6455, section 5.2). Never reads what comes behind it.

use bytes::{BufMut, BytesMut};

use super::{FINAL, LENGTH, MASK_BYTES, MASKED, OPCODE};

/// The bits of the first byte that only extensions give a meaning.
const RESERVED: u8 = 0x70;

/// The values of the short length behind which a longer one follows.
const LENGTH_OF_TWO_BYTES: u8 = 126;
const LENGTH_OF_EIGHT_BYTES: u8 = 127;

/// The longest payload of a control frame (RFC 6455, section 5.5).
pub const CONTROL_BYTES_MAX: usize = 125;

/// The bytes of the longest head.
pub const HEAD_BYTES_MAX: usize = 2 + 8 + MASK_BYTES;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation = 0x0,
    /// A message of text, or its first fragment.
    Text = 0x1,
    /// A message of bytes, or its first fragment.
    Binary = 0x2,
    /// The end.
    Close = 0x8,
    /// A question whether the peer is there.
    Ping = 0x9,
    /// The answer to a ping.
    Pong = 0xa,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return None,
        })
    }

    /// Whether it is no message and no part of one, and may stand between the fragments of one.
    #[must_use]
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// What a frame says before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whether no further fragment of the message follows.
    pub last: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// What the payload is masked with.
    pub mask: Option<[u8; MASK_BYTES]>,
    /// The bytes of the payload.
    pub length: u64,
}

/// Why a head means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// A bit is set that an extension would have to give a meaning; there is none.
    #[error("a reserved bit is set in a frame's first byte {first:#04x}")]
    Reserved {
        /// The byte.
        first: u8,
    },
    /// Nothing has this opcode.
    #[error("there is no opcode {opcode:#x}")]
    UnknownOpcode {
        /// The opcode.
        opcode: u8,
    },
    /// A control frame has too long a payload.
    #[error("a control frame has {length} bytes, more than {CONTROL_BYTES_MAX}")]
    ControlTooLong {
        /// The bytes of the payload.
        length: u64,
    },
    /// A control frame is a fragment.
    #[error("a control frame is fragmented")]
    ControlFragmented,
}

impl Head {
    /// The head of a whole message of `length` bytes, or a control frame.
    #[must_use]
    pub const fn whole(opcode: Opcode, mask: Option<[u8; MASK_BYTES]>, length: usize) -> Self {
        Self {
            last: true,
            opcode,
            mask,
            length: length as u64,
        }
    }

    /// The head that `bytes` begin with, and how many bytes it has; `None` when they end before it does.
    ///
    /// # Errors
    ///
    /// When it means nothing.
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeadError> {
        let &[first, second, ref behind @ ..] = bytes else {
            return Ok(None);
        };
        if first & RESERVED != 0 {
            return Err(HeadError::Reserved { first });
        }
        let opcode = first & OPCODE;
        let opcode = Opcode::from_bits(opcode).ok_or(HeadError::UnknownOpcode { opcode })?;
        let (length, behind) = match second & LENGTH {
            LENGTH_OF_TWO_BYTES => match behind.split_first_chunk() {
                Some((length, behind)) => (u16::from_be_bytes(*length).into(), behind),
                None => return Ok(None),
            },
            LENGTH_OF_EIGHT_BYTES => match behind.split_first_chunk() {
                Some((length, behind)) => (u64::from_be_bytes(*length), behind),
                None => return Ok(None),
            },
            length => (length.into(), behind),
        };
        let (mask, behind) = match behind.split_first_chunk() {
            _ if second & MASKED == 0 => (None, behind),
            Some((mask, behind)) => (Some(*mask), behind),
            None => return Ok(None),
        };
        let head = Self {
            last: first & FINAL != 0,
            opcode,
            mask,
            length,
        };
        head.check()?;
        Ok(Some((head, bytes.len() - behind.len())))
    }

    fn check(&self) -> Result<(), HeadError> {
        if !self.opcode.is_control() {
            return Ok(());
        }
        if self.length > CONTROL_BYTES_MAX as u64 {
            return Err(HeadError::ControlTooLong {
                length: self.length,
            });
        }
        if !self.last {
            return Err(HeadError::ControlFragmented);
        }
        Ok(())
    }

    /// Appends the head, its length in the shortest form.
    pub fn write(&self, buffer: &mut BytesMut) {
        let last = if self.last { FINAL } else { 0 };
        buffer.put_u8(last | self.opcode as u8);
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        match self.length {
            length @ 0..=125 => buffer.put_u8(masked | length as u8),
            length @ 126..=0xffff => {
                buffer.put_u8(masked | LENGTH_OF_TWO_BYTES);
                buffer.put_u16(length as u16);
            }
            length => {
                buffer.put_u8(masked | LENGTH_OF_EIGHT_BYTES);
                buffer.put_u64(length);
            }
        }
        if let Some(mask) = self.mask {
            buffer.put_slice(&mask);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: [u64; 9] = [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 1 << 40, u64::MAX];

    fn written(head: Head) -> BytesMut {
        let mut bytes = BytesMut::new();
        head.write(&mut bytes);
        bytes
    }

    #[test]
    fn every_head_is_read_as_it_was_written_and_not_before_its_end() {
        for (length, mask, last) in LENGTHS.into_iter().flat_map(|length| {
            [None, Some([1, 2, 3, 4])]
                .into_iter()
                .flat_map(move |mask| [(length, mask, true), (length, mask, false)])
        }) {
            let head = Head {
                last,
                opcode: Opcode::Binary,
                mask,
                length,
            };
            let mut bytes = written(head);
            let head_bytes = bytes.len();
            assert!(head_bytes <= HEAD_BYTES_MAX);
            for cut in 0..head_bytes {
                assert_eq!(Head::read(&bytes[..cut]), Ok(None), "{head:?}");
            }
            bytes.extend_from_slice(b"payload");
            assert_eq!(Head::read(&bytes), Ok(Some((head, head_bytes))));
        }
    }

    #[test]
    fn a_length_takes_the_fewest_bytes() {
        let bytes = |length| written(Head::whole(Opcode::Text, None, length)).len();
        assert_eq!([125, 126, 0xffff, 0x1_0000].map(bytes), [2, 4, 4, 10]);
    }

    #[test]
    fn what_means_nothing_is_refused_and_named() {
        let read = |bytes: &[u8]| Head::read(bytes).unwrap_err();
        assert_eq!(read(&[0xc2, 0]), HeadError::Reserved { first: 0xc2 });
        assert_eq!(read(&[0x83, 0]), HeadError::UnknownOpcode { opcode: 3 });
        assert_eq!(read(&[0x09, 0]), HeadError::ControlFragmented);
        let long = HeadError::ControlTooLong { length: 126 };
        assert_eq!(read(&[0x8a, 126, 0, 126]), long);
    }
}
