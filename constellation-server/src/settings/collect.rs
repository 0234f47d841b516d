//! Gathers the settings of all sources: the file, then the environment, then the flags.
//!
//! Each value is checked by its own rule where it enters. Nothing is read from a disk here, and
//! relations between settings are left to the resolving.

use std::{collections::BTreeMap, path::Path};

use super::{
    document::Node,
    fault::{Fault, Problem, Source},
    overrides::Override,
    rule::Rule,
    schema::{self, Kind, Leaf, Member, join},
    target::{Target, find, hint, replace_part},
    warning::Warning,
};

/// What the sources gave.
#[derive(Default)]
pub(crate) struct Collected {
    /// The settings given, by path, each with the last source that gave it.
    given: BTreeMap<String, (Source, Node)>,
    /// What stops the start.
    pub(crate) faults: Vec<Fault>,
    /// What does not.
    pub(crate) warnings: Vec<Warning>,
}

impl Collected {
    /// Checks a file's document and takes its settings.
    pub(crate) fn add_file(&mut self, path: &Path, document: &Node) {
        let source = Source::File(path.to_owned());
        match document {
            Node::Object(members) => self.add_members(&source, members, schema::ROOT, ""),
            node => self.fault(&source, "the document", not_an_object(node)),
        }
    }

    /// Applies overrides, in their order. One that is given twice is a fault.
    pub(crate) fn add_overrides(&mut self, overrides: &[Override]) {
        let mut seen: Vec<String> = Vec::new();
        for over in overrides {
            let target = match find(&over.path, over.spelling) {
                Ok(target) => target,
                Err(hint) => {
                    self.fault(
                        &over.source,
                        &over.path.join("."),
                        Problem::Unknown { hint },
                    );
                    continue;
                }
            };
            let whole = target.member();
            if seen.contains(&whole) {
                self.fault(&over.source, &whole, Problem::Twice);
                continue;
            }
            seen.push(whole);
            self.apply(over, target);
        }
    }

    /// Takes a value that has no source but the program, such as a new key.
    pub(crate) fn insert(&mut self, path: &str, source: Source, node: Node) {
        self.given.insert(path.to_owned(), (source, node));
    }

    /// The source that gave this setting last; `None` when it has its default.
    pub(crate) fn source_of(&self, path: &str) -> Option<&Source> {
        self.given.get(path).map(|(source, _)| source)
    }

    /// The whole document: what was given, and the defaults.
    pub(crate) fn document(&self) -> Node {
        let mut document = Node::Object(Vec::new());
        for leaf in schema::leaves() {
            document.insert(&leaf.path, self.value(&leaf));
        }
        document
    }

    fn value(&self, leaf: &Leaf) -> Node {
        self.given
            .get(&leaf.path)
            .map_or_else(|| leaf.default_node(), |(_, node)| node.clone())
    }

    fn fault(&mut self, source: &Source, member: &str, problem: Problem) {
        self.faults.push(Fault {
            at: source.clone(),
            member: member.to_owned(),
            problem,
        });
    }

    fn add_members(
        &mut self,
        source: &Source,
        given: &[(String, Node)],
        known: &[Member],
        prefix: &str,
    ) {
        for (at, (name, node)) in given.iter().enumerate() {
            let path = join(prefix, name);
            if given[..at].iter().any(|(other, _)| other == name) {
                self.fault(source, &path, Problem::Twice);
                continue;
            }
            match known.iter().find(|member| member.name == name) {
                Some(member) => self.add_member(source, node, &member.kind, &path),
                None => {
                    let hint = hint(name, known, prefix);
                    self.fault(source, &path, Problem::Unknown { hint });
                }
            }
        }
    }

    fn add_member(&mut self, source: &Source, node: &Node, kind: &Kind, path: &str) {
        match (kind, node) {
            (Kind::Section(known), Node::Object(given)) => {
                self.add_members(source, given, known, path);
            }
            (Kind::Section(_), node) => self.fault(source, path, not_an_object(node)),
            (Kind::Setting { rule, .. }, node) => self.set(source, path, *rule, node.clone()),
            (Kind::WithoutEffect { reason }, node) => {
                if !node.is_empty() {
                    self.without_effect(source, path, reason);
                }
            }
            (Kind::Unsupported { harmless, reason }, node) => {
                self.refuse_unless_harmless(source, path, node, harmless, reason);
            }
        }
    }

    fn set(&mut self, source: &Source, path: &str, rule: Rule, node: Node) {
        match rule.check(&node) {
            Ok(()) => self.insert(path, source.clone(), node),
            Err((part, problem)) => self.fault(source, &format!("{path}{part}"), problem),
        }
    }

    fn without_effect(&mut self, source: &Source, path: &str, reason: &'static str) {
        let (at, member) = (source.clone(), path.to_owned());
        self.warnings
            .push(Warning::WithoutEffect { at, member, reason });
    }

    fn refuse_unless_harmless(
        &mut self,
        source: &Source,
        path: &str,
        node: &Node,
        harmless: &[&str],
        reason: &'static str,
    ) {
        let is_harmless = node.is_empty()
            || harmless
                .iter()
                .any(|json| Node::parse(json).is_ok_and(|known| known == *node));
        if !is_harmless {
            let found = node.describe();
            self.fault(source, path, Problem::Unsupported { found, reason });
        }
    }

    fn apply(&mut self, over: &Override, target: Target) {
        let Override { source, text, .. } = over;
        match target {
            Target::Setting { leaf, part: None } => {
                self.set(source, &leaf.path, leaf.rule, leaf.rule.read(text));
            }
            Target::Setting {
                leaf,
                part: Some(part),
            } => match replace_part(self.value(&leaf), &part, leaf.rule.read_part(text)) {
                Ok(node) => self.set(source, &leaf.path, leaf.rule, node),
                Err(problem) => self.fault(source, &join(&leaf.path, &part), problem),
            },
            Target::WithoutEffect { path, reason } => self.without_effect(source, &path, reason),
            Target::Unsupported {
                path,
                harmless,
                reason,
            } => {
                let node = Node::parse(text).unwrap_or_else(|_| Node::Text(text.clone()));
                self.refuse_unless_harmless(source, &path, &node, harmless, reason);
            }
        }
    }
}

fn not_an_object(node: &Node) -> Problem {
    Problem::NotAllowed {
        found: node.describe(),
        allowed: "an object of members".to_owned(),
    }
}

#[cfg(test)]
mod tests;
