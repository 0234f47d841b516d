//! What rules admit, and what they say of the rest.

use super::*;

const NUMBER: Rule = Rule::Number {
    least: 10,
    most: 20,
    unit: "bytes",
    null: None,
};
const SECRETS: Rule = Rule::Texts {
    form: Form::Secret { least: 16 },
    least: 0,
    most: 2,
};
const HEADERS: Rule = Rule::Headers { most: 2 };

fn refusal(rule: Rule, json: &str) -> String {
    let (part, problem) = rule.check(&Node::parse(json).unwrap()).unwrap_err();
    format!("{part} {problem}")
}

fn admits(rule: Rule, json: &str) -> bool {
    rule.check(&Node::parse(json).unwrap()).is_ok()
}

#[test]
fn both_ends_of_a_range_are_allowed_and_nothing_beyond() {
    for (json, wanted) in [
        ("9", false),
        ("10", true),
        ("20", true),
        ("21", false),
        ("-10", false),
    ] {
        assert_eq!(admits(NUMBER, json), wanted, "{json}");
    }
}

#[test]
fn a_number_is_whole_and_no_text() {
    assert_eq!(
        refusal(NUMBER, "10.0"),
        " is 10.0; allowed is a whole number from 10 to 20 bytes"
    );
    assert!(refusal(NUMBER, "\"12\"").starts_with(" is \"12\"; allowed"));
    assert!(refusal(NUMBER, "1e30").starts_with(" is 1e+30; allowed"));
    assert!(refusal(NUMBER, "null").starts_with(" is null; allowed"));
}

#[test]
fn a_refused_secret_is_never_repeated() {
    let refused = refusal(SECRETS, r#"["0123456789abcdef","hunter2"]"#);
    assert!(
        refused.starts_with(".1 is a secret of 7 characters; allowed is"),
        "{refused}"
    );
    let refused = refusal(SECRETS, r#""hunter2hunter2hunter2""#);
    assert!(
        refused.starts_with(" is a secret of 21 characters; allowed is a list"),
        "{refused}"
    );
    assert!(!refusal(SECRETS, r#"["0123456789 abcdef"]"#).contains("abcdef"));
}

#[test]
fn a_list_has_its_bounds() {
    let three = r#"["0123456789abcdef","0123456789abcdef","0123456789abcdef"]"#;
    assert!(refusal(SECRETS, three).starts_with(" is a list of 3; allowed is a list of 0 to 2"));
}

#[test]
fn a_header_cannot_smuggle_a_line() {
    assert!(refusal(HEADERS, r#"{"x":"a\r\nb"}"#).starts_with(".x is \"a\\r\\nb\"; allowed"));
    assert!(refusal(HEADERS, r#"{"x y":"a"}"#).contains("the name of a header"));
    assert!(admits(HEADERS, r#"{"x":"","Y":"a b"}"#));
}

#[test]
fn a_header_given_twice_is_refused_whatever_its_letter_case() {
    assert_eq!(
        refusal(HEADERS, r#"{"x":"1","X":"2"}"#),
        ".X is given more than once"
    );
}

#[test]
fn a_header_that_frames_the_message_cannot_carry_the_admin_key() {
    let rule = Rule::Text {
        form: Form::HeaderName,
        null: None,
    };
    assert!(admits(rule, r#""x-api-key""#));
    assert!(!admits(rule, r#""Content-Length""#));
}

#[test]
fn a_text_of_the_environment_becomes_the_type_of_its_member() {
    assert_eq!(NUMBER.read("12"), Node::Number(12_u64.into()));
    assert_eq!(NUMBER.read("12s"), Node::Text("12s".into()));
    assert_eq!(Rule::Switch.read("True"), Node::Switch(true));
    let texts = |list: &[&str]| {
        Node::List(
            list.iter()
                .map(|text| Node::Text((*text).to_owned()))
                .collect(),
        )
    };
    assert_eq!(SECRETS.read("a, b"), texts(&["a", "b"]));
    assert_eq!(SECRETS.read(""), texts(&[]));
    let rule = Rule::Text {
        form: Form::Path,
        null: Some("none"),
    };
    assert_eq!(rule.read(""), Node::Null);
    assert_eq!(rule.read("7"), Node::Text("7".into()));
}
