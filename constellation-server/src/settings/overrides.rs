//! Settings from the environment and from the command line, as they were typed.
//!
//! Never reads the environment itself: its variables are an argument.

use std::ffi::OsString;

use super::fault::{Fault, Problem, Source};

/// What every environment variable of a setting begins with.
pub(crate) const PREFIX: &str = "CONSTELLATION__";

/// A text for one member, or for one entry of it.
///
/// It is not `Debug` outside tests, because the text may be a secret.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Override {
    /// Where it was given.
    pub(crate) source: Source,
    /// The names from the root of the document.
    pub(crate) path: Vec<String>,
    /// How they were spelt.
    pub(crate) spelling: Spelling,
    /// The value.
    pub(crate) text: String,
}

/// How a member is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// With dots, and letter case counts, as in the file.
    Dotted,
    /// With two underscores, in any letter case: environment variables are written in capitals.
    Environment,
}

impl Spelling {
    /// Whether two names are the same.
    pub(crate) fn equal(self, one: &str, other: &str) -> bool {
        match self {
            Self::Dotted => one == other,
            Self::Environment => one.eq_ignore_ascii_case(other),
        }
    }

    /// What stands between two names.
    pub(crate) const fn separator(self) -> &'static str {
        match self {
            Self::Dotted => ".",
            Self::Environment => "__",
        }
    }
}

impl Override {
    /// The override of a flag, such as `--port` for `Webserver.Port`.
    pub(crate) fn flag(flag: &str, member: &str, text: String) -> Self {
        Self {
            source: Source::Flag(flag.to_owned()),
            path: member
                .split(Spelling::Dotted.separator())
                .map(str::to_owned)
                .collect(),
            spelling: Spelling::Dotted,
            text,
        }
    }
}

/// The overrides among the environment's variables, lists before their entries, and those that
/// are not Unicode as faults.
pub(crate) fn from_environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Vec<Override>, Vec<Fault>) {
    let (mut overrides, mut faults) = (Vec::new(), Vec::new());
    for (variable, value) in variables {
        let name = variable.to_string_lossy();
        let Some(path) = strip_prefix(&name) else {
            continue;
        };
        let source = Source::Environment(name.clone().into_owned());
        let path: Vec<String> = path
            .split(Spelling::Environment.separator())
            .map(str::to_owned)
            .collect();
        match value.into_string() {
            Ok(text) => overrides.push(Override {
                source,
                path,
                spelling: Spelling::Environment,
                text,
            }),
            Err(_) => faults.push(Fault {
                at: source,
                member: path.join("."),
                problem: Problem::NotAllowed {
                    found: "not Unicode".to_owned(),
                    allowed: "a text in UTF-8".to_owned(),
                },
            }),
        }
    }
    // An entry replaces part of its list, whatever order the system lists the variables in.
    overrides.sort_by_cached_key(|over| {
        let index = over.path.last().and_then(|last| last.parse::<usize>().ok());
        (over.path.len(), index, over.path.join(".").to_lowercase())
    });
    (overrides, faults)
}

/// The part of a variable's name after [`PREFIX`], in whatever letter case it is.
fn strip_prefix(name: &str) -> Option<&str> {
    let start = name.get(..PREFIX.len())?;
    start
        .eq_ignore_ascii_case(PREFIX)
        .then(|| &name[PREFIX.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Vec<Override> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        let (overrides, faults) = from_environment(variables);
        assert_eq!(faults, []);
        overrides
    }

    #[test]
    fn only_variables_with_the_prefix_are_settings() {
        let overrides = read(&[
            ("CONSTELLATION_PORT", "1"),
            ("PATH", "/bin"),
            ("constellation__webserver__port", "2"),
        ]);
        assert_eq!(overrides.len(), 1);
        assert_eq!(overrides[0].path, ["webserver", "port"]);
    }

    #[test]
    fn a_list_comes_before_its_entries_and_those_in_their_order() {
        let overrides = read(&[
            ("CONSTELLATION__ADMIN__APIKEYS__10", "k"),
            ("CONSTELLATION__ADMIN__APIKEYS__2", "c"),
            ("CONSTELLATION__ADMIN__APIKEYS", "a,b"),
        ]);
        let texts: Vec<_> = overrides.iter().map(|over| over.text.as_str()).collect();
        assert_eq!(texts, ["a,b", "c", "k"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_unicode_is_a_fault() {
        use std::os::unix::ffi::OsStringExt;

        let value = OsString::from_vec(vec![0xff]);
        let (overrides, faults) =
            from_environment([("CONSTELLATION__WEBSERVER__HOSTNAME".into(), value)]);
        assert!(overrides.is_empty());
        assert_eq!(faults[0].member, "WEBSERVER.HOSTNAME");
    }
}
