//! One key rule: a pattern, and the key of the paths that match it.

use std::borrow::Cow;

use super::{
    NAME_BYTES_MAX, NAMES_MAX, TEXT_BYTES_MAX,
    error::{Fault, KeyRulesError, Part},
};
use crate::placement::{
    path,
    segment::{self, Misplaced, Segment},
};

/// A rule of [`KeyRules`](super::KeyRules).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    pattern: Box<str>,
    key: Box<str>,
    /// How many bytes of the pattern every path that matches begins with.
    beginning: usize,
    made_of: Box<[Piece]>,
}

/// What a segment of a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    /// The value of the pattern's name with this number.
    Value(usize),
}

impl KeyRule {
    /// The pattern as it was written.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The key as it was written.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reads a rule, which is the one with the number `at`.
    pub(super) fn parse(at: usize, pattern: &str, key: &str) -> Result<Self, KeyRulesError> {
        let unusable = |part, text: &str| {
            let text = text.to_owned();
            move |fault| KeyRulesError::Unusable {
                at,
                part,
                text,
                fault,
            }
        };
        check_pattern(pattern).map_err(unusable(Part::Pattern, pattern))?;
        let names = names(pattern).map_err(unusable(Part::Pattern, pattern))?;
        let made_of = check_key(key)
            .and_then(|()| pieces(key, &names))
            .map_err(unusable(Part::Key, key))?;
        Ok(Self {
            pattern: pattern.into(),
            key: key.into(),
            beginning: beginning(pattern),
            made_of,
        })
    }

    /// The key of a path, if it matches.
    pub(super) fn key_of<'a>(&self, path: &'a str) -> Option<Cow<'a, str>> {
        // Most paths that do not match are told apart here.
        if !path.starts_with(&self.pattern[..self.beginning]) {
            return None;
        }
        let (mut values, mut bound) = ([""; NAMES_MAX], 0);
        let matches = segment::matches(segments(&self.pattern), path, |value| {
            values[bound] = value;
            bound += 1;
        });
        matches.then(|| self.make(path, &values))
    }

    fn make<'a>(&self, path: &'a str, values: &[&'a str]) -> Cow<'a, str> {
        let segments = || {
            self.made_of.iter().map(|piece| match piece {
                Piece::Literal(text) => &**text,
                Piece::Value(number) => values[*number],
            })
        };
        let bytes = segments().map(|segment| segment.len() + 1).sum::<usize>() - 1;
        if segments().eq(path.split('/').take(self.made_of.len())) {
            return Cow::Borrowed(&path[..bytes]);
        }
        let mut key = String::with_capacity(bytes);
        for segment in segments().skip(1) {
            key.push('/');
            key.push_str(segment);
        }
        Cow::Owned(key)
    }
}

/// The segments of a pattern or a key; the first is the empty one before its slash.
pub(super) fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> {
    text.split('/').map(Segment::named)
}

/// How many bytes every path that matches `pattern` begins with: its literals up to the first
/// segment that is none. The slash before `**` is not among them, because nothing may follow.
fn beginning(pattern: &str) -> usize {
    let mut bytes = 0;
    for segment in segments(pattern) {
        match segment {
            Segment::Literal(text) => bytes += text.len() + 1,
            Segment::Any | Segment::Named(_) => return bytes,
            Segment::Rest => break,
        }
    }
    bytes - 1
}

fn check_pattern(pattern: &str) -> Result<(), Fault> {
    check_length(pattern)?;
    segment::check(pattern).map_err(|misplaced| match misplaced {
        Misplaced::NoSlash => Fault::NoSlash,
        Misplaced::RestNotLast => Fault::RestNotLast,
        Misplaced::StarInSegment(segment) => Fault::StarInSegment {
            segment: segment.to_owned(),
        },
    })?;
    check_path(pattern)
}

fn check_key(key: &str) -> Result<(), Fault> {
    check_length(key)?;
    if !key.starts_with('/') {
        return Err(Fault::NoSlash);
    }
    if key.contains('*') {
        return Err(Fault::StarInKey);
    }
    check_path(key)
}

fn check_length(text: &str) -> Result<(), Fault> {
    let bytes = text.len();
    if bytes > TEXT_BYTES_MAX {
        return Err(Fault::TooLong { bytes });
    }
    Ok(())
}

/// Checks that a request could have a path like `text`.
fn check_path(text: &str) -> Result<(), Fault> {
    for segment in text.split('/') {
        match Segment::named(segment) {
            Segment::Named(name) if is_name(name) => {}
            Segment::Literal(_) if !segment.contains(['{', '}']) => {}
            Segment::Any | Segment::Rest => {}
            Segment::Named(_) | Segment::Literal(_) => {
                let segment = segment.to_owned();
                return Err(Fault::Brace { segment });
            }
        }
    }
    // The URI's parser takes them off a path before anything else sees it.
    if let Some(character) = text.chars().find(|it| matches!(it, '?' | '#')) {
        return Err(Fault::EndsPath { character });
    }
    path::check(text).map_err(Fault::NoPath)
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The names of a pattern or a key, each of them once.
fn names(text: &str) -> Result<Vec<&str>, Fault> {
    let mut names = Vec::new();
    for segment in segments(text) {
        if let Segment::Named(name) = segment {
            if names.contains(&name) {
                let name = name.to_owned();
                return Err(Fault::NameTwice { name });
            }
            names.push(name);
        }
    }
    if names.len() > NAMES_MAX {
        return Err(Fault::TooManyNames);
    }
    Ok(names)
}

fn pieces(key: &str, bound: &[&str]) -> Result<Box<[Piece]>, Fault> {
    let unbound = names(key)?.into_iter().find(|name| !bound.contains(name));
    if let Some(name) = unbound {
        let name = name.to_owned();
        return Err(Fault::Unbound { name });
    }
    let pieces = key.split('/').map(|text| {
        let number = match Segment::named(text) {
            Segment::Named(name) => bound.iter().position(|it| *it == name),
            Segment::Literal(_) | Segment::Any | Segment::Rest => None,
        };
        number.map_or_else(|| Piece::Literal(text.into()), Piece::Value)
    });
    Ok(pieces.collect())
}
