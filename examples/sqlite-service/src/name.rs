//! The name of a database, as it stands in the path. It never reaches the file system unchecked.
//!
//! One database must have exactly one key, or it could get two owners. So a name has a single
//! spelling: no percent-escapes, no upper case (`Orders.db` and `orders.db` are one file on some
//! file systems), no dots and no slashes.

use std::fmt;

/// The most bytes a database's name may have.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// The checked name of a database: 1 to [`NAME_BYTES_MAX`] of `a-z`, `0-9`, `_` and `-`, the first
/// one a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatabaseName(String);

/// Why a path names no database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// The path is not `/db/` and one more segment.
    #[error("databases are at /db/<name>")]
    NotADatabase,
    /// The name has another length or other characters than it may have.
    #[error(
        "a database's name is 1 to {NAME_BYTES_MAX} of a-z, 0-9, _ and -, and begins with a letter \
         or a digit"
    )]
    Unfit,
}

impl DatabaseName {
    /// The database that a raw path (undecoded, without the query) names.
    ///
    /// # Errors
    ///
    /// When the path is not `/db/<name>`, or the name is not fit for a file.
    pub(crate) fn from_path(path: &str) -> Result<Self, NameError> {
        let name = path.strip_prefix("/db/").ok_or(NameError::NotADatabase)?;
        if name.is_empty() || name.contains('/') {
            return Err(NameError::NotADatabase);
        }
        if is_fit(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(NameError::Unfit)
        }
    }

    /// The name of the database's file, without a folder.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.db", self.0)
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_fit(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= NAME_BYTES_MAX
        && name.bytes().next().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_becomes_a_file_of_its_own() {
        let name = DatabaseName::from_path("/db/customers").unwrap();
        assert_eq!(
            (&*name.0, name.file_name().as_str()),
            ("customers", "customers.db")
        );
        for name in ["0", "a-b_c-9", &"x".repeat(NAME_BYTES_MAX)] {
            assert!(
                DatabaseName::from_path(&format!("/db/{name}")).is_ok(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_path_that_is_not_of_the_form_names_no_database() {
        for path in [
            "/", "/db", "/db/", "/db/a/b", "/db//a", "/dbx", "/other/a", "db/a", "/DB/a",
        ] {
            assert_eq!(
                DatabaseName::from_path(path),
                Err(NameError::NotADatabase),
                "{path} was taken"
            );
        }
    }

    #[test]
    fn a_name_that_could_leave_the_folder_or_be_spelt_twice_is_refused() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for name in [
            "..", ".", "a.b", ".hidden", "..%2f", "%61", "a%00", "a b", "a\\b", "-x", "_x",
            "Orders", "ä", "a:b", "a;b", "con.db", "~", &long,
        ] {
            assert_eq!(
                DatabaseName::from_path(&format!("/db/{name}")),
                Err(NameError::Unfit),
                "{name} was taken"
            );
        }
    }
}
