//! A secret: an admin key or a worker's token. It never shows itself in a log or a message.

use std::fmt;

/// Bytes of randomness in a generated key.
const KEY_BYTES: usize = 32;

/// What a secret shows instead of itself.
pub(crate) const REDACTED: &str = "(redacted)";

/// An admin key or a worker's token. Compare it in constant time only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Box<str>);

impl Secret {
    /// Takes a text that was checked as a secret.
    pub(crate) fn new(text: String) -> Self {
        Self(text.into_boxed_str())
    }

    /// A new random key: 32 bytes from the operating system, as 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// When the operating system has no randomness to give.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        use fmt::Write as _;

        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes)?;
        let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").expect("a String takes everything");
            digits
        });
        Ok(Self::new(digits))
    }

    /// The secret itself, for comparing, storing and the one time it is shown.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_64_digits_and_never_the_same() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 64);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(
            format!("{:?}", Some(Secret::new("hunter2".into()))),
            "Some((redacted))"
        );
    }
}
