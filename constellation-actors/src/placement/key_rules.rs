//! Key rules: which paths share a key, so that everything below one resource has one owner.
//!
//! The rules are asked in their order, and the first whose pattern matches the raw path makes the
//! key; a path that none matches is its own key. Nothing is decoded or normalised.
//!
//! What makes a list of rules sound is checked once, when it is read: every rule has paths that no
//! earlier one takes, and *a key maps to itself*. A request for the path that spells a key is so
//! answered by the owner of that key, whichever way a client came to it.

mod error;
mod relation;
mod rule;
mod shape;

use std::borrow::Cow;

pub use self::{
    error::{Fault, KeyRulesError, Part},
    rule::KeyRule,
};

/// The most rules. A path that none matches is compared with each.
pub const RULES_MAX: usize = 100;

/// The most bytes of a rule's pattern, and of its key.
pub const TEXT_BYTES_MAX: usize = 1024;

/// The most names in one pattern.
pub const NAMES_MAX: usize = 16;

/// The most bytes of a name.
pub const NAME_BYTES_MAX: usize = 64;

/// Rules that map paths to keys, checked. Without any, a path is its own key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRules {
    rules: Box<[KeyRule]>,
}

impl KeyRules {
    /// Reads rules, each a pattern and the key of the paths that match it, such as
    /// `("/db/{name}/**", "/db/{name}")`.
    ///
    /// In a pattern, a segment is a literal that matches itself byte for byte, `*` for any one
    /// segment, `{name}` for one that is not empty, or a closing `**` for whatever follows,
    /// nothing included. So `/db/{name}/**` matches `/db/a`, `/db/a/` and `/db/a/rows/1`, but
    /// neither `/db` nor `/db//rows`. A key is made of literals and of names that its pattern
    /// binds; a name that it leaves out is shared by the paths that differ in nothing else.
    ///
    /// # Errors
    ///
    /// When a rule cannot be read, can match no path that is forwarded, never applies because an
    /// earlier rule matches all of its paths, or makes keys that are mapped on to other keys.
    pub fn parse<Pattern: AsRef<str>, Key: AsRef<str>>(
        rules: impl IntoIterator<Item = (Pattern, Key)>,
    ) -> Result<Self, KeyRulesError> {
        let mut parsed = Vec::new();
        for (at, (pattern, key)) in rules.into_iter().enumerate() {
            if at == RULES_MAX {
                return Err(KeyRulesError::TooMany);
            }
            parsed.push(KeyRule::parse(at, pattern.as_ref(), key.as_ref())?);
        }
        relation::check(&parsed)?;
        let rules = parsed.into();
        Ok(Self { rules })
    }

    /// The rules in their order.
    pub fn iter(&self) -> impl Iterator<Item = &KeyRule> {
        self.rules.iter()
    }

    /// The key of a raw path. Allocates only when the key is not the path's beginning.
    #[must_use]
    pub fn key_of<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let mut keys = self.rules.iter().filter_map(|rule| rule.key_of(path));
        keys.next().unwrap_or(Cow::Borrowed(path))
    }

    /// Whether `key` is none under these rules: a request for it has another key.
    #[must_use]
    pub(super) fn is_misplaced(&self, key: &str) -> bool {
        self.key_of(key) != key
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
