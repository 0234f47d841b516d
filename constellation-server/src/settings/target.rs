//! Finds the member that a name means, or says which one it may have meant.

use super::{
    document::Node,
    fault::Problem,
    nearest::nearest,
    overrides::Spelling,
    rule::Rule,
    schema::{self, Kind, Leaf, Member, join},
};

/// What an override means to set.
pub(super) enum Target {
    /// A setting, or one entry of it.
    Setting {
        /// The setting.
        leaf: Leaf,
        /// The entry: an index of a list, or a header's name.
        part: Option<String>,
    },
    /// A member without effect, or something below it.
    WithoutEffect {
        /// Its path.
        path: String,
        /// Why it has none.
        reason: &'static str,
    },
    /// A member that must ask for nothing, or something below it.
    Unsupported {
        /// Its path.
        path: String,
        /// The values that ask for nothing, as JSON.
        harmless: &'static [&'static str],
        /// Why others are refused.
        reason: &'static str,
    },
}

impl Target {
    /// The path of what is set.
    pub(super) fn member(&self) -> String {
        match self {
            Self::Setting { leaf, part: None } => leaf.path.clone(),
            Self::Setting {
                leaf,
                part: Some(part),
            } => join(&leaf.path, part),
            Self::WithoutEffect { path, .. } | Self::Unsupported { path, .. } => path.clone(),
        }
    }
}

/// The member an override names, or a hint which it may have meant.
pub(super) fn find(path: &[String], spelling: Spelling) -> Result<Target, String> {
    let (mut known, mut prefix) = (schema::ROOT, String::new());
    for (depth, name) in path.iter().enumerate() {
        let Some(member) = known
            .iter()
            .find(|member| spelling.equal(member.name, name))
        else {
            return Err(hint(name, known, &prefix));
        };
        prefix = join(&prefix, member.name);
        let rest = &path[depth + 1..];
        match &member.kind {
            Kind::Section(members) => known = members,
            Kind::Setting { rule, default } => {
                let leaf = Leaf {
                    path: prefix,
                    rule: *rule,
                    default,
                };
                return part_of(leaf, rest, spelling);
            }
            Kind::WithoutEffect { reason } => {
                return Ok(Target::WithoutEffect {
                    path: join_all(&prefix, rest),
                    reason,
                });
            }
            Kind::Unsupported { harmless, reason } => {
                return Ok(Target::Unsupported {
                    path: join_all(&prefix, rest),
                    harmless,
                    reason,
                });
            }
        }
    }
    Err(format!("it is a section with the members {}", names(known)))
}

/// The part of a setting that an override replaces: an entry of a list, or a header.
fn part_of(leaf: Leaf, rest: &[String], spelling: Spelling) -> Result<Target, String> {
    match (leaf.rule, rest) {
        (_, []) => Ok(Target::Setting { leaf, part: None }),
        (Rule::Texts { .. } | Rule::Routes, [index]) if index.parse::<usize>().is_ok() => {
            Ok(Target::Setting {
                leaf,
                part: Some(index.clone()),
            })
        }
        (Rule::Headers { .. }, header) => Ok(Target::Setting {
            leaf,
            part: Some(header.join(spelling.separator())),
        }),
        (Rule::Texts { .. }, _) => Err(format!("{} has entries 0, 1, 2 and so on", leaf.path)),
        (Rule::Routes, _) => Err(format!(
            "{} has entries 0, 1, 2 and so on, each set whole",
            leaf.path
        )),
        (Rule::Switch | Rule::Off { .. } | Rule::Number { .. } | Rule::Text { .. }, _) => {
            Err(format!("{} has no members", leaf.path))
        }
    }
}

/// `node` with its entry `part` replaced by a value, or with one more entry.
pub(super) fn replace_part(mut node: Node, part: &str, value: Node) -> Result<Node, Problem> {
    match &mut node {
        Node::List(list) => {
            let at = part.parse::<usize>().unwrap_or(usize::MAX);
            if at > list.len() {
                return Err(Problem::Conflict(format!(
                    "would leave a gap; the list has {} entries",
                    list.len()
                )));
            }
            list.splice(at..list.len().min(at + 1), [value]);
        }
        Node::Object(headers) => {
            match headers
                .iter_mut()
                .find(|(name, _)| name.eq_ignore_ascii_case(part))
            {
                Some((_, known)) => *known = value,
                None => headers.push((part.to_owned(), value)),
            }
        }
        Node::Null | Node::Switch(_) | Node::Number(_) | Node::Text(_) => node = value,
    }
    Ok(node)
}

/// Which member was meant: the nearest of this section, else one of that name elsewhere, else all
/// names of the section.
pub(super) fn hint(name: &str, known: &[Member], prefix: &str) -> String {
    if let Some(near) = nearest(name, known.iter().map(|member| member.name)) {
        return format!("did you mean {}?", join(prefix, near));
    }
    let elsewhere = schema::leaves().into_iter().find(|leaf| {
        leaf.path
            .rsplit('.')
            .next()
            .is_some_and(|last| last.eq_ignore_ascii_case(name))
    });
    match elsewhere {
        Some(leaf) => format!("did you mean {}?", leaf.path),
        None if prefix.is_empty() => format!("known here are {}", names(known)),
        None => format!("known in {prefix} are {}", names(known)),
    }
}

fn names(known: &[Member]) -> String {
    known
        .iter()
        .map(|member| member.name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn join_all(prefix: &str, rest: &[String]) -> String {
    rest.iter()
        .fold(prefix.to_owned(), |path, name| join(&path, name))
}
