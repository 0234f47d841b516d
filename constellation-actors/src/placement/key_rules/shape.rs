//! The paths that a pattern matches, as a shape that can be compared with others. It knows
//! segments, and nothing of rules.

use std::fmt;

use super::rule::segments;
use crate::placement::segment::Segment;

/// A pattern, or a key, which is a pattern of literals and names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape<'a> {
    /// Its segments before the rest; the first is the empty one before the slash.
    segments: Vec<Segment<'a>>,
    /// Whether anything may follow.
    rest: bool,
}

/// What some names stand for.
pub(super) type Values<'a> = Vec<(&'a str, Segment<'a>)>;

impl<'a> Shape<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut segments: Vec<_> = segments(text).collect();
        let rest = segments.pop_if(|last| *last == Segment::Rest).is_some();
        Self { segments, rest }
    }

    /// Whether each path of `other` is one of these too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let (own, others) = (self.segments.len(), other.segments.len());
        let long_enough = if self.rest {
            others >= own
        } else {
            others == own && !other.rest
        };
        let mut pairs = self.segments.iter().zip(&other.segments);
        long_enough
            && pairs.all(|pair| match pair {
                (Segment::Any, _) | (Segment::Named(_), Segment::Named(_)) => true,
                (Segment::Named(_), Segment::Literal(text)) => !text.is_empty(),
                (own, other) => own == other,
            })
    }

    /// What has to hold for `pattern` to match a key of this shape, and what follows from it;
    /// `None` when it matches none.
    pub(super) fn meets(&self, pattern: &Self) -> Option<Meeting<'a>> {
        let (own, others) = (self.segments.len(), pattern.segments.len());
        if own < others || (own > others && !pattern.rest) {
            return None;
        }
        let mut meeting = Meeting::default();
        for (own, wanted) in self.segments.iter().zip(&pattern.segments) {
            match (*own, *wanted) {
                (Segment::Literal(""), Segment::Named(_))
                | (Segment::Named(_), Segment::Literal("")) => return None,
                (own, Segment::Named(name)) => meeting.bound.push((name, own)),
                (Segment::Named(name), literal @ Segment::Literal(_)) => {
                    meeting.required.push((name, literal));
                }
                (Segment::Literal(own), Segment::Literal(wanted)) if own != wanted => return None,
                _ => {}
            }
        }
        Some(meeting)
    }

    /// The same with values in the place of names.
    pub(super) fn with(&self, values: &Values<'a>) -> Self {
        let value = |segment: &Segment<'a>| match segment {
            Segment::Named(name) => values
                .iter()
                .find_map(|(known, value)| (known == name).then_some(*value))
                .unwrap_or(*segment),
            Segment::Literal(_) | Segment::Any | Segment::Rest => *segment,
        };
        Self {
            segments: self.segments.iter().map(value).collect(),
            rest: self.rest,
        }
    }
}

/// How a key meets a pattern.
#[derive(Debug, Default)]
pub(super) struct Meeting<'a> {
    /// The names of the key that must stand for literals.
    pub(super) required: Values<'a>,
    /// What the names of the pattern stand for: literals, and the other names of the key, which
    /// has each name once.
    pub(super) bound: Values<'a>,
}

impl fmt::Display for Shape<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in self.segments.iter().skip(1) {
            match segment {
                Segment::Literal(text) => write!(formatter, "/{text}")?,
                Segment::Any => formatter.write_str("/*")?,
                Segment::Named(name) => write!(formatter, "/{{{name}}}")?,
                Segment::Rest => formatter.write_str("/**")?,
            }
        }
        if self.rest {
            formatter.write_str("/**")?;
        }
        Ok(())
    }
}
