//! The table obeys itself, and the documentation says what it says.

use super::*;
use crate::settings::overrides::PREFIX;

/// The settings as they are documented for users.
const DOCUMENTATION: &str = include_str!("../../../../docs/settings.md");

#[test]
fn every_default_obeys_its_own_rule() {
    for leaf in leaves() {
        assert_eq!(
            leaf.rule.check(&leaf.default_node()),
            Ok(()),
            "{}",
            leaf.path
        );
    }
}

#[test]
fn every_harmless_value_is_json() {
    fn walk(members: &[Member]) {
        for member in members {
            match &member.kind {
                Kind::Section(members) => walk(members),
                Kind::Unsupported { harmless, .. } => {
                    harmless
                        .iter()
                        .for_each(|json| drop(Node::parse(json).unwrap()));
                }
                Kind::Setting { .. } | Kind::WithoutEffect { .. } => {}
            }
        }
    }
    walk(ROOT);
}

#[test]
fn no_two_members_differ_by_letter_case_only() {
    fn walk(members: &[Member]) {
        let mut names: Vec<_> = members.iter().map(|m| m.name.to_lowercase()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), members.len());
        for member in members {
            if let Kind::Section(members) = member.kind {
                walk(members);
            }
        }
    }
    walk(ROOT);
}

/// The one row of the documentation about a member: its cells after the name.
fn row(path: &str) -> Vec<&'static str> {
    let start = format!("| `{path}` | ");
    let rows: Vec<_> = DOCUMENTATION
        .lines()
        .filter_map(|it| it.strip_prefix(&start))
        .collect();
    assert_eq!(rows.len(), 1, "rows of {path} in docs/settings.md");
    rows[0].trim_end_matches(" |").split(" | ").collect()
}

#[test]
fn the_documentation_has_the_default_the_range_and_the_variable_of_every_setting() {
    for leaf in leaves() {
        let variable = format!("`{PREFIX}{}`", leaf.path.replace('.', "__").to_uppercase());
        let default = match leaf.rule {
            Rule::Headers { .. } => "four headers, below".to_owned(),
            _ => format!("`{}`", leaf.default),
        };
        let cells = row(&leaf.path);
        let [meaning, cells @ ..] = cells.as_slice() else {
            panic!("{} has no meaning in docs/settings.md", leaf.path);
        };
        assert!(meaning.len() > 10, "{}: {meaning}", leaf.path);
        let allowed = leaf.rule.allowed();
        assert_eq!(
            cells,
            [default.as_str(), allowed.as_str(), variable.as_str()],
            "{}",
            leaf.path
        );
    }
}

#[test]
fn the_documentation_has_every_default_header() {
    let headers = leaves()
        .into_iter()
        .find(|leaf| matches!(leaf.rule, Rule::Headers { .. }));
    let Node::Object(headers) = headers.unwrap().default_node() else {
        panic!("headers are an object");
    };
    for (name, value) in headers {
        let line = format!("{name}: {}", value.describe().trim_matches('"'));
        assert!(DOCUMENTATION.lines().any(|it| it == line), "{line}");
    }
}

#[test]
fn the_documentation_has_the_reason_of_every_member_without_effect() {
    fn walk(members: &[Member], prefix: &str) {
        for member in members {
            let path = join(prefix, member.name);
            match &member.kind {
                Kind::Section(members) => walk(members, &path),
                Kind::Setting { .. } => {}
                Kind::WithoutEffect { reason } | Kind::Unsupported { reason, .. } => {
                    assert_eq!(row(&path), [*reason], "{path}");
                }
            }
        }
    }
    walk(ROOT, "");
}

#[test]
fn the_documentation_has_no_member_that_does_not_exist() {
    fn paths(members: &[Member], prefix: &str, found: &mut Vec<String>) {
        for member in members {
            let path = join(prefix, member.name);
            if let Kind::Section(members) = member.kind {
                paths(members, &path, found);
            }
            found.push(path);
        }
    }
    let mut known = Vec::new();
    paths(ROOT, "", &mut known);
    let rows = DOCUMENTATION
        .lines()
        .filter_map(|line| line.strip_prefix("| `"));
    let named: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
    assert!(named.len() > leaves().len());
    for path in named {
        assert!(
            known.iter().any(|it| it == path),
            "{path} is in docs/settings.md only"
        );
    }
}
