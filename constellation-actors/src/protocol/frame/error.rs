//! Why a message cannot be read: what is wrong, and where.

use super::{FrameType, HEADER_BYTES, StreamId};
use crate::placement::key::KeyError;

/// Why a message cannot be read. `offset` is where in the message the frame begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The message is longer than allowed.
    #[error("a message has at most {bytes_max} bytes, this one has {bytes}")]
    MessageTooLong {
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// The message ends inside a frame's header.
    #[error("the header at offset {offset} needs {HEADER_BYTES} bytes, {available} are left")]
    HeaderCut {
        /// Where the frame begins.
        offset: usize,
        /// The bytes that are left from there.
        available: usize,
    },
    /// A payload runs past the message.
    #[error("the payload of the frame at offset {offset} has {length} bytes, {available} are left")]
    PayloadCut {
        /// Where the frame begins.
        offset: usize,
        /// The payload's length by the header.
        length: u32,
        /// The bytes that are left after the header.
        available: usize,
    },
    /// A payload is shorter or longer than its type allows.
    #[error(
        "the payload of the {frame_type} at offset {offset} has {length} bytes, \
         allowed are {bytes_min} to {bytes_max}"
    )]
    PayloadLength {
        /// Where the frame begins.
        offset: usize,
        /// The frame's type.
        frame_type: FrameType,
        /// The payload's length.
        length: usize,
        /// The shortest allowed.
        bytes_min: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// A frame of an exchange names none.
    #[error("the {frame_type} at offset {offset} names no exchange")]
    StreamMissing {
        /// Where the frame begins.
        offset: usize,
        /// The frame's type.
        frame_type: FrameType,
    },
    /// A frame of the session names an exchange.
    #[error("the {frame_type} at offset {offset} names exchange {stream} but belongs to none")]
    StreamUnexpected {
        /// Where the frame begins.
        offset: usize,
        /// The frame's type.
        frame_type: FrameType,
        /// The exchange it names.
        stream: StreamId,
    },
    /// A key is not one.
    #[error("the key in the {frame_type} at offset {offset} is refused")]
    Key {
        /// Where the frame begins.
        offset: usize,
        /// The frame's type.
        frame_type: FrameType,
        /// What is wrong with it.
        source: KeyError,
    },
    /// An entry of a HOLDING frame is cut off.
    #[error("the HOLDING at offset {offset} ends inside its entry {entry}")]
    EntryCut {
        /// Where the frame begins.
        offset: usize,
        /// The entry, counted from zero.
        entry: usize,
    },
}
