//! The name of a world: a segment of its path, and the name of its folder.

/// The most characters of a name.
const CHARACTERS_MAX: usize = 32;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a world's name is 1 to {CHARACTERS_MAX} of a-z, 0-9 and -")]
pub(crate) struct NameError;

/// A name that cannot lead anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorldName(String);

impl WorldName {
    /// The name in this text.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, NameError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError)
        }
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The state at which chance begins in a new world of this name (FNV-1a).
    pub(crate) fn seed(&self) -> u64 {
        self.0.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_harmless_segment() {
        assert!(WorldName::parse("meadow-2").is_ok());
        for text in ["", ".", "..", "a/b", "A", "a b", "%2e", &"x".repeat(33)] {
            assert_eq!(WorldName::parse(text), Err(NameError), "{text:?}");
        }
        let seed = |text| WorldName::parse(text).unwrap().seed();
        assert_ne!(seed("meadow"), seed("desert"));
    }
}
