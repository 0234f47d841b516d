//! Which bytes the parts of a head may hold. Stricter than HTTP asks for where leniency would let
//! two readers of one message disagree.

/// A class of bytes, looked up in a table: heads are checked byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u8);

impl Class {
    /// What [`is_token`] allows.
    pub const TOKEN: Self = Self(1 << 0);
    /// What [`is_name`] allows.
    pub const NAME: Self = Self(1 << 1);
    /// What [`is_value`] allows.
    pub const VALUE: Self = Self(1 << 2);
    /// What [`is_scheme`] allows.
    pub const SCHEME: Self = Self(1 << 3);
    /// What [`is_authority`] allows.
    pub const AUTHORITY: Self = Self(1 << 4);
    /// What [`is_path`] allows.
    pub const PATH: Self = Self(1 << 5);

    /// Where the first byte stands that does not belong to it.
    #[must_use]
    pub fn first_other(self, bytes: &[u8]) -> Option<usize> {
        let other = |byte: &u8| CLASSES[usize::from(*byte)] & self.0 == 0;
        bytes.iter().position(other)
    }

    /// Whether all `bytes` belong to it.
    #[must_use]
    pub fn has_all(self, bytes: &[u8]) -> bool {
        self.first_other(bytes).is_none()
    }

    const fn when(self, allowed: bool) -> u8 {
        if allowed { self.0 } else { 0 }
    }
}

/// The classes of each byte.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = u8::MAX;
    loop {
        classes[byte as usize] = Class::TOKEN.when(is_token(byte))
            | Class::NAME.when(is_name(byte))
            | Class::VALUE.when(is_value(byte))
            | Class::SCHEME.when(is_scheme(byte))
            | Class::AUTHORITY.when(is_authority(byte))
            | Class::PATH.when(is_path(byte));
        if byte == 0 {
            break classes;
        }
        byte -= 1;
    }
};

/// Whether `byte` may stand in a method: a token character (RFC 9110, section 5.6.2).
#[must_use]
pub const fn is_token(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
            | b'|' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
    )
}

/// Whether `byte` may stand in a field name: a token character that is no capital (RFC 9113,
/// section 8.2.1, which RFC 9292 adopts).
#[must_use]
pub const fn is_name(byte: u8) -> bool {
    is_token(byte) && !byte.is_ascii_uppercase()
}

/// Whether `byte` may stand in a field value: visible, blank, tab, or above ASCII. No control
/// character, although RFC 9110 lets a recipient keep some.
#[must_use]
pub const fn is_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Whether `byte` may stand in a scheme (RFC 3986, section 3.1), in lower case.
#[must_use]
pub const fn is_scheme(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.')
}

/// Whether `byte` may stand in an authority. No `@`: user information has no place in a request
/// (RFC 9110, section 4.2.4). Nothing that begins a path, a query or a fragment.
#[must_use]
pub const fn is_authority(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'@')
}

/// Whether `byte` may stand in a path and query. No `#`: a fragment is never sent, and a reader
/// that cuts one off would see another path.
#[must_use]
pub const fn is_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}

/// Whether `byte` is white space that does not belong to the value it surrounds (RFC 9110,
/// section 5.5).
#[must_use]
pub const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether `name` is a field name: a token in lower case.
#[must_use]
pub fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && Class::NAME.has_all(name)
}

/// `value` without the white space around it.
#[must_use]
pub fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = value
        && is_blank(*first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && is_blank(*last)
    {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_every_byte_but_control_characters() {
        let refused: Vec<u8> = (0..=255).filter(|byte| !is_value(*byte)).collect();
        let controls: Vec<u8> = (0..=8).chain(10..=31).chain([127]).collect();
        assert_eq!(refused, controls);
    }

    #[test]
    fn a_name_is_a_token_in_lower_case() {
        assert!(is_field_name(b"x-forwarded-for"));
        for name in [&b""[..], b"X-Request", b":path", b"a b", b"caf\xe9", b"a\r"] {
            assert!(!is_field_name(name), "{name:?}");
        }
    }

    #[test]
    fn only_blanks_and_tabs_around_a_value_are_trimmed() {
        assert_eq!(trimmed(b" \t a b\t "), b"a b");
        assert_eq!(trimmed(b" \t "), b"");
        assert_eq!(trimmed(b"\na"), b"\na");
    }
}
