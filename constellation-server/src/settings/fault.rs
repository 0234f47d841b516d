//! What is wrong with a setting, and where it was given. A fault never shows a secret.

use std::{fmt, path::PathBuf};

/// Where a setting was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The settings file.
    File(PathBuf),
    /// An environment variable, by its name.
    Environment(String),
    /// A flag of the command line, as it is written.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Environment(variable) => write!(formatter, "environment variable {variable}"),
            Self::Flag(flag) => write!(formatter, "flag {flag}"),
        }
    }
}

/// One setting that stops the start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {member} {problem}")]
pub(crate) struct Fault {
    /// Where it was given.
    pub(crate) at: Source,
    /// The member's path, as it was typed.
    pub(crate) member: String,
    /// What is wrong with it.
    pub(crate) problem: Problem,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// There is no member of this name; `hint` says which there are.
    #[error("is not a known setting; {hint}")]
    Unknown {
        /// The nearest name, or every known one.
        hint: String,
    },
    /// It is given more than once.
    #[error("is given more than once")]
    Twice,
    /// Its value is of another type, out of range, or of the wrong form.
    #[error("is {found}; allowed is {allowed}")]
    NotAllowed {
        /// The value, or what may be said of it.
        found: String,
        /// What the member takes.
        allowed: String,
    },
    /// The value asks for something that would be dangerous to ignore.
    #[error("is {found}; {reason}")]
    Unsupported {
        /// The value.
        found: String,
        /// Why it is refused and what to do.
        reason: &'static str,
    },
    /// It does not fit another setting.
    #[error("{0}")]
    Conflict(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_source_the_member_the_value_and_what_is_allowed() {
        let fault = Fault {
            at: Source::Environment("CONSTELLATION__HEARTBEAT__INTERVALMS".into()),
            member: "Heartbeat.IntervalMs".into(),
            problem: Problem::NotAllowed {
                found: "5".into(),
                allowed: "1000 to 60000".into(),
            },
        };
        assert_eq!(
            fault.to_string(),
            "environment variable CONSTELLATION__HEARTBEAT__INTERVALMS: \
             Heartbeat.IntervalMs is 5; allowed is 1000 to 60000"
        );
    }
}
