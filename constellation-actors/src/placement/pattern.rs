//! Path patterns: which keys a worker serves.

use std::fmt;

use super::segment::{self, Misplaced, Segment};

/// A pattern over the segments of a key: a literal segment matches itself, `*` any one segment,
/// and a closing `**` whatever follows, nothing included.
///
/// Segments are compared as raw bytes, like keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: Box<str>,
}

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It does not begin with a slash.
    #[error("pattern {pattern:?} does not begin with a slash")]
    NoSlash {
        /// The text.
        pattern: String,
    },
    /// `**` stands before the last segment.
    #[error("pattern {pattern:?} has ** before its last segment")]
    RestNotLast {
        /// The text.
        pattern: String,
    },
    /// A star is part of a longer segment.
    #[error("pattern {pattern:?} has a star inside the segment {segment:?}")]
    StarInSegment {
        /// The text.
        pattern: String,
        /// The segment.
        segment: String,
    },
}

impl Pattern {
    /// Parses a pattern such as `/db/**` or `/games/*/players`.
    ///
    /// # Errors
    ///
    /// When it does not begin with `/`, has `**` before its end, or a star inside a segment.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        segment::check(text).map_err(|misplaced| {
            let pattern = text.to_owned();
            match misplaced {
                Misplaced::NoSlash => PatternError::NoSlash { pattern },
                Misplaced::RestNotLast => PatternError::RestNotLast { pattern },
                Misplaced::StarInSegment(segment) => PatternError::StarInSegment {
                    pattern,
                    segment: segment.to_owned(),
                },
            }
        })?;
        Ok(Self { text: text.into() })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `key` matches.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        segment::matches(self.text.split('/').map(Segment::plain), key, |_name| {})
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(key)
    }

    #[test]
    fn a_closing_double_star_takes_the_rest_or_nothing() {
        assert!(matches("/db/**", "/db"));
        assert!(matches("/db/**", "/db/"));
        assert!(matches("/db/**", "/db/a/b"));
        assert!(!matches("/db/**", "/dbx/a"));
        assert!(matches("/**", "/anything//at/all"));
    }

    #[test]
    fn a_star_takes_one_segment() {
        assert!(matches("/games/*/players", "/games/7/players"));
        assert!(!matches("/games/*/players", "/games/7/8/players"));
        assert!(!matches("/games/*", "/games"));
    }

    #[test]
    fn a_literal_is_compared_byte_for_byte() {
        assert!(!matches("/DB/x", "/db/x"));
        assert!(!matches("/a%2Fb", "/a/b"));
        assert!(matches("/{a}", "/{a}") && !matches("/{a}", "/b"));
    }

    #[test]
    fn a_misplaced_star_is_refused() {
        let refused = |text| Pattern::parse(text).unwrap_err();
        assert!(matches!(refused("db"), PatternError::NoSlash { .. }));
        assert!(matches!(refused("/**/x"), PatternError::RestNotLast { .. }));
        assert!(matches!(refused("/a*"), PatternError::StarInSegment { .. }));
    }
}
