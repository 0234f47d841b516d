//! Whether a list of the document is a list of rules that map paths to keys, and which entry and
//! member of it is at fault. What rules mean is decided by the library.

use std::error::Error as _;

use constellation_actors::placement::key_rules::{KeyRules, KeyRulesError, Part, RULES_MAX};

use super::{document::Node, fault::Problem, nearest::nearest};

/// What an entry is.
pub(super) const ALLOWED: &str = "an object with the texts Pattern and Key";

const PATTERN: &str = "Pattern";
const KEY: &str = "Key";

/// Checks the entries; gives the part at fault, such as `.1.Pattern`, and what is wrong.
pub(super) fn check(list: &[Node]) -> Result<(), (String, Problem)> {
    let entries = list.iter().enumerate();
    let pairs: Vec<_> = entries
        .map(|(at, entry)| {
            pair(entry).map_err(|(member, problem)| (format!(".{at}{member}"), problem))
        })
        .collect::<Result<_, _>>()?;
    KeyRules::parse(pairs)
        .map(drop)
        .map_err(|error| explain(list.len(), &error))
}

/// The pattern and the key of an entry.
fn pair(entry: &Node) -> Result<(&str, &str), (String, Problem)> {
    let refuse = |member: &str, found: String, allowed: &str| {
        let allowed = allowed.to_owned();
        Err((member.to_owned(), Problem::NotAllowed { found, allowed }))
    };
    let Node::Object(members) = entry else {
        return refuse("", entry.describe(), ALLOWED);
    };
    let (mut pattern, mut key) = (None, None);
    for (name, value) in members {
        let place = match name.as_str() {
            PATTERN => &mut pattern,
            KEY => &mut key,
            other => {
                let hint = nearest(other, [PATTERN, KEY]).map_or_else(
                    || format!("an entry is {ALLOWED}"),
                    |near| format!("did you mean {near}?"),
                );
                return Err((format!(".{name}"), Problem::Unknown { hint }));
            }
        };
        let Node::Text(text) = value else {
            return refuse(&format!(".{name}"), value.describe(), "a text");
        };
        if place.replace(text.as_str()).is_some() {
            return Err((format!(".{name}"), Problem::Twice));
        }
    }
    match (pattern, key) {
        (Some(pattern), Some(key)) => Ok((pattern, key)),
        (None, _) => refuse("", format!("an object without {PATTERN}"), ALLOWED),
        (Some(_), None) => refuse("", format!("an object without {KEY}"), ALLOWED),
    }
}

/// The library's error in the names of the document.
fn explain(entries: usize, error: &KeyRulesError) -> (String, Problem) {
    let member = |at: &usize, part: Part| match part {
        Part::Pattern => format!(".{at}.{PATTERN}"),
        Part::Key => format!(".{at}.{KEY}"),
    };
    let (part, problem) = match error {
        KeyRulesError::TooMany => (
            String::new(),
            format!("is a list of {entries}; allowed are {RULES_MAX}"),
        ),
        KeyRulesError::Unusable { at, part, text, .. } => {
            let fault = error.source().map(ToString::to_string).unwrap_or_default();
            let text = Node::Text(text.clone()).describe();
            (member(at, *part), format!("is {text}, which {fault}"))
        }
        KeyRulesError::Unreachable {
            at,
            pattern,
            earlier,
            earlier_pattern,
        } => (
            member(at, Part::Pattern),
            format!(
                "is {pattern:?}, which never applies: Routes.{earlier}.{PATTERN}, which is \
                 {earlier_pattern:?}, comes first and matches all of its paths; \
                 put it before that one or leave it out"
            ),
        ),
        KeyRulesError::MappedOn { at, key, by, onto } => (
            member(at, Part::Key),
            format!(
                "gives the key {key}, but Routes.{by} maps the path {key} to the key {onto}, so one \
                 resource would have two owners; make both agree, or put an entry that maps \
                 {key} to itself before Routes.{by}"
            ),
        ),
    };
    (part, Problem::Conflict(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        let Node::List(list) = Node::parse(json).unwrap() else {
            panic!("{json} is no list");
        };
        let (part, problem) = check(&list).unwrap_err();
        format!("Routes{part} {problem}")
    }

    #[test]
    fn a_rule_needs_its_two_members_and_no_other() {
        assert_eq!(
            refusal(r#"["/db"]"#),
            "Routes.0 is \"/db\"; allowed is an object with the texts Pattern and Key"
        );
        assert_eq!(
            refusal(r#"[{ "Pattern": "/a", "Key": "/a" }, { "Pattern": "/db" }]"#),
            "Routes.1 is an object without Key; allowed is an object with the texts Pattern and Key"
        );
        assert_eq!(
            refusal(r#"[{ "Patern": "/db", "Key": "/db" }]"#),
            "Routes.0.Patern is not a known setting; did you mean Pattern?"
        );
        assert_eq!(
            refusal(r#"[{ "Pattern": "/db", "Key": "/db", "Host": "h" }]"#),
            "Routes.0.Host is not a known setting; \
             an entry is an object with the texts Pattern and Key"
        );
        assert_eq!(
            refusal(r#"[{ "Pattern": "/db", "Key": 7 }]"#),
            "Routes.0.Key is 7; allowed is a text"
        );
        assert_eq!(
            refusal(r#"[{ "Key": "/a", "Pattern": "/db", "Key": "/b" }]"#),
            "Routes.0.Key is given more than once"
        );
    }

    #[test]
    fn a_rule_that_means_nothing_is_told_with_its_member_and_what_is_wrong() {
        assert_eq!(
            refusal(r#"[{ "Pattern": "/db/{name}", "Key": "/db/{nam}" }]"#),
            "Routes.0.Key is \"/db/{nam}\", which has the name {nam}, \
             which its pattern does not bind"
        );
        assert_eq!(
            refusal(r#"[{ "Pattern": "/a/../b", "Key": "/b" }]"#),
            "Routes.0.Pattern is \"/a/../b\", which is like no path that is forwarded: \
             it has the dot segment \"..\", which some parsers resolve"
        );
    }

    #[test]
    fn rules_that_do_not_fit_each_other_are_told_with_both() {
        assert_eq!(
            refusal(
                r#"[{ "Pattern": "/db/**", "Key": "/db" },
                    { "Pattern": "/db/{name}", "Key": "/db/{name}" }]"#
            ),
            "Routes.1.Pattern is \"/db/{name}\", which never applies: Routes.0.Pattern, which is \
             \"/db/**\", comes first and matches all of its paths; \
             put it before that one or leave it out"
        );
        assert_eq!(
            refusal(
                r#"[{ "Pattern": "/a/{x}", "Key": "/b/{x}" },
                    { "Pattern": "/b/{y}", "Key": "/c/{y}" }]"#
            ),
            "Routes.0.Key gives the key /b/{x}, but Routes.1 maps the path /b/{x} to the key \
             /c/{x}, so one resource would have two owners; make both agree, or put an entry \
             that maps /b/{x} to itself before Routes.1"
        );
    }

    #[test]
    fn a_hundred_rules_are_allowed_and_no_more() {
        let list = |count: usize| {
            let entries = (0..count).map(|n| {
                let pattern = Node::Text(format!("/{n}"));
                let key = Node::Text("/k".into());
                Node::Object(vec![(PATTERN.into(), pattern), (KEY.into(), key)])
            });
            entries.collect::<Vec<_>>()
        };
        assert!(check(&list(RULES_MAX)).is_ok());
        let (_, problem) = check(&list(RULES_MAX + 1)).unwrap_err();
        assert_eq!(problem.to_string(), "is a list of 101; allowed are 100");
    }
}
