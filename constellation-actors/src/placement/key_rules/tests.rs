//! What rules match and make, and which are refused with which words.

use std::error::Error as _;

use super::*;

fn rules(rules: &[(&str, &str)]) -> KeyRules {
    KeyRules::parse(rules.iter().copied()).unwrap()
}

fn refusal(rules: &[(&str, &str)]) -> KeyRulesError {
    KeyRules::parse(rules.iter().copied()).unwrap_err()
}

/// What is wrong with a single rule, and with which part of it.
fn fault(pattern: &str, key: &str) -> (Part, Fault) {
    match refusal(&[(pattern, key)]) {
        KeyRulesError::Unusable { part, fault, .. } => (part, fault),
        other => panic!("{other}"),
    }
}

const DATABASES: (&str, &str) = ("/db/{name}/**", "/db/{name}");

#[test]
fn everything_below_a_name_shares_its_key() {
    let rules = rules(&[DATABASES]);
    for path in ["/db/a", "/db/a/", "/db/a//", "/db/a/rows/1", "/db/a/b/c/d"] {
        assert_eq!(rules.key_of(path), "/db/a", "{path}");
    }
    assert_eq!(rules.key_of("/db/b/rows"), "/db/b");
}

#[test]
fn a_path_that_no_rule_matches_is_its_own_key() {
    let rules = rules(&[DATABASES]);
    for path in [
        "/",
        "/db",
        "/db/",
        "/db//rows",
        "/DB/a/b",
        "/dbx/a/b",
        "//db/a/b",
    ] {
        assert_eq!(rules.key_of(path), path);
    }
    assert_eq!(KeyRules::default().key_of("/db/a/b"), "/db/a/b");
}

#[test]
fn a_name_takes_raw_bytes_as_they_are() {
    let rules = rules(&[DATABASES]);
    assert_eq!(rules.key_of("/db/%61%2Fb/x"), "/db/%61%2Fb");
    assert_eq!(rules.key_of("/db/{name}/x"), "/db/{name}");
    assert_eq!(rules.key_of("/db/*/x"), "/db/*");
}

#[test]
fn the_first_rule_that_matches_makes_the_key() {
    let rules = rules(&[("/db/system/**", "/system"), DATABASES]);
    assert_eq!(rules.key_of("/db/system/a"), "/system");
    assert_eq!(rules.key_of("/db/systems/a"), "/db/systems");
}

#[test]
fn a_key_can_be_put_together_anew() {
    let rules = rules(&[
        ("/{region}/*/users/{user}", "/users/{user}/in/{region}"),
        ("/metrics/**", "/metrics"),
        ("/tenants/{tenant}/{anything}", "/tenants/{tenant}"),
        ("/slash/{x}/", "/folders/{x}/"),
    ]);
    assert_eq!(rules.key_of("/eu/v1/users/7"), "/users/7/in/eu");
    assert_eq!(rules.key_of("/eu//users/7"), "/users/7/in/eu");
    assert_eq!(rules.key_of("/metrics"), "/metrics");
    assert_eq!(rules.key_of("/tenants/a/1"), rules.key_of("/tenants/a/2"));
    assert_eq!(rules.key_of("/slash/a/"), "/folders/a/");
    assert_eq!(rules.key_of("/slash/a"), "/slash/a");
}

#[test]
fn a_key_that_begins_its_path_is_not_copied() {
    let rules = rules(&[DATABASES, ("/old/{name}", "/db/{name}")]);
    let borrowed = |path| matches!(rules.key_of(path), Cow::Borrowed(_));
    assert!(borrowed("/other") && borrowed("/db/a") && borrowed("/db/a/rows/1"));
    assert!(!borrowed("/old/a"));
}

#[test]
fn a_pattern_that_cannot_be_read_is_refused() {
    fn pattern(text: &str) -> Fault {
        match fault(text, "/k") {
            (Part::Pattern, fault) => fault,
            (part, fault) => panic!("the {part} {fault}"),
        }
    }
    assert_eq!(pattern(""), Fault::NoSlash);
    assert_eq!(pattern("db/x"), Fault::NoSlash);
    assert_eq!(pattern("/**/x"), Fault::RestNotLast);
    assert!(matches!(pattern("/a*/x"), Fault::StarInSegment { .. }));
    for braces in ["/{}", "/a{b}", "/{b}c", "/{", "/}", "/{a-b}", "/{a{b}}"] {
        assert!(matches!(pattern(braces), Fault::Brace { .. }), "{braces}");
    }
    let name = "n".repeat(NAME_BYTES_MAX + 1);
    assert!(matches!(
        pattern(&format!("/{{{name}}}")),
        Fault::Brace { .. }
    ));
    assert_eq!(pattern("/{a}/{a}"), Fault::NameTwice { name: "a".into() });
    let names: String = (0..=NAMES_MAX).map(|n| format!("/{{n{n}}}")).collect();
    assert_eq!(pattern(&names), Fault::TooManyNames);
    let long = format!("/{}", "x".repeat(TEXT_BYTES_MAX));
    assert_eq!(
        pattern(&long),
        Fault::TooLong {
            bytes: TEXT_BYTES_MAX + 1
        }
    );
}

#[test]
fn a_pattern_or_key_like_no_forwarded_path_is_refused() {
    for text in [
        "/a/../b", "/a/%2e/b", "/a%zz", "/a%00", "/a\\b", "/a b", "/ä",
    ] {
        assert!(matches!(fault(text, "/k").1, Fault::NoPath(_)), "{text}");
        assert!(matches!(fault("/k", text).1, Fault::NoPath(_)), "{text}");
    }
    let query = Fault::EndsPath { character: '?' };
    assert_eq!(
        fault("/a?b={b}", "/k"),
        (
            Part::Pattern,
            Fault::Brace {
                segment: "a?b={b}".into()
            }
        )
    );
    assert_eq!(fault("/a?b=1", "/k"), (Part::Pattern, query));
}

#[test]
fn a_key_that_its_pattern_cannot_fill_is_refused() {
    let key = |key| match fault("/db/{name}/**", key) {
        (Part::Key, fault) => fault,
        (part, fault) => panic!("the {part} {fault}"),
    };
    assert_eq!(key("db/{name}"), Fault::NoSlash);
    assert_eq!(key("/db/**"), Fault::StarInKey);
    assert_eq!(key("/db/{nam}"), Fault::Unbound { name: "nam".into() });
    assert_eq!(
        key("/{name}/{name}"),
        Fault::NameTwice {
            name: "name".into()
        }
    );
    assert!(matches!(key("/db-{name}"), Fault::Brace { .. }));
}

#[test]
fn a_rule_that_an_earlier_one_hides_is_refused_and_both_are_named() {
    let hidden = [
        ("/db/**", "/db/x/**"),
        ("/**", "/"),
        ("/db/**", "/db"),
        ("/db/{a}/**", "/db/x"),
        ("/db/{a}", "/db/{b}"),
        ("/db/*", "/db/{b}"),
        ("/db/*/**", "/db/"),
        ("/db/*", "/db/"),
        ("/a", "/a"),
    ];
    for (earlier, later) in hidden {
        assert_eq!(
            refusal(&[("/first", "/first"), (earlier, "/k"), (later, "/l")]),
            KeyRulesError::Unreachable {
                at: 2,
                pattern: later.into(),
                earlier: 1,
                earlier_pattern: earlier.into(),
            }
        );
    }
}

#[test]
fn a_rule_that_only_overlaps_an_earlier_one_is_allowed() {
    let overlapping = [
        ("/db/{a}", "/db/{a}/**"),
        ("/db/x/**", "/db/{a}/**"),
        ("/db/{a}", "/db/*"),
        ("/db/{a}/**", "/db/**"),
        ("/db/*/x", "/db/y/*"),
        ("/db/{a}", "/db/"),
    ];
    for (earlier, later) in overlapping {
        rules(&[(earlier, "/k"), (later, "/l")]);
    }
}

#[test]
fn a_key_that_the_rules_map_on_is_refused_with_both_keys() {
    let mapped_on = |texts: &[(&str, &str)]| match refusal(texts) {
        KeyRulesError::MappedOn { at, key, by, onto } => (at, key, by, onto),
        other => panic!("{other}"),
    };
    let expected = |at, key: &str, by, onto: &str| (at, key.to_owned(), by, onto.to_owned());
    // A chain of two rules, in either order.
    assert_eq!(
        mapped_on(&[("/a/{x}", "/b/{x}"), ("/b/{y}", "/c/{y}")]),
        expected(0, "/b/{x}", 1, "/c/{x}")
    );
    assert_eq!(
        mapped_on(&[("/b/{y}", "/c/{y}"), ("/a/{x}", "/b/{x}")]),
        expected(1, "/b/{x}", 0, "/c/{x}")
    );
    // A rule that maps its own keys on.
    assert_eq!(
        mapped_on(&[("/{x}/**", "/k/{x}")]),
        expected(0, "/k/{x}", 0, "/k/k")
    );
    assert_eq!(
        mapped_on(&[("/{x}/{y}", "/{y}/{x}")]),
        expected(0, "/{y}/{x}", 0, "/{x}/{y}")
    );
    // Only some of the keys are mapped on.
    assert_eq!(
        mapped_on(&[("/a/{x}", "/b/{x}"), ("/b/system", "/system")]),
        expected(0, "/b/system", 1, "/system")
    );
}

#[test]
fn a_key_that_is_mapped_to_itself_or_never_made_is_allowed() {
    let sound: [&[(&str, &str)]; 7] = [
        &[DATABASES],
        // The key of the second is a path of the first, which keeps it.
        &[DATABASES, ("/backup/{name}", "/db/{name}")],
        &[("/backup/{name}", "/db/{name}"), DATABASES],
        // `/db/system` would be mapped on, but the second rule never makes it.
        &[("/db/system/**", "/system"), DATABASES],
        // The first rule keeps the second's keys from being mapped on.
        &[("/k/{x}", "/k/{x}"), ("/{x}/**", "/k/{x}")],
        &[("/{x}", "/db/{x}")],
        &[("/**", "/all")],
    ];
    for texts in sound {
        rules(texts);
    }
}

#[test]
fn there_are_at_most_a_hundred_rules() {
    let texts: Vec<_> = (0..=RULES_MAX).map(|n| (format!("/{n}"), "/k")).collect();
    assert!(KeyRules::parse(texts[1..].to_vec()).is_ok());
    assert_eq!(KeyRules::parse(texts), Err(KeyRulesError::TooMany));
}

#[test]
fn a_refusal_says_which_rule_and_what_to_change() {
    let error = refusal(&[DATABASES, ("/a*", "/a")]);
    assert_eq!(
        format!("{error}: it {}", error.source().unwrap()),
        "the pattern \"/a*\" of key rule 1 cannot be used: \
         it has a star inside the segment \"a*\"; a star is a whole segment"
    );
    assert_eq!(
        refusal(&[("/db/**", "/db"), DATABASES]).to_string(),
        "key rule 1 (/db/{name}/**) never applies, because key rule 0 (/db/**) matches all of its \
         paths; put it before that one or leave it out"
    );
}
