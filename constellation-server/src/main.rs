//! The `constellation` binary: a controller that runs by itself, from a settings file.

use std::{env, error::Error as _, io, process::ExitCode};

use clap::Parser as _;

use crate::arguments::Arguments;

mod admin;
mod arguments;
mod clock;
mod command;
mod listen;
mod logging;
mod operate;
mod serve;
mod settings;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let environment = env::vars_os().collect();
    match command::run(arguments.command, environment, &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Prints an error and what is behind it.
fn complain(error: &command::Error) {
    eprintln!("error: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        eprintln!("  because: {error}");
        source = error.source();
    }
}
