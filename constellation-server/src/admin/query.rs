//! The query of a request to the admin API.
//!
//! Keys are compared byte for byte, so only `%` escapes: a `+` is a plus sign here, not a space,
//! which no key can hold.

use std::{collections::BTreeMap, fmt::Write as _};

use super::problem::Problem;

/// The parameters of a query, unescaped.
#[derive(Debug)]
pub(super) struct Query(BTreeMap<&'static str, String>);

impl Query {
    /// Reads a query in which only these parameters may stand, each once.
    pub(super) fn parse(query: &str, known: &[&'static str]) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(Problem::BadRequest(format!(
                    "The query has no parameter {name:?} here; known: {}.",
                    if known.is_empty() {
                        "none".into()
                    } else {
                        known.join(", ")
                    },
                )));
            };
            let refuse = |what| Err(Problem::BadRequest(format!("The parameter {name} {what}.")));
            let Some(value) = unescaped(value) else {
                return refuse("has a broken escape or is no UTF-8");
            };
            if parameters.insert(*name, value).is_some() {
                return refuse("is given more than once");
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter that may be missing, read by `read`, which tells what is wrong.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Problem> {
        let value = self.0.get(name).map(|value| read(value)).transpose();
        value.map_err(|wrong| Problem::BadRequest(format!("The parameter {name} {wrong}.")))
    }

    /// A parameter that has to be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Problem> {
        self.optional(name, read)?
            .ok_or_else(|| Problem::BadRequest(format!("The parameter {name} is missing.")))
    }
}

/// What a text stands for; `None` when an escape is broken or the outcome is no UTF-8.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, others) = rest.split_first_chunk::<2>()?;
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let value = digit(digits[0])? * 16 + digit(digits[1])?;
        bytes.push(u8::try_from(value).ok()?);
        rest = others;
    }
    String::from_utf8(bytes).ok()
}

/// A text as the value of a parameter: whatever is not unreserved (RFC 3986, section 2.3) or a
/// slash is escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a text takes whatever is written");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(query: &str) -> String {
        match Query::parse(query, &["key", "limit"]).unwrap_err() {
            Problem::BadRequest(description) => description,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_key_comes_through_as_it_is() {
        let key: String = (0x21..=0x7e_u8).map(char::from).collect();
        let query = format!("key={}", escaped(&key));
        let query = Query::parse(&query, &["key"]).unwrap();
        assert_eq!(query.0["key"], key);
    }

    #[test]
    fn a_plus_is_a_plus() {
        let query = Query::parse("key=/a+b%2Bc", &["key"]).unwrap();
        assert_eq!(query.0["key"], "/a+b+c");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(
            refusal("kye=1"),
            "The query has no parameter \"kye\" here; known: key, limit."
        );
        for broken in ["key=%", "key=%4", "key=%+1", "key=%zz", "key=%ff"] {
            let wanted = "The parameter key has a broken escape or is no UTF-8.";
            assert_eq!(refusal(broken), wanted, "{broken}");
        }
        assert_eq!(
            refusal("key=1&key=1"),
            "The parameter key is given more than once."
        );
    }
}
