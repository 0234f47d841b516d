//! Secrets that let somebody in: workers' tokens and admin keys. Never shown, never logged, and
//! compared in constant time.

use std::fmt;

use subtle::{Choice, ConstantTimeEq};

/// The scheme of an `Authorization` header that brings a token (RFC 6750, section 2.1).
const BEARER: &[u8] = b"bearer ";

/// One secret.
#[derive(Clone)]
struct Token(Box<[u8]>);

/// The secrets any one of which lets its bearer in.
#[derive(Clone, Default)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// The secrets to accept. Empty ones are left out: they would let everybody in.
    #[must_use]
    pub fn new(tokens: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let tokens = tokens
            .into_iter()
            .map(Into::into)
            .filter(|token| !token.is_empty());
        Self(
            tokens
                .map(|token| Token(token.into_bytes().into()))
                .collect(),
        )
    }

    /// Whether there are none, so that nobody can be accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `presented` is one of the secrets.
    ///
    /// How long this takes tells nothing of the secrets but their lengths and their number: every
    /// one is compared, whichever matches.
    #[must_use]
    pub fn accept(&self, presented: &[u8]) -> bool {
        let matches = self.0.iter().map(|token| token.0.ct_eq(presented));
        matches.fold(Choice::from(0), |any, one| any | one).into()
    }

    /// Whether an `Authorization` header brings one of the secrets as a bearer token.
    #[must_use]
    pub fn accept_bearer(&self, authorization: &[u8]) -> bool {
        let Some((scheme, token)) = authorization.split_at_checked(BEARER.len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(BEARER) && self.accept(token.trim_ascii())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} redacted]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_secrets_is_accepted_and_nothing_else() {
        let tokens = Tokens::new(["first", "second"]);
        assert!(tokens.accept(b"first") && tokens.accept(b"second"));
        for wrong in [b"".as_slice(), b"firs", b"firstx", b"third"] {
            assert!(!tokens.accept(wrong));
        }
    }

    #[test]
    fn a_bearer_token_is_read_from_its_header() {
        let tokens = Tokens::new(["secret"]);
        assert!(tokens.accept_bearer(b"Bearer secret"));
        assert!(tokens.accept_bearer(b"bearer  secret "));
        for wrong in [
            b"secret".as_slice(),
            b"Basic secret",
            b"Bearer",
            b"Bearer ",
            b"",
        ] {
            assert!(!tokens.accept_bearer(wrong));
        }
    }

    #[test]
    fn no_secret_or_an_empty_one_lets_nobody_in() {
        assert!(!Tokens::default().accept(b""));
        assert!(Tokens::new([""]).is_empty());
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Tokens::new(["secret"])), "[1 redacted]");
    }
}
