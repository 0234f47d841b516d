//! The heads of requests and responses, as Binary HTTP writes them (RFC 9292): control data and
//! a field section of known length, without the framing indicator and without the content, which
//! the frame around them carries.
//!
//! ```text
//! request:  method, scheme, authority, path      each a length and its bytes
//!           length of the fields, then for each: name length, name, value length, value
//! response: status
//!           length of the fields, then the same
//! ```
//!
//! All numbers are QUIC's variable-length integers (RFC 9000, section 16). A field value is bytes
//! and stays bytes. [`encode::HeadEncoder`] writes straight into an outgoing buffer; a decoded head is a
//! slice of what came in. Nothing here interprets a field, and nothing is repaired on reading:
//! what two readers could take differently is refused.

use std::fmt;

use bytes::Bytes;

use self::field::Fields;

mod decode;
pub mod encode;
pub mod error;
pub mod field;
pub mod grammar;
#[cfg(test)]
mod tests;

/// The longest head by default, in bytes, without the content behind it.
pub const HEAD_BYTES_MAX: usize = 128 * 1024;

/// The most fields of a head. HTTP servers in use take about a hundred from a client; the rest is
/// for what is added on the way.
pub const FIELDS_MAX: usize = 256;

/// The status of a response: 200 to 599, or 101 for a change of protocol. Other interim answers
/// are not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(u16);

impl Status {
    /// The status with this number; `None` when a response cannot have it.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            101 | 200..=599 => Some(Self(number)),
            _ => None,
        }
    }

    /// The status' number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a request's head says before its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method, an RFC 9110 token, its case kept.
    pub method: &'a str,
    /// The scheme the client used: `http` or `https`, in lower case.
    pub scheme: &'a str,
    /// The host and port the client asked for; empty when it named none.
    pub authority: &'a str,
    /// The raw path and query; `*` for a request about the server itself.
    pub path: &'a str,
}

/// A request's head, checked; its parts are slices of what came in, and keep that alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    method: Ascii,
    scheme: Ascii,
    authority: Ascii,
    path: Ascii,
    fields: Fields,
}

impl RequestHead {
    /// The method, its case kept.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The scheme the client used, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// The host and port the client asked for; empty when it named none.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The raw path and query: begins with a slash, or is `*`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// The same without copying it, for those that keep it.
    #[must_use]
    pub fn path_bytes(&self) -> &Bytes {
        &self.path.0
    }

    /// The header fields, in their order.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// A response's head, checked; its fields are slices of what came in, and keep that alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    status: Status,
    fields: Fields,
}

impl ResponseHead {
    /// The status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The header fields, in their order.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// Bytes that were checked to be ASCII.
#[derive(Clone, PartialEq, Eq)]
struct Ascii(Bytes);

impl Ascii {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked to be ASCII when it was decoded")
    }
}

impl fmt::Debug for Ascii {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}
