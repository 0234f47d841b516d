//! Why a head cannot be read: which part, where, and what is wrong with it.

use std::fmt;

use super::FIELDS_MAX;

/// A part of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The request's method.
    Method,
    /// The request's scheme.
    Scheme,
    /// The request's authority.
    Authority,
    /// The request's path and query.
    Path,
    /// The response's status.
    Status,
    /// All fields together.
    FieldSection,
    /// The name of a field.
    FieldName,
    /// The value of a field.
    FieldValue,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Method => "method",
            Self::Scheme => "scheme",
            Self::Authority => "authority",
            Self::Path => "path",
            Self::Status => "status",
            Self::FieldSection => "field section",
            Self::FieldName => "field name",
            Self::FieldValue => "field value",
        })
    }
}

/// Why a head cannot be read. `offset` counts from the head's first byte.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The head is longer than allowed.
    #[error("the head has at least {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// Its length as far as it is known.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// The input ends where a number should be.
    #[error("the input ends at offset {offset}, inside the number for the {part}")]
    NumberCut {
        /// What the number is for.
        part: Part,
        /// Where the number begins.
        offset: usize,
    },
    /// A length runs past what it is part of.
    #[error("the {part} at offset {offset} has {length} bytes, {available} are left")]
    PastEnd {
        /// The part.
        part: Part,
        /// Where the part begins.
        offset: usize,
        /// Its length by its prefix.
        length: u64,
        /// The bytes that are left.
        available: usize,
    },
    /// A part that must say something is empty.
    #[error("the {part} at offset {offset} is empty")]
    Empty {
        /// The part.
        part: Part,
        /// Where it would begin.
        offset: usize,
    },
    /// A byte that may not stand there.
    #[error("the {part} holds the byte 0x{byte:02x} at offset {offset}")]
    Byte {
        /// The part.
        part: Part,
        /// Where the byte stands.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// A path that begins with something else than a slash, and is not `*`.
    #[error("the path at offset {offset} does not begin with a slash")]
    NoSlash {
        /// Where the path begins.
        offset: usize,
    },
    /// A value with white space at its ends, which is no part of it.
    #[error("the field value at offset {offset} begins or ends with white space")]
    Blank {
        /// Where the value begins.
        offset: usize,
    },
    /// A status that a response cannot have.
    #[error("the status at offset {offset} is {status}, allowed are 101 and 200 to 599")]
    Status {
        /// Where the status begins.
        offset: usize,
        /// The status.
        status: u64,
    },
    /// More fields than allowed.
    #[error("another field begins at offset {offset}, at most {FIELDS_MAX} are allowed")]
    TooManyFields {
        /// Where the first one too many begins.
        offset: usize,
    },
}
