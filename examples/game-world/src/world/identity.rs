//! Who a player is: a key that only the player knows, a name for people, and a number that everyone
//! sees.

use std::fmt;

/// The most characters of a name.
pub(crate) const NAME_CHARACTERS_MAX: usize = 20;

/// What a player is called by everyone in a world. Never used twice there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlayerNumber(u32);

impl PlayerNumber {
    pub(super) const FIRST: Self = Self(1);

    pub(super) const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub(crate) const fn get(self) -> u32 {
        self.0
    }

    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// By what a player is recognised when coming back. Nobody else gets to know it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlayerKey(u128);

impl PlayerKey {
    /// A key from its 32 hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok();
        number.filter(|_| digits).map(Self)
    }

    /// Its digits.
    pub(crate) fn to_digits(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl fmt::Debug for PlayerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PlayerKey(hidden)")
    }
}

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {NAME_CHARACTERS_MAX} characters, none of which is a control character")]
pub(crate) struct NameError;

/// A name for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlayerName(String);

impl PlayerName {
    /// A name, without the blanks around it.
    ///
    /// # Errors
    ///
    /// When nothing is left, or too much, or it holds what cannot be shown.
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        let characters = name.chars().count();
        let shows = !name.chars().any(char::is_control);
        if shows && (1..=NAME_CHARACTERS_MAX).contains(&characters) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NameError)
        }
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_hexadecimal_digits_and_is_not_printed() {
        let digits = "00112233445566778899aabbccddeeff";
        let key = PlayerKey::parse(digits).unwrap();
        assert_eq!(key.to_digits(), digits);
        assert!(!format!("{key:?}").contains("2233"));
        for text in ["", "0", &digits[1..], "+0112233445566778899aabbccddeeff"] {
            assert_eq!(PlayerKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_short_and_can_be_shown() {
        assert_eq!(PlayerName::parse("  Ann ").unwrap().as_str(), "Ann");
        assert!(PlayerName::parse(&"\u{e9}".repeat(20)).is_ok());
        for text in ["", "   ", "a\nb", &"x".repeat(21)] {
            assert_eq!(PlayerName::parse(text), Err(NameError), "{text:?}");
        }
    }
}
