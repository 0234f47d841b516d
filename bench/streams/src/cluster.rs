//! A controller and a worker, real programs from the folder of this one, ended with the measurement.

use std::{
    env, fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
};

use constellation_testing::program::{Program, sibling};
use tempfile::TempDir;

/// Settings that a measurement needs: free ports, nothing on the disk, no grace.
const SETTINGS: &str = r#"{
    "Webserver": { "Port": 0 },
    "Websocket": { "Port": 0 },
    "Ownership": { "StartupGraceMs": 0 },
    "Admin": { "Port": null, "ApiKeys": ["a-key-that-nobody-asks-for-here"] },
    "Store": { "Kind": "Memory" }
}"#;

/// A running controller with one worker, so that all exchanges are of one session.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) controller: Program,
    pub(crate) worker: Program,
    /// Where clients are served.
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Cluster {
    /// Starts both and waits until they know each other.
    ///
    /// # Errors
    ///
    /// When the folder for the settings cannot be made.
    ///
    /// # Panics
    ///
    /// When a program is missing or does not start in time.
    pub(crate) fn start() -> io::Result<Self> {
        let folder = TempDir::with_prefix("bench-streams-")?;
        let settings = folder.path().join("constellation.json");
        fs::write(&settings, SETTINGS)?;
        let mut command = Command::new(program("constellation")?);
        command.arg("serve").arg("--config").arg(&settings);
        let controller = Program::start(command.current_dir(folder.path()));
        let port = |whom: &str| {
            controller.line(&format!("the port for {whom}"), |line| {
                let line = line.split_once(&format!("listening whom={whom}"))?.1;
                line.split_once("127.0.0.1:")?.1.trim().parse::<u16>().ok()
            })
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port("clients")));
        let url = format!("ws://127.0.0.1:{}", port("workers"));
        let mut command = Command::new(program("echo-worker")?);
        let worker = Program::start(command.args(["--quiet", "--url", &url]));
        worker.line("the welcome", |line| {
            line.contains("connected controller").then_some(())
        });
        Ok(Self {
            controller,
            worker,
            address,
            _folder: folder,
        })
    }
}

fn program(name: &str) -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    let own = own.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    Ok(sibling(own, name))
}
