//! The segments of a pattern over paths, and whether a path matches them: one reading for what a
//! worker serves and for what shares a key.

/// One segment of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// Matches itself, byte for byte.
    Literal(&'a str),
    /// `*`: any one segment.
    Any,
    /// `{name}`: any one segment that is not empty.
    Named(&'a str),
    /// A closing `**`: whatever follows, nothing included.
    Rest,
}

impl<'a> Segment<'a> {
    /// A segment where braces mean nothing.
    pub(super) fn plain(text: &'a str) -> Self {
        match text {
            "*" => Self::Any,
            "**" => Self::Rest,
            literal => Self::Literal(literal),
        }
    }

    /// A segment where braces enclose a name.
    pub(super) fn named(text: &'a str) -> Self {
        let name = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        name.map_or_else(|| Self::plain(text), Self::Named)
    }
}

/// What is wrong with the stars of a text, or with its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misplaced<'a> {
    /// It does not begin with a slash.
    NoSlash,
    /// `**` stands before the last segment.
    RestNotLast,
    /// A star is part of this longer segment.
    StarInSegment(&'a str),
}

/// Checks that `text` begins with a slash and that its stars stand where they mean something.
pub(super) fn check(text: &str) -> Result<(), Misplaced<'_>> {
    let path = text.strip_prefix('/').ok_or(Misplaced::NoSlash)?;
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "**" if segments.peek().is_some() => return Err(Misplaced::RestNotLast),
            "*" | "**" => {}
            segment if segment.contains('*') => return Err(Misplaced::StarInSegment(segment)),
            _ => {}
        }
    }
    Ok(())
}

/// Whether `path` matches the segments of a pattern. What the names stand for is handed to `bind`
/// in their order; it counts only when the path matches.
pub(super) fn matches<'pattern, 'path>(
    pattern: impl Iterator<Item = Segment<'pattern>>,
    path: &'path str,
    mut bind: impl FnMut(&'path str),
) -> bool {
    let mut found = path.split('/');
    for wanted in pattern {
        let fits = match (wanted, found.next()) {
            (Segment::Rest, _) => return true,
            (_, None) => false,
            (Segment::Any, Some(_)) => true,
            (Segment::Literal(wanted), Some(found)) => wanted == found,
            (Segment::Named(_), Some(found)) => {
                bind(found);
                !found.is_empty()
            }
        };
        if !fits {
            return false;
        }
    }
    found.next().is_none()
}
