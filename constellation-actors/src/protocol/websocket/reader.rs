//! Messages out of masked frames (RFC 6455, section 5), as a server reads them from its client.
//! Never answers, and never looks into a payload.
//!
//! A payload is unmasked while it is copied to where it stays: one pass over it, into memory of
//! just its size.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    head::{HEAD_BYTES_MAX, Head, HeadError, Opcode},
    mask::Mask,
};

/// A whole message, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, which is not checked to be UTF-8.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
    /// A question whether this side is there, to be answered with a pong of the same payload.
    Ping(Bytes),
    /// The answer to a ping.
    Pong,
    /// The end. What it says is not read.
    Close,
}

/// Why the bytes of a connection cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The head of a frame means nothing.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// A client has to mask what it sends.
    #[error("a frame is not masked")]
    Unmasked,
    /// A fragment goes on with a message that did not begin.
    #[error("a fragment follows no other")]
    NothingToContinue,
    /// A message begins before the last fragment of the one before.
    #[error("a message begins inside another")]
    InsideAnother,
    /// A message is longer than it may be.
    #[error("a message is longer than {bytes_max} bytes")]
    TooLong {
        /// The most bytes of a message.
        bytes_max: usize,
    },
}

/// Reads what one client sends.
#[derive(Debug)]
pub struct Reader {
    bytes_max: usize,
    place: Place,
    /// The fragments so far of a message whose last one has not come.
    begun: Option<Begun>,
}

/// Where the next byte belongs to.
#[derive(Debug)]
enum Place {
    /// A frame's head, whose first bytes are here.
    Head {
        bytes: [u8; HEAD_BYTES_MAX],
        length: usize,
    },
    /// A payload.
    Payload(Payload),
    /// Behind what cannot be read.
    Broken(ReadError),
}

/// The payload of a frame, behind that of the fragments before it.
#[derive(Debug)]
struct Payload {
    head: Head,
    mask: Mask,
    left: usize,
    bytes: BytesMut,
}

#[derive(Debug)]
struct Begun {
    opcode: Opcode,
    bytes: BytesMut,
}

impl Reader {
    /// A reader of messages of at most `bytes_max`, at the beginning of a websocket.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            place: Place::between_frames(),
            begun: None,
        }
    }

    /// Takes `input` until it holds no more or a message has come completely.
    ///
    /// # Errors
    ///
    /// When the peer broke the rules, or a message is too long. Every later call gives the same error.
    pub fn read(&mut self, input: &mut Bytes) -> Result<Option<Message>, ReadError> {
        let read = self.read_on(input);
        if let Err(error) = read {
            self.place = Place::Broken(error);
        }
        read
    }

    fn read_on(&mut self, input: &mut Bytes) -> Result<Option<Message>, ReadError> {
        loop {
            match &mut self.place {
                Place::Head { bytes, length } => {
                    let Some(head) = read_head(bytes, length, input)? else {
                        return Ok(None);
                    };
                    self.place = Place::Payload(self.begin(head)?);
                }
                Place::Payload(payload) => {
                    payload.take(input);
                    if payload.left > 0 {
                        return Ok(None);
                    }
                    let place = std::mem::replace(&mut self.place, Place::between_frames());
                    if let Place::Payload(payload) = place
                        && let Some(message) = self.finish(payload)
                    {
                        return Ok(Some(message));
                    }
                }
                Place::Broken(error) => return Err(*error),
            }
        }
    }

    fn begin(&mut self, head: Head) -> Result<Payload, ReadError> {
        let mask = Mask::new(head.mask.ok_or(ReadError::Unmasked)?);
        let mut bytes = match (head.opcode, &mut self.begun) {
            (Opcode::Continuation, None) => return Err(ReadError::NothingToContinue),
            (Opcode::Continuation, Some(begun)) => std::mem::take(&mut begun.bytes),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(ReadError::InsideAnother),
            _ => BytesMut::new(),
        };
        let room = self.bytes_max - bytes.len();
        let length = usize::try_from(head.length).ok();
        let left = length
            .filter(|length| *length <= room)
            .ok_or(ReadError::TooLong {
                bytes_max: self.bytes_max,
            })?;
        bytes.reserve(left);
        Ok(Payload {
            head,
            mask,
            left,
            bytes,
        })
    }

    /// The message that a frame is, or is the last part of.
    fn finish(&mut self, Payload { head, bytes, .. }: Payload) -> Option<Message> {
        let opcode = match (head.opcode, &mut self.begun) {
            (Opcode::Continuation, Some(begun)) if !head.last => {
                begun.bytes = bytes;
                return None;
            }
            (opcode, _) if !head.last => {
                self.begun = Some(Begun { opcode, bytes });
                return None;
            }
            (Opcode::Continuation, begun) => begun.take()?.opcode,
            (opcode, _) => opcode,
        };
        Some(match opcode {
            Opcode::Text => Message::Text(bytes.freeze()),
            Opcode::Binary => Message::Binary(bytes.freeze()),
            Opcode::Ping => Message::Ping(bytes.freeze()),
            Opcode::Pong => Message::Pong,
            Opcode::Close => Message::Close,
            Opcode::Continuation => unreachable!("a message begins with another opcode"),
        })
    }
}

impl Place {
    const fn between_frames() -> Self {
        Self::Head {
            bytes: [0; HEAD_BYTES_MAX],
            length: 0,
        }
    }
}

impl Payload {
    fn take(&mut self, input: &mut Bytes) {
        let here = self.left.min(input.len());
        self.mask.copy(&input[..here], &mut self.bytes);
        input.advance(here);
        self.left -= here;
    }
}

/// Reads a head from `input`, behind what came of it before; what does not make a whole head is kept.
fn read_head(
    before: &mut [u8; HEAD_BYTES_MAX],
    length: &mut usize,
    input: &mut Bytes,
) -> Result<Option<Head>, HeadError> {
    if *length == 0
        && let Some((head, bytes)) = Head::read(input)?
    {
        input.advance(bytes);
        return Ok(Some(head));
    }
    while !input.is_empty() {
        before[*length] = input.get_u8();
        *length += 1;
        if let Some((head, _)) = Head::read(&before[..*length])? {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0xa1, 0x02, 0xc3, 0x04];

    fn frame(last: bool, opcode: Opcode, payload: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::new();
        let head = Head {
            last,
            ..Head::whole(opcode, Some(KEY), payload.len())
        };
        head.write(&mut bytes);
        Mask::new(KEY).copy(payload, &mut bytes);
        bytes
    }

    /// What is read when the bytes come in pieces of `piece`. After an error more bytes change nothing.
    fn read(bytes: &[u8], piece: usize) -> Result<Vec<Message>, ReadError> {
        let mut reader = Reader::new(1000);
        let mut messages = Vec::new();
        for piece in bytes.chunks(piece) {
            let mut input = Bytes::copy_from_slice(piece);
            loop {
                match reader.read(&mut input) {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(error) => {
                        for _ in 0..2 * HEAD_BYTES_MAX {
                            let again = reader.read(&mut Bytes::from_static(b"\x82"));
                            assert_eq!(again, Err(error));
                        }
                        return Err(error);
                    }
                }
            }
            assert!(input.is_empty());
        }
        Ok(messages)
    }

    #[test]
    fn messages_are_whole_however_their_bytes_come() {
        let long = vec![7; 700];
        let bytes = [
            frame(true, Opcode::Binary, b"one"),
            frame(false, Opcode::Text, b"in "),
            frame(true, Opcode::Ping, b"?"),
            frame(false, Opcode::Continuation, b""),
            frame(true, Opcode::Pong, b"!"),
            frame(true, Opcode::Continuation, b"parts"),
            frame(true, Opcode::Binary, b""),
            frame(true, Opcode::Binary, &long),
            frame(true, Opcode::Close, &[3, 232]),
        ]
        .concat();
        let expected = [
            Message::Binary(Bytes::from_static(b"one")),
            Message::Ping(Bytes::from_static(b"?")),
            Message::Pong,
            Message::Text(Bytes::from_static(b"in parts")),
            Message::Binary(Bytes::new()),
            Message::Binary(Bytes::from(long)),
            Message::Close,
        ];
        for piece in [1, 2, 3, 5, 64, bytes.len()] {
            assert_eq!(read(&bytes, piece).as_deref(), Ok(&expected[..]), "{piece}");
        }
    }

    #[test]
    fn a_message_has_at_most_so_many_bytes_in_all_its_fragments() {
        let whole = frame(true, Opcode::Binary, &[0; 1000]);
        assert_eq!(read(&whole, 99).map(|messages| messages.len()), Ok(1));
        let too_long = Err(ReadError::TooLong { bytes_max: 1000 });
        assert_eq!(read(&frame(true, Opcode::Binary, &[0; 1001]), 99), too_long);
        let fragments = [
            frame(false, Opcode::Binary, &[0; 600]),
            frame(true, Opcode::Continuation, &[0; 401]),
        ];
        assert_eq!(read(&fragments.concat(), 99), too_long);
    }

    #[test]
    fn a_length_that_is_too_long_is_refused_before_any_of_it_comes() {
        let mut bytes = BytesMut::new();
        let head = Head {
            length: u64::MAX,
            ..Head::whole(Opcode::Binary, Some(KEY), 0)
        };
        head.write(&mut bytes);
        for piece in [1, bytes.len()] {
            let refused = read(&bytes, piece);
            assert_eq!(refused, Err(ReadError::TooLong { bytes_max: 1000 }));
        }
    }

    #[test]
    fn what_no_client_may_send_is_refused() {
        let mut unmasked = BytesMut::new();
        Head::whole(Opcode::Binary, None, 0).write(&mut unmasked);
        assert_eq!(read(&unmasked, 1), Err(ReadError::Unmasked));
        let alone = frame(true, Opcode::Continuation, b"");
        assert_eq!(read(&alone, 1), Err(ReadError::NothingToContinue));
        let inside = [
            frame(false, Opcode::Binary, b""),
            frame(true, Opcode::Text, b""),
        ];
        assert_eq!(read(&inside.concat(), 1), Err(ReadError::InsideAnother));
        let reserved = HeadError::Reserved { first: 0xf2 };
        assert_eq!(read(&[0xf2, 0], 2), Err(ReadError::Head(reserved)));
    }
}
