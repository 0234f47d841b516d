//! The running program: started on free ports in a folder of its own, killed at the end.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::http::{self, Answer};

/// A running service.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) port: u16,
}

impl Program {
    /// Starts it and waits until it says that it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    pub(crate) fn start_with(data: &Path, flags: &[&str]) -> Self {
        let mut child = command(data)
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("it ended before it listened").unwrap();
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
        Self { child, port }
    }

    /// Runs one statement on a database.
    #[track_caller]
    pub(crate) fn run(&self, database: &str, sql: &str) -> Answer {
        self.request("POST", &format!("/db/{database}"), sql.as_bytes())
    }

    #[track_caller]
    pub(crate) fn request(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        http::request(self.port, method, path, body)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with free ports and this data folder, not started yet.
pub(crate) fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sqlite-service"));
    command
        .args(["--port=0", "--worker-port=0", "--data-dir"])
        .arg(data)
        .stderr(Stdio::null());
    command
}
