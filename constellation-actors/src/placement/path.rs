//! Which raw paths requests may have: those that any two parsers read alike.

use super::key::{KeyError, ResourceKey};

/// Why a path cannot be routed on. Each text goes on after "the path".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not have a key's form.
    #[error("is not a resource key: {0}")]
    Key(KeyError),
    /// A segment is `.` or `..`, or some parser takes a part of it for one: dots and slashes
    /// escaped or not, with parameters (`;a=1`) or without.
    #[error("has the dot segment {segment:?}, which some parsers resolve")]
    DotSegment {
        /// The segment.
        segment: String,
    },
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("has a broken percent-escape at byte {at}")]
    BrokenEscape {
        /// Where it stands.
        at: usize,
    },
    /// An escape stands for a control character.
    #[error("has an escaped control character at byte {at}")]
    EscapedControl {
        /// Where it stands.
        at: usize,
    },
    /// It escapes a character that needs no escape.
    #[error("escapes {character:?} at byte {at}, which some parsers take for the character itself")]
    NeedlessEscape {
        /// Where it stands.
        at: usize,
        /// The character.
        character: char,
    },
    /// It has a backslash.
    #[error("has a backslash at byte {at}, which some parsers take for a slash")]
    Backslash {
        /// Where it stands.
        at: usize,
    },
}

/// Checks a raw path, without its query. What passes is also a [`ResourceKey`].
///
/// # Errors
///
/// When two parsers could read it differently, or it is no resource key.
pub fn check(path: &str) -> Result<(), PathError> {
    // Nearly every path has nothing that parsers could differ over.
    if is_suspicious(path.as_bytes()) {
        check_escapes(path)?;
        check_segments(path)?;
        check_needless(path)?;
    }
    ResourceKey::check(path).map_err(PathError::Key)
}

/// Whether there is any escape, backslash, or dot after a slash.
fn is_suspicious(path: &[u8]) -> bool {
    let mut before = b'/';
    path.iter().any(|byte| {
        let after_slash = before == b'/';
        before = *byte;
        matches!(byte, b'%' | b'\\') || *byte == b'.' && after_slash
    })
}

fn check_escapes(path: &str) -> Result<(), PathError> {
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\\' => return Err(PathError::Backslash { at }),
            b'%' => match escaped(&bytes[at + 1..]) {
                None => return Err(PathError::BrokenEscape { at }),
                Some(0..=0x1f | 0x7f) => return Err(PathError::EscapedControl { at }),
                Some(_) => {}
            },
            _ => {}
        }
    }
    Ok(())
}

/// Refuses escapes of characters that need none (RFC 3986, section 2.3): to a parser that undoes them,
/// as it may, two keys would name one resource.
fn check_needless(path: &str) -> Result<(), PathError> {
    let bytes = path.as_bytes();
    let escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    for (at, _) in escapes {
        if let Some(byte) = escaped(&bytes[at + 1..])
            && (byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        {
            let character = char::from(byte);
            return Err(PathError::NeedlessEscape { at, character });
        }
    }
    Ok(())
}

/// The byte that two hexadecimal digits stand for.
fn escaped(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn check_segments(path: &str) -> Result<(), PathError> {
    let mut segments = path.split('/');
    match segments.find(|segment| has_dot_segment(segment)) {
        Some(segment) => Err(PathError::DotSegment {
            segment: segment.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Whether a segment is `.` or `..` (RFC 3986, section 5.2.4) to some parser: to one that takes
/// escaped dots for dots and escaped slashes for slashes, or drops what stands behind a semicolon.
fn has_dot_segment(segment: &str) -> bool {
    if !segment.starts_with('.') && !segment.contains("%2") && !segment.contains("%5") {
        return false;
    }
    let mut plain = segment.to_ascii_lowercase().replace("%2e", ".");
    for slash in ["%2f", "%5c"] {
        plain = plain.replace(slash, "/");
    }
    plain
        .split('/')
        .map(|part| {
            part.split_once(';')
                .map_or(part, |(name, _parameters)| name)
        })
        .any(|part| part == "." || part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_but_legal_paths_pass() {
        for path in [
            "/",
            "//a//b/",
            "/a;v=1/b",
            "/a%2Fb%20c",
            "/~x/!$&'()*+,=:@",
            "/a.b/..c",
            "/a%2f.b",
            "/..a;b",
            "/;..",
            "/%252e%252e/",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_parsers_read_differently_are_refused() {
        for path in [
            "/a/../b",
            "/a/.",
            "/..",
            "/%2e%2E/x",
            "/.%2e",
            "/a/..;/b",
            "/.;x=1",
            "/a%2f..%2Fb",
            "/a%5C..",
            "/..%5cb",
        ] {
            assert!(
                matches!(check(path), Err(PathError::DotSegment { .. })),
                "{path}"
            );
        }
        for (path, at, character) in [
            ("/g/me%61dow", 5, 'a'),
            ("/%2Ex", 1, '.'),
            ("/a%7Eb", 2, '~'),
        ] {
            let needless = PathError::NeedlessEscape { at, character };
            assert_eq!(check(path), Err(needless), "{path}");
        }
        assert_eq!(check("/a%0"), Err(PathError::BrokenEscape { at: 2 }));
        assert_eq!(check("/a%zz"), Err(PathError::BrokenEscape { at: 2 }));
        assert_eq!(check("/a%00b"), Err(PathError::EscapedControl { at: 2 }));
        assert_eq!(check("/a\\b"), Err(PathError::Backslash { at: 2 }));
        assert_eq!(check("*"), Err(PathError::Key(KeyError::NoSlash)));
    }
}
