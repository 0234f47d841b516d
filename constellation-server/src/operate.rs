//! The operator's commands: each asks a running controller over its admin API, and says what came
//! of it, in words for people or in the controller's own JSON for scripts.
//!
//! Nothing is decided here: what cannot be done, the controller refuses.

use std::{
    ffi::OsString,
    io::{self, Write},
};

use actix_web::rt::System;

mod balance;
mod client;
mod connection;
mod counters;
mod drain;
mod explain;
mod keys;
mod names;
mod pick;
mod relocate;
mod table;
mod words;
mod workers;

use self::{client::Client, connection::Connection};
use crate::arguments::operator::{AdminArguments, OperatorCommand};

/// Why a command did not do what it is for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It cannot be known where the controller is or how to get in.
    #[error(transparent)]
    Connection(#[from] connection::Error),
    /// The controller refuses, or cannot be asked.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// It cannot be told which worker is meant.
    #[error(transparent)]
    Pick(#[from] pick::Error),
    /// A drain does not go on.
    #[error(transparent)]
    Drain(#[from] drain::Error),
    /// A key did not get where it should.
    #[error(transparent)]
    Relocate(#[from] relocate::Error),
    /// The output has no reader.
    #[error("cannot print")]
    Print(#[from] io::Error),
}

impl Error {
    /// The process's exit code: 2 when the user has to change something typed, else 1.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Connection(_) => 2,
            Self::Client(_)
            | Self::Pick(_)
            | Self::Drain(_)
            | Self::Relocate(_)
            | Self::Print(_) => 1,
        }
    }
}

/// What every command has: whom to ask, where to print, and how.
struct Session<'a, W> {
    client: Client,
    output: &'a mut W,
    json: bool,
}

/// Runs a command with this environment, and prints its outcome.
///
/// # Errors
///
/// When the controller cannot be asked or refuses, or the command did not come to its end.
pub(crate) fn run(
    command: OperatorCommand,
    environment: Vec<(OsString, OsString)>,
    output: &mut impl Write,
) -> Result<(), Error> {
    let AdminArguments { timeout, json, .. } = *admin(&command);
    let connection = Connection::find(admin(&command), environment)?;
    System::new().block_on(async {
        let session = Session {
            client: Client::new(connection, timeout),
            output,
            json,
        };
        session.run(command).await
    })
}

fn admin(command: &OperatorCommand) -> &AdminArguments {
    match command {
        OperatorCommand::Workers(admin) | OperatorCommand::Counters(admin) => admin,
        OperatorCommand::Keys(arguments) => &arguments.admin,
        OperatorCommand::Explain(arguments) | OperatorCommand::Unpin(arguments) => &arguments.admin,
        OperatorCommand::Drain(arguments) => &arguments.worker.admin,
        OperatorCommand::Cordon(arguments) | OperatorCommand::Uncordon(arguments) => {
            &arguments.admin
        }
        OperatorCommand::Move(arguments) => &arguments.admin,
        OperatorCommand::Rebalance(arguments) => &arguments.admin,
    }
}

impl<W: Write> Session<'_, W> {
    async fn run(mut self, command: OperatorCommand) -> Result<(), Error> {
        match command {
            OperatorCommand::Workers(_) => self.workers().await,
            OperatorCommand::Keys(arguments) => self.keys(&arguments).await,
            OperatorCommand::Explain(arguments) => self.explain(&arguments.key).await,
            OperatorCommand::Drain(arguments) => {
                self.drain(&arguments.worker.worker, arguments.no_wait)
                    .await
            }
            OperatorCommand::Cordon(arguments) => self.cordon(&arguments.worker).await,
            OperatorCommand::Uncordon(arguments) => self.uncordon(&arguments.worker).await,
            OperatorCommand::Move(arguments) => self.relocate(&arguments).await,
            OperatorCommand::Unpin(arguments) => self.unpin(&arguments.key).await,
            OperatorCommand::Rebalance(arguments) => self.rebalance(arguments.mode).await,
            OperatorCommand::Counters(_) => self.counters().await,
        }
    }

    /// Prints a line at once.
    fn print(&mut self, line: &str) -> Result<(), Error> {
        writeln!(self.output, "{line}")?;
        Ok(self.output.flush()?)
    }

    /// Prints the controller's JSON as it came, or else what it says in words.
    fn tell(&mut self, json: &str, words: impl FnOnce() -> String) -> Result<(), Error> {
        if self.json {
            self.print(json)
        } else {
            self.print(&words())
        }
    }
}
