//! The frames of a websocket (RFC 6455, section 5): walked past in the bytes of a tunnel, and read
//! as messages from a worker. Knows no extension.
//!
//! [`Walker`] never keeps, checks or changes what the frames carry; [`reader`] puts it together.

use bytes::{Bytes, BytesMut};

use self::head::{HEAD_BYTES_MAX, Head, Opcode};

pub mod head;
pub mod mask;
pub mod reader;

/// The bits of a frame's first byte.
const FINAL: u8 = 0x80;
const OPCODE: u8 = 0x0f;

/// The bits of a frame's second byte.
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;

/// The bytes of a mask.
const MASK_BYTES: usize = 4;

/// The most bytes of the words that a Close frame carries (RFC 6455, section 5.5, less the code).
const CLOSE_WORDS_BYTES_MAX: usize = 123;

/// Follows the frames of one direction of a websocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walker {
    place: Place,
    closed: bool,
}

/// Where in a frame the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before a frame.
    #[default]
    Boundary,
    /// Behind the first byte.
    Second,
    /// In a length of several bytes, of which so many are still to come.
    Length { left: u8, mask: u64, length: u64 },
    /// In the mask and the payload, of which so many bytes are still to come.
    Rest(u64),
}

impl Walker {
    /// A walker at the beginning of a websocket.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            place: Place::Boundary,
            closed: false,
        }
    }

    /// Whether the bytes so far are whole frames, so that a frame may follow that is not part of
    /// them. Between the fragments of a message that may be a control frame only.
    #[must_use]
    pub const fn is_at_boundary(&self) -> bool {
        matches!(self.place, Place::Boundary)
    }

    /// Whether a Close frame has begun.
    #[must_use]
    pub const fn has_closed(&self) -> bool {
        self.closed
    }

    /// Goes past `bytes`. What follows a Close frame means nothing, and is walked like everything
    /// else.
    pub fn walk(&mut self, mut bytes: &[u8]) {
        while let Some((first, behind)) = bytes.split_first() {
            (self.place, bytes) = match self.place {
                Place::Boundary => {
                    self.closed |= first & OPCODE == Opcode::Close as u8;
                    (Place::Second, behind)
                }
                Place::Second => (after_second(*first), behind),
                Place::Length { left, mask, length } => {
                    let length = length << 8 | u64::from(*first);
                    let place = match left - 1 {
                        0 => rest(mask, length),
                        left => Place::Length { left, mask, length },
                    };
                    (place, behind)
                }
                Place::Rest(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    (whole_or_rest(left - here as u64), &bytes[here..])
                }
            };
        }
    }
}

fn after_second(second: u8) -> Place {
    let mask = if second & MASKED == 0 {
        0
    } else {
        MASK_BYTES as u64
    };
    let long = |left| Place::Length {
        left,
        mask,
        length: 0,
    };
    match second & LENGTH {
        126 => long(2),
        127 => long(8),
        length => rest(mask, length.into()),
    }
}

fn rest(mask: u64, length: u64) -> Place {
    whole_or_rest(length.saturating_add(mask))
}

fn whole_or_rest(left: u64) -> Place {
    match left {
        0 => Place::Boundary,
        left => Place::Rest(left),
    }
}

/// The payload of a Close frame: a code and words, of which at most 123 bytes are kept.
#[must_use]
pub fn close_payload(code: u16, words: &str) -> Bytes {
    let words = &words[..words.floor_char_boundary(CLOSE_WORDS_BYTES_MAX)];
    [&code.to_be_bytes(), words.as_bytes()].concat().into()
}

/// A Close frame as a server sends it: unmasked, with [`close_payload`].
#[must_use]
pub fn close_frame(code: u16, words: &str) -> Bytes {
    let payload = close_payload(code, words);
    let mut frame = BytesMut::with_capacity(HEAD_BYTES_MAX + payload.len());
    Head::whole(Opcode::Close, None, payload.len()).write(&mut frame);
    frame.extend_from_slice(&payload);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame with a header of the shortest form, or a longer one.
    fn frame(opcode: u8, masked: bool, length: usize) -> Vec<u8> {
        let mask_bit = if masked { MASKED } else { 0 };
        let mut frame = vec![FINAL | opcode];
        match u16::try_from(length) {
            Ok(length @ 0..=125) => frame.push(mask_bit | length as u8),
            Ok(length) => {
                frame.push(mask_bit | 126);
                frame.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => {
                frame.push(mask_bit | 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        // Bytes that would be Close frames, were they taken for headers.
        frame.resize(frame.len() + length + if masked { 4 } else { 0 }, 0x88);
        frame
    }

    #[test]
    fn the_end_of_every_frame_is_a_boundary_and_nothing_else_is() {
        for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000] {
            for masked in [false, true] {
                let frame = frame(2, masked, length);
                let mut walker = Walker::new();
                for (at, byte) in frame.iter().enumerate() {
                    assert!(at == 0 || !walker.is_at_boundary(), "{length} at {at}");
                    walker.walk(&[*byte]);
                }
                assert!(walker.is_at_boundary(), "{length}");
                let mut walker = Walker::new();
                walker.walk(&[&frame[..], &frame[..], &frame[..1]].concat());
                assert!(!walker.is_at_boundary());
                walker.walk(&frame[1..]);
                assert!(walker.is_at_boundary() && !walker.has_closed());
            }
        }
    }

    #[test]
    fn a_close_is_noted_by_its_header_alone() {
        let mut walker = Walker::new();
        walker.walk(&frame(1, false, 300));
        walker.walk(&frame(9, false, 5));
        assert!(!walker.has_closed());
        walker.walk(&frame(8, false, 2)[..1]);
        assert!(walker.has_closed() && !walker.is_at_boundary());
    }

    #[test]
    fn a_length_beyond_all_memory_is_never_walked_past() {
        let mut walker = Walker::new();
        walker.walk(&[FINAL | 2, MASKED | 127]);
        walker.walk(&[0xff; 8]);
        walker.walk(&[0; 4096]);
        assert!(!walker.is_at_boundary());
    }

    #[test]
    fn a_close_frame_is_one_frame_whatever_its_words() {
        assert_eq!(close_frame(1012, "x"), &b"\x88\x03\x03\xf4x"[..]);
        let long = close_frame(1012, &"\u{e9}".repeat(200));
        let mut walker = Walker::new();
        walker.walk(&long);
        assert!(walker.is_at_boundary() && walker.has_closed() && long.len() <= 127);
        assert!(str::from_utf8(&long[4..]).is_ok());
    }
}
