//! What a single setting may hold: its type, its range or form, and how to say so.
//!
//! Never looks at other settings; relations between them are checked when they are resolved.

use constellation_actors::placement::key_rules::RULES_MAX;

use super::{
    document::Node,
    fault::Problem,
    form::{Form, is_header_name, is_header_value},
    routes,
};

/// What a setting may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// `true` or `false`.
    Switch,
    /// `false`; `true` asks for something that this version does not have.
    Off {
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// A whole number.
    Number {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
        /// The unit, in the plural; empty for a plain number.
        unit: &'static str,
        /// What `null` means, where it is allowed.
        null: Option<&'static str>,
    },
    /// One text.
    Text {
        /// Its form.
        form: Form,
        /// What `null` means, where it is allowed.
        null: Option<&'static str>,
    },
    /// A list of texts.
    Texts {
        /// The form of each.
        form: Form,
        /// The least length of the list.
        least: usize,
        /// The most.
        most: usize,
    },
    /// An object of header names and values.
    Headers {
        /// The most headers.
        most: usize,
    },
    /// A list of rules that map paths to keys.
    Routes,
}

impl Rule {
    /// Checks a value; gives the part of it that is at fault (`.0` for the first entry of a list,
    /// `.x-name` for a header, else nothing) and what is wrong.
    pub(crate) fn check(self, node: &Node) -> Result<(), (String, Problem)> {
        match (self, node) {
            (Self::Switch | Self::Off { .. }, Node::Switch(false))
            | (Self::Switch, Node::Switch(true))
            | (Self::Number { null: Some(_), .. } | Self::Text { null: Some(_), .. }, Node::Null) => {
                Ok(())
            }
            (Self::Off { reason }, Node::Switch(true)) => {
                let found = node.describe();
                Err((String::new(), Problem::Unsupported { found, reason }))
            }
            (Self::Number { least, most, .. }, Node::Number(number))
                if number
                    .as_u64()
                    .is_some_and(|number| (least..=most).contains(&number)) =>
            {
                Ok(())
            }
            (Self::Text { form, .. }, Node::Text(text)) if form.admits(text) => Ok(()),
            (Self::Texts { form, least, most }, Node::List(list))
                if (least..=most).contains(&list.len()) =>
            {
                list.iter().enumerate().try_for_each(|(at, entry)| {
                    Self::Text { form, null: None }
                        .check(entry)
                        .map_err(|(_, problem)| (format!(".{at}"), problem))
                })
            }
            (Self::Headers { most }, Node::Object(headers)) if headers.len() <= most => {
                check_headers(headers)
            }
            (Self::Routes, Node::List(list)) => routes::check(list),
            (rule, node) => Err((String::new(), rule.refuse(node))),
        }
    }

    /// The value that a text of the environment or of a flag stands for. It is not checked yet.
    pub(crate) fn read(self, text: &str) -> Node {
        let typed = || Node::Text(text.to_owned());
        match self {
            Self::Switch | Self::Off { .. } if text.eq_ignore_ascii_case("true") => {
                Node::Switch(true)
            }
            Self::Switch | Self::Off { .. } if text.eq_ignore_ascii_case("false") => {
                Node::Switch(false)
            }
            Self::Number { null: Some(_), .. } | Self::Text { null: Some(_), .. }
                if text.is_empty() || text == "null" =>
            {
                Node::Null
            }
            Self::Number { .. } => text
                .parse::<u64>()
                .map_or_else(|_| typed(), |number| Node::Number(number.into())),
            Self::Texts { .. } if text.is_empty() => Node::List(Vec::new()),
            Self::Texts { .. } => {
                let entries = text
                    .split(',')
                    .map(|entry| Node::Text(entry.trim().to_owned()));
                Node::List(entries.collect())
            }
            Self::Headers { .. } | Self::Routes => Node::parse(text).unwrap_or_else(|_| typed()),
            Self::Switch | Self::Off { .. } | Self::Text { .. } => typed(),
        }
    }

    /// The value of one entry that a text of the environment or of a flag stands for. It is not
    /// checked yet.
    pub(crate) fn read_part(self, text: &str) -> Node {
        match self {
            Self::Routes => self.read(text),
            Self::Switch
            | Self::Off { .. }
            | Self::Number { .. }
            | Self::Text { .. }
            | Self::Texts { .. }
            | Self::Headers { .. } => Node::Text(text.to_owned()),
        }
    }

    /// What is allowed, as a message and the documentation say it.
    pub(crate) fn allowed(self) -> String {
        let or_null = |allowed: String, null: Option<&str>| match null {
            Some(meaning) => format!("{allowed}, or null ({meaning})"),
            None => allowed,
        };
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Off { .. } => "false".to_owned(),
            Self::Number {
                least,
                most,
                unit,
                null,
            } => {
                let space = if unit.is_empty() { "" } else { " " };
                or_null(
                    format!("a whole number from {least} to {most}{space}{unit}"),
                    null,
                )
            }
            Self::Text { form, null } => or_null(form.allowed(), null),
            Self::Texts { form, least, most } => {
                format!("a list of {least} to {most}, each {}", form.allowed())
            }
            Self::Headers { most } => format!("an object of at most {most} header names and texts"),
            Self::Routes => format!("a list of 0 to {RULES_MAX}, each {}", routes::ALLOWED),
        }
    }

    fn refuse(self, node: &Node) -> Problem {
        let found = match (self, node) {
            (
                Self::Text {
                    form: Form::Secret { .. },
                    ..
                }
                | Self::Texts {
                    form: Form::Secret { .. },
                    ..
                },
                Node::Text(text),
            ) => format!("a secret of {} characters", text.chars().count()),
            (Self::Texts { .. }, Node::List(list)) => format!("a list of {}", list.len()),
            (Self::Headers { .. }, Node::Object(headers)) => {
                format!("an object of {}", headers.len())
            }
            _ => node.describe(),
        };
        Problem::NotAllowed {
            found,
            allowed: self.allowed(),
        }
    }
}

fn check_headers(headers: &[(String, Node)]) -> Result<(), (String, Problem)> {
    for (at, (name, value)) in headers.iter().enumerate() {
        let refuse = |found: String, allowed: &str| {
            let allowed = allowed.to_owned();
            Err((format!(".{name}"), Problem::NotAllowed { found, allowed }))
        };
        if !is_header_name(name) {
            return refuse(
                format!("{name:?}"),
                "the name of a header (RFC 9110, section 5.1)",
            );
        }
        if headers[..at]
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            return Err((format!(".{name}"), Problem::Twice));
        }
        match value {
            Node::Text(text) if is_header_value(text) => {}
            value => {
                return refuse(
                    value.describe(),
                    "a text of printable ASCII, spaces and tabs",
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
