//! The key of a request: its raw path, or what a rule makes of it, unless two parsers could read
//! that path differently.

use crate::placement::{
    key::{KeyError, ResourceKey},
    key_rules::KeyRules,
    path::{self, PathError},
};

/// Why a path cannot be routed on, in words for the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unroutable {
    /// The path itself.
    #[error("The path {0}.")]
    Path(#[from] PathError),
    /// The key that a rule makes of it.
    #[error("The key of the path is none: {0}.")]
    Key(#[from] KeyError),
}

/// The key of a raw path. The path is checked as it came, whatever its key.
pub(crate) fn of_path(path: &str, rules: &KeyRules) -> Result<ResourceKey, Unroutable> {
    path::check(path)?;
    Ok(ResourceKey::parse(&rules.key_of(path))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::key::KEY_BYTES_MAX;

    fn rules(pattern: &str, key: &str) -> KeyRules {
        KeyRules::parse([(pattern, key)]).unwrap()
    }

    #[test]
    fn without_rules_a_path_is_its_key_byte_for_byte() {
        for path in ["/", "//a//b/", "/a%2Fb%20c", "/a;v=1/b"] {
            assert_eq!(of_path(path, &KeyRules::default()).unwrap().as_str(), path);
        }
    }

    #[test]
    fn a_path_is_checked_whole_although_its_key_is_a_part_of_it() {
        let rules = rules("/db/{name}/**", "/db/{name}");
        assert_eq!(of_path("/db/a/rows/1", &rules).unwrap().as_str(), "/db/a");
        let error = of_path("/db/a/../b", &rules).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The path has the dot segment \"..\", which some parsers resolve."
        );
        let long = format!("/db/a/{}", "x".repeat(KEY_BYTES_MAX));
        assert!(matches!(of_path(&long, &rules), Err(Unroutable::Path(_))));
    }

    #[test]
    fn a_key_that_a_rule_makes_longer_than_allowed_is_refused() {
        let rules = rules("/{x}", "/a-long-beginning/{x}");
        let path = format!("/{}", "x".repeat(KEY_BYTES_MAX - 1));
        assert!(matches!(
            of_path(&path, &rules),
            Err(Unroutable::Key(KeyError::TooLong { .. }))
        ));
    }
}
