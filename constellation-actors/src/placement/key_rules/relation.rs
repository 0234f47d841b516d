//! How rules stand to each other: none may be hidden by an earlier one, and none may make a key
//! that the rules map on.
//!
//! The checks compare shapes of paths and try no paths. They never pass rules that map a key on;
//! they may refuse some where only several earlier rules together keep that from happening.

use super::{error::KeyRulesError, rule::KeyRule, shape::Shape};

/// A rule as shapes.
struct Shapes<'a> {
    pattern: Shape<'a>,
    key: Shape<'a>,
}

pub(super) fn check(rules: &[KeyRule]) -> Result<(), KeyRulesError> {
    let shapes: Vec<_> = rules
        .iter()
        .map(|rule| Shapes {
            pattern: Shape::of(rule.pattern()),
            key: Shape::of(rule.key()),
        })
        .collect();
    for (at, rule) in shapes.iter().enumerate() {
        if let Some(earlier) = covering(&shapes[..at], &rule.pattern) {
            return Err(KeyRulesError::Unreachable {
                at,
                pattern: rules[at].pattern().to_owned(),
                earlier,
                earlier_pattern: rules[earlier].pattern().to_owned(),
            });
        }
    }
    (0..shapes.len()).try_for_each(|at| check_keys(&shapes, at))
}

/// The rule that matches all `paths` alone.
fn covering(rules: &[Shapes<'_>], paths: &Shape<'_>) -> Option<usize> {
    rules.iter().position(|rule| rule.pattern.covers(paths))
}

/// Checks that the keys of one rule, taken as paths, have themselves as keys.
fn check_keys(rules: &[Shapes<'_>], at: usize) -> Result<(), KeyRulesError> {
    for (by, second) in rules.iter().enumerate() {
        let Some(meeting) = rules[at].key.meets(&second.pattern) else {
            continue;
        };
        // Of the keys, those that the second rule matches, and the paths that have them.
        let key = rules[at].key.with(&meeting.required);
        let paths = rules[at].pattern.with(&meeting.required);
        let never_made = covering(&rules[..at], &paths).is_some();
        let matched_before = covering(&rules[..by], &key).is_some();
        if never_made || matched_before {
            continue;
        }
        let onto = second.key.with(&meeting.bound);
        if onto != key {
            let (key, onto) = (key.to_string(), onto.to_string());
            return Err(KeyRulesError::MappedOn { at, key, by, onto });
        }
    }
    Ok(())
}
