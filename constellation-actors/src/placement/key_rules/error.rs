//! Why rules cannot be used: which one, which part of it, and what is wrong.

use std::fmt;

use super::{NAME_BYTES_MAX, NAMES_MAX, RULES_MAX, TEXT_BYTES_MAX};
use crate::placement::path::PathError;

/// Why rules cannot be used. Rules are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRulesError {
    /// There are more than [`RULES_MAX`].
    #[error("there are more than {RULES_MAX} key rules")]
    TooMany,
    /// A rule cannot be read.
    #[error("the {part} {text:?} of key rule {at} cannot be used")]
    Unusable {
        /// Which rule.
        at: usize,
        /// Which part of it.
        part: Part,
        /// That part as it was written.
        text: String,
        /// What is wrong with it.
        #[source]
        fault: Fault,
    },
    /// A rule never applies.
    #[error(
        "key rule {at} ({pattern}) never applies, because key rule {earlier} ({earlier_pattern}) \
         matches all of its paths; put it before that one or leave it out"
    )]
    Unreachable {
        /// Which rule.
        at: usize,
        /// Its pattern.
        pattern: String,
        /// The earlier rule.
        earlier: usize,
        /// The earlier rule's pattern.
        earlier_pattern: String,
    },
    /// The key that a rule makes is a path that the rules map to another key.
    #[error(
        "key rule {at} makes the key {key}, but key rule {by} maps the path {key} to the key \
         {onto}, so one resource would have two owners; make both rules agree, or put a rule that \
         maps {key} to itself before key rule {by}"
    )]
    MappedOn {
        /// Which rule makes the key.
        at: usize,
        /// The key, with names for what is arbitrary.
        key: String,
        /// Which rule maps it on; it can be the same.
        by: usize,
        /// The key it is mapped to, in the same names.
        onto: String,
    },
}

/// A part of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What it matches.
    Pattern,
    /// The key it makes.
    Key,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Pattern => "pattern",
            Self::Key => "key",
        })
    }
}

/// What is wrong with a pattern or a key. Each text goes on after it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is too long.
    #[error("has {bytes} bytes; allowed are {TEXT_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It does not begin with a slash.
    #[error("does not begin with a slash")]
    NoSlash,
    /// `**` stands before the last segment of a pattern.
    #[error("has ** before its last segment")]
    RestNotLast,
    /// A star is part of a longer segment of a pattern.
    #[error("has a star inside the segment {segment:?}; a star is a whole segment")]
    StarInSegment {
        /// The segment.
        segment: String,
    },
    /// A key has a star.
    #[error("has a star; a key takes over parts of its path by {{name}} only")]
    StarInKey,
    /// A brace does not enclose a name that is a whole segment.
    #[error(
        "has the segment {segment:?}; braces enclose a name that is a whole segment, 1 to \
         {NAME_BYTES_MAX} letters, digits and underscores"
    )]
    Brace {
        /// The segment.
        segment: String,
    },
    /// A name stands in it twice.
    #[error("has the name {{{name}}} twice")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A pattern has too many names.
    #[error("has more than {NAMES_MAX} names")]
    TooManyNames,
    /// A key has a name that its pattern does not.
    #[error("has the name {{{name}}}, which its pattern does not bind")]
    Unbound {
        /// The name.
        name: String,
    },
    /// It has a character that ends a path.
    #[error("has a {character:?}, which is in no path: rules are asked without the query")]
    EndsPath {
        /// The character.
        character: char,
    },
    /// Every path like it is refused.
    #[error("is like no path that is forwarded: it {0}")]
    NoPath(PathError),
}
