//! The application and the controller, started as a user would.

use std::{path::Path, process::Command};

use constellation_testing::program::{Program, sibling};
use tempfile::TempDir;

const APPLICATION: &str = env!("CARGO_BIN_EXE_hosted-app");

/// Everything below a notebook is one key.
const ROUTES: &str = r#"Routes=[{"Pattern":"/notebooks/{name}/**","Key":"/notebooks/{name}"}]"#;

/// The application by itself, and its address.
pub(crate) fn alone(data: &Path) -> (Program, String) {
    let mut command = Command::new(APPLICATION);
    let program = Program::start(
        command
            .args(["--listen=127.0.0.1:0", "--data-dir"])
            .arg(data),
    );
    let url = program.line("its address", |line| {
        Some(line.split_once("listening on ")?.1.trim().to_owned())
    });
    (program, url)
}

/// A running controller.
pub(crate) struct Controller {
    _program: Program,
    _folder: TempDir,
    pub(crate) url: String,
    workers_url: String,
}

impl Controller {
    /// One with leases of three seconds, and no grace: no worker is older than it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = [
            "Webserver.Port=0",
            "Websocket.Port=0",
            "Admin.Port=0",
            "Heartbeat.IntervalMs=1000",
            "Ownership.StartupGraceMs=0",
            ROUTES,
        ];
        let mut command = Command::new(sibling(APPLICATION, "constellation"));
        command.arg("serve").current_dir(folder.path());
        for setting in settings {
            command.args(["--set", setting]);
        }
        let program = Program::start(&mut command);
        let port = |whom: &str| {
            program.line(&format!("the port for {whom}"), |line| {
                let line = line.split_once(&format!("listening whom={whom}"))?.1;
                line.split_once("127.0.0.1:")?.1.trim().parse::<u16>().ok()
            })
        };
        let (clients, workers) = (port("clients"), port("workers"));
        Self {
            _program: program,
            _folder: folder,
            url: format!("http://127.0.0.1:{clients}"),
            workers_url: format!("ws://127.0.0.1:{workers}"),
        }
    }

    /// The application as a worker, once the controller has welcomed it.
    pub(crate) fn worker(&self, name: &str, data: &Path) -> Program {
        let mut command = Command::new(APPLICATION);
        command
            .args([
                "--controller",
                &self.workers_url,
                "--name",
                name,
                "--data-dir",
            ])
            .arg(data);
        let worker = Program::start(&mut command);
        worker.line("the welcome", |line| {
            line.contains("connected controller").then_some(())
        });
        worker
    }
}
