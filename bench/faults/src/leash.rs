//! Ties a program to the process that starts it: when that one ends, whatever the way, so does the
//! program. It becomes the program, so that there is no process in between.

use std::{ffi::OsString, io, os::unix::process::CommandExt, process::Command};

use clap::Args;
use rustix::process::{Signal, set_parent_process_death_signal};

/// The program and its arguments.
#[derive(Clone, Debug, Args)]
pub(crate) struct LeashArguments {
    /// The process that it must not outlive
    #[arg(long)]
    parent: u32,
    /// The program
    program: OsString,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Becomes the program. Returns only when that fails, with the reason.
pub(crate) fn run(leash: &LeashArguments) -> io::Error {
    match set_parent_process_death_signal(Some(Signal::KILL)) {
        // It may have ended before it could be tied to: then nobody would send the signal.
        Ok(()) if std::os::unix::process::parent_id() != leash.parent => {
            io::Error::other("the process that started this one has ended")
        }
        Ok(()) => Command::new(&leash.program).args(&leash.arguments).exec(),
        Err(error) => error.into(),
    }
}
