//! The running game: started as a user would, on free ports, in a folder of its own.

use std::{path::Path, process::Command};

use constellation_testing::{
    http::{self, Answer},
    program::Program,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The command.
pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_game-world"))
}

/// A game with three workers.
#[derive(Debug)]
pub(crate) struct Game {
    pub(crate) program: Program,
    pub(crate) port: u16,
    pub(crate) data: TempDir,
}

impl Game {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap())
    }

    /// One with these flags besides.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = with_free_ports(data.path());
        command.args(flags);
        Self::run(&mut command, data)
    }

    pub(crate) fn start_in(data: TempDir) -> Self {
        Self::run(&mut with_free_ports(data.path()), data)
    }

    fn run(command: &mut Command, data: TempDir) -> Self {
        let program = Program::start(command);
        let port = program.line("the address", |line| {
            let address = line.strip_prefix("Game worlds on http://127.0.0.1:")?;
            address.split_once('/')?.0.parse().ok()
        });
        Self {
            program,
            port,
            data,
        }
    }

    pub(crate) fn post(&self, path: &str) -> Answer {
        http::request(self.port, "POST", path, &[], b"")
    }

    /// What the world says of itself.
    pub(crate) fn look(&self, world: &str) -> Value {
        let answer = http::get(self.port, &format!("/games/{world}/state"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

/// The command with free ports and this folder.
pub(crate) fn with_free_ports(data: &Path) -> Command {
    let mut command = command();
    command.args(["--port=0", "--worker-port=0", "--data-dir"]);
    command.arg(data);
    command
}

/// Sends a worker a signal.
pub(crate) fn signal(process: u64, signal: Signal) {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw);
    kill_process(id.unwrap(), signal).unwrap();
}
