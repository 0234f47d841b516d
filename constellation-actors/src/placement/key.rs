//! The resource key: what is routed on, and what has exactly one owner.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

/// The most bytes a key may have. A request head has at most 128 KiB, a sane path far less.
pub const KEY_BYTES_MAX: usize = 8 * 1024;

/// The resource key of a request: by default its raw path, case-sensitive, undecoded, without
/// the query; what [`KeyRules`](super::key_rules::KeyRules) make of that, where one applies. Cheap to clone; equal and hashed as the string it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey(Arc<str>);

/// Why a text is not a resource key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It does not begin with a slash.
    #[error("a resource key begins with a slash")]
    NoSlash,
    /// It is longer than [`KEY_BYTES_MAX`].
    #[error("a resource key has at most {KEY_BYTES_MAX} bytes, this one has {bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It holds a byte that is not printable ASCII.
    #[error("a resource key is printable ASCII, but byte {at} is 0x{byte:02x}")]
    Unprintable {
        /// Where the byte stands.
        at: usize,
        /// The byte.
        byte: u8,
    },
}

impl ResourceKey {
    /// Checks `text` and takes it as a key.
    ///
    /// # Errors
    ///
    /// When it does not begin with `/`, is longer than [`KEY_BYTES_MAX`], or is not printable
    /// ASCII (0x21 to 0x7e), which is all that a path may hold (RFC 3986, section 3.3).
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::check(text).map(|()| Self(text.into()))
    }

    /// Whether `text` would be a key.
    pub(super) fn check(text: &str) -> Result<(), KeyError> {
        if !text.starts_with('/') {
            return Err(KeyError::NoSlash);
        }
        if text.len() > KEY_BYTES_MAX {
            return Err(KeyError::TooLong { bytes: text.len() });
        }
        match text
            .bytes()
            .enumerate()
            .find(|(_, byte)| !byte.is_ascii_graphic())
        {
            Some((at, byte)) => Err(KeyError::Unprintable { at, byte }),
            None => Ok(()),
        }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for ResourceKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ResourceKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_every_byte_of_its_path() {
        let path = "//db/a%2Fb;v=1/~'()*|\"{}";
        assert_eq!(ResourceKey::parse(path).unwrap().as_str(), path);
    }

    #[test]
    fn a_key_is_refused_with_the_place_of_its_fault() {
        assert_eq!(ResourceKey::parse("db"), Err(KeyError::NoSlash));
        assert_eq!(
            ResourceKey::parse("/a b"),
            Err(KeyError::Unprintable { at: 2, byte: b' ' })
        );
        let long = format!("/{}", "x".repeat(KEY_BYTES_MAX));
        assert_eq!(
            ResourceKey::parse(&long),
            Err(KeyError::TooLong {
                bytes: KEY_BYTES_MAX + 1
            })
        );
    }
}
