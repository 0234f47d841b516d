//! What each subcommand does: read the settings, say what is odd about them, and hand over.

use std::{
    ffi::OsString,
    io::{self, Write},
    num::NonZeroUsize,
    thread,
};

use crate::{
    arguments::{Command, ConfigCommand, SettingsArguments},
    logging, operate, serve,
    settings::{
        load::{self, Prepared, Sources},
        schema,
        show::show,
    },
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The settings cannot be had.
    #[error(transparent)]
    Settings(#[from] load::Error),
    /// Logging cannot start.
    #[error(transparent)]
    Logging(#[from] logging::Error),
    /// The controller could not start or had to stop.
    #[error("the controller failed")]
    Serve(#[source] io::Error),
    /// The controller could not be asked, or refused.
    #[error(transparent)]
    Operate(#[from] operate::Error),
    /// The output has no reader.
    #[error("cannot print")]
    Print(#[source] io::Error),
}

impl Error {
    /// The process's exit code: 2 when the user has to change something typed, else 1.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_) => 2,
            Self::Operate(error) => error.exit_code(),
            Self::Logging(_) | Self::Serve(_) | Self::Print(_) => 1,
        }
    }
}

/// Runs a command with this environment, and prints its outcome.
///
/// # Errors
///
/// When settings are wrong, or the command cannot do what it is for.
pub(crate) fn run(
    command: Command,
    environment: Vec<(OsString, OsString)>,
    output: &mut impl Write,
) -> Result<(), Error> {
    match command {
        Command::Serve(arguments) => serve(&sources(arguments, environment), output),
        Command::Operate(command) => Ok(operate::run(command, environment, output)?),
        Command::Config(ConfigCommand::Check(arguments)) => {
            check(&sources(arguments, environment), output)
        }
        Command::Config(ConfigCommand::Show(arguments)) => {
            let settings = load::load(&sources(arguments, environment))?;
            print(output, &show(&settings))
        }
        Command::Config(ConfigCommand::Default) => {
            print(output, &schema::default_document().to_pretty())
        }
    }
}

fn serve(sources: &Sources, output: &mut impl Write) -> Result<(), Error> {
    let Prepared { settings, new_key } = load::prepare(sources)?;
    let path = sources.path.display();
    if let Some(key) = new_key {
        let key = key.expose();
        print(
            output,
            &format!("Admin key, shown only this once and kept in {path}: {key}\n"),
        )?;
    }
    logging::start(&settings.logging, filter(&sources.environment))?;
    log::info!(file:% = path; "settings read");
    for warning in settings.warnings() {
        log::warn!("{warning}");
    }
    serve::run(settings).map_err(Error::Serve)
}

fn check(sources: &Sources, output: &mut impl Write) -> Result<(), Error> {
    let settings = load::check(sources)?;
    for warning in settings.warnings() {
        print(output, &format!("warning: {warning}\n"))?;
    }
    print(output, "ok\n")
}

/// The filter of log records that the environment asks for.
fn filter(environment: &[(OsString, OsString)]) -> Option<&str> {
    let (_, value) = environment.iter().find(|(name, _)| name == "RUST_LOG")?;
    value.to_str()
}

fn sources(arguments: SettingsArguments, environment: Vec<(OsString, OsString)>) -> Sources {
    Sources {
        path: arguments.config.clone(),
        environment,
        flags: arguments.overrides(),
        cores: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
    }
}

fn print(output: &mut impl Write, text: &str) -> Result<(), Error> {
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(Error::Print)
}
