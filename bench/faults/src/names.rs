//! The names that runner, workers and checker share. They say which thing is meant and nothing else.

use std::{fmt, num::ParseIntError, str::FromStr};

macro_rules! number {
    ($(#[$meta:meta])* $name:ident($inner:ty)) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) $inner);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }
    };
}

number! {
    /// A key with a database, by its number.
    Key(u32)
}
number! {
    /// A request of a client of this run. No two have the same.
    RequestId(u64)
}
number! {
    /// A process that was a worker at some time of this run, counted from 0.
    Process(usize)
}
number! {
    /// The place of a row in its database: rows are only ever added behind the last.
    Row(u64)
}

impl Key {
    /// The path of its requests.
    pub(crate) fn path(self) -> String {
        format!("/kv/{self}")
    }

    /// The key of a path; `None` for a path that has no database.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        path.strip_prefix("/kv/")?.parse().ok()
    }

    /// The name of its database's file.
    pub(crate) fn file(self) -> String {
        format!("kv-{self}.db")
    }
}
