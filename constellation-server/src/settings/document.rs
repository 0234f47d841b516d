//! A settings document as it was typed: a JSON tree that keeps the order of its members and
//! shows a member that is given twice.
//!
//! Never judges what it holds; that is for the schema.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Number;

/// The most characters of a text that a message repeats.
const SHOWN_CHARACTERS_MAX: usize = 80;

/// One value of a document.
///
/// It is not `Debug` outside tests, because it may hold secrets.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Switch(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// An object: its members in their order, those given twice included.
    Object(Vec<(String, Self)>),
}

impl Node {
    /// Reads a document of strict JSON (RFC 8259). A byte order mark before it is ignored.
    ///
    /// # Errors
    ///
    /// When it is not JSON; the error has line and column.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The document as indented JSON that ends with a line feed.
    pub(crate) fn to_pretty(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a tree of texts is always JSON");
        text.push('\n');
        text
    }

    /// The value as a message shows it: short, and on one line.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Switch(on) => on.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) if text.chars().count() > SHOWN_CHARACTERS_MAX => {
                let start: String = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
                format!("{start:?}...")
            }
            Self::Text(text) => format!("{text:?}"),
            Self::List(_) => "a list".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }

    /// Whether it asks for nothing: `null`, or a list or object without content.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(list) => list.is_empty(),
            Self::Object(members) => members.is_empty(),
            Self::Switch(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// Puts `value` at `path` (names joined by dots), making the objects on the way that are
    /// missing. Whatever is not an object on the way is replaced by one.
    pub(crate) fn insert(&mut self, path: &str, value: Self) {
        let (name, rest) = path
            .split_once('.')
            .map_or((path, None), |(a, b)| (a, Some(b)));
        if !matches!(self, Self::Object(_)) {
            *self = Self::Object(Vec::new());
        }
        let Self::Object(members) = self else {
            unreachable!("it was just made an object");
        };
        let at = members
            .iter()
            .position(|(known, _)| known == name)
            .unwrap_or_else(|| {
                members.push((name.to_owned(), Self::Null));
                members.len() - 1
            });
        match rest {
            Some(rest) => members[at].1.insert(rest, value),
            None => members[at].1 = value,
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Switch(on) => serializer.serialize_bool(*on),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => list.serialize(serializer),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, on: bool) -> Result<Node, E> {
        Ok(Node::Switch(on))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_the_order_of_its_members_and_those_given_twice() {
        let text = "{\n  \"b\": 1,\n  \"a\": {\n    \"z\": null,\n    \"y\": [\n      -1,\n      2.5\n    ]\n  },\n  \"b\": \"x\"\n}\n";
        assert_eq!(Node::parse(text).unwrap().to_pretty(), text);
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        assert_eq!(Node::parse("\u{feff}{}").unwrap(), Node::Object(vec![]));
    }

    #[test]
    fn an_inserted_value_leaves_its_neighbours_alone() {
        let mut node = Node::parse(r#"{"A":{"x":1,"y":2},"B":3}"#).unwrap();
        node.insert("A.x", Node::Switch(true));
        node.insert("C.d", Node::Text("new".into()));
        let wanted = r#"{"A":{"x":true,"y":2},"B":3,"C":{"d":"new"}}"#;
        assert_eq!(node, Node::parse(wanted).unwrap());
    }

    #[test]
    fn a_long_text_is_cut_in_messages() {
        let shown = Node::Text("é".repeat(200)).describe();
        assert_eq!(
            shown,
            format!("\"{}\"...", "é".repeat(SHOWN_CHARACTERS_MAX))
        );
        assert_eq!(Node::Text("a\nb".into()).describe(), r#""a\nb""#);
    }
}
