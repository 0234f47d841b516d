//! What holds for any rules that pass the checks, and any paths.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// A segment of a path, of few kinds, so that rules meet.
fn path_segment() -> impl Strategy<Value = &'static str> {
    select(vec!["", "a", "b", "c", "{x}", "*"])
}

fn path() -> impl Strategy<Value = String> {
    vec(path_segment(), 1..5).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn pattern() -> impl Strategy<Value = String> {
    let segment = select(vec!["", "a", "b", "c", "*", "{x}", "{y}", "{z}"]);
    (vec(segment, 0..4), any::<bool>()).prop_map(|(mut segments, rest)| {
        if rest || segments.is_empty() {
            segments.push("**");
        }
        format!("/{}", segments.join("/"))
    })
}

fn key() -> impl Strategy<Value = String> {
    let segment = select(vec!["", "a", "b", "{x}", "{y}", "{z}"]);
    vec(segment, 1..4).prop_map(|segments| format!("/{}", segments.join("/")))
}

/// Those of the rules that can be used with the ones before them.
fn sound(candidates: Vec<(String, String)>) -> (KeyRules, Vec<(String, String)>) {
    let mut sound = Vec::new();
    for candidate in candidates {
        sound.push(candidate);
        if KeyRules::parse(sound.clone()).is_err() {
            sound.pop();
        }
    }
    (KeyRules::parse(sound.clone()).unwrap(), sound)
}

/// Whether a path matches, said another way than the code does.
fn is_match(pattern: &str, path: &str) -> bool {
    let wanted: Vec<_> = pattern.split('/').collect();
    let found: Vec<_> = path.split('/').collect();
    let one = |(wanted, found): (&&str, &&str)| match *wanted {
        "*" => true,
        name if name.starts_with('{') => !found.is_empty(),
        literal => literal == *found,
    };
    match wanted.as_slice() {
        [fixed @ .., "**"] => found.len() >= fixed.len() && fixed.iter().zip(&found).all(one),
        fixed => found.len() == fixed.len() && fixed.iter().zip(&found).all(one),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_key_maps_to_itself(
        candidates in vec((pattern(), key()), 1..12),
        paths in vec(path(), 20),
    ) {
        let (rules, _) = sound(candidates);
        for path in paths {
            let key = rules.key_of(&path);
            prop_assert_eq!(rules.key_of(&key), key.as_ref(), "the key of {}", path);
        }
    }

    #[test]
    fn the_first_rule_that_matches_decides_and_equal_rules_agree(
        candidates in vec((pattern(), key()), 1..12),
        paths in vec(path(), 20),
    ) {
        let (rules, texts) = sound(candidates);
        let again = KeyRules::parse(texts.clone()).unwrap();
        for path in paths {
            prop_assert_eq!(again.key_of(&path), rules.key_of(&path));
            let first = texts.iter().position(|(pattern, _)| is_match(pattern, &path));
            let own = first.map(|at| rules.rules[at].key_of(&path));
            let wanted = own.flatten().unwrap_or(Cow::Borrowed(&path));
            prop_assert_eq!(rules.key_of(&path), wanted);
        }
    }

    #[test]
    fn any_text_is_a_rule_or_refused(pattern in ".{0,40}", key in ".{0,40}", path in ".{0,40}") {
        if let Ok(rules) = KeyRules::parse([(pattern, key)]) {
            let _key = rules.key_of(&path);
        }
    }
}
