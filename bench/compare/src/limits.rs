//! How many connections this process and those that it starts may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::{Error, at};

/// Raises the limit of open files to the most that is allowed. What is started later inherits it.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn raise_files() -> Result<(), Error> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised)
        .map_err(|error| at("raising the limit of open files")(error.into()))
}
