//! The controller of a run: the real program, with the same ports and the same folder after every
//! restart.

use std::{ffi::OsString, fs, net::Ipv4Addr, path::PathBuf};

use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpStream;

use super::{port, setup::Setup};
use crate::process::{ProcessError, Running, until};

/// The admin key of every controller here.
pub(crate) const ADMIN_KEY: &str = "0123456789abcdef0123456789abcdef";

/// The controller.
#[derive(Debug)]
pub(crate) struct Controller {
    program: PathBuf,
    folder: PathBuf,
    settings: Vec<String>,
    ports: Ports,
    running: Option<Running>,
}

/// Where a controller listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// For clients.
    pub(crate) clients: u16,
    /// For workers.
    pub(crate) workers: u16,
    /// For operators.
    pub(crate) admin: u16,
}

impl Controller {
    /// Starts it, and waits until it serves.
    ///
    /// # Errors
    ///
    /// When it does not get to serve.
    pub(super) async fn start(setup: &Setup, folder: PathBuf) -> Result<Self, ProcessError> {
        let found = || ProcessError::at("finding a free port");
        let ports = Ports {
            clients: port::free().map_err(found())?,
            workers: port::free().map_err(found())?,
            admin: port::free().map_err(found())?,
        };
        let file = folder.join("constellation.json");
        let settings = settings(setup, ports).to_string();
        fs::write(&file, settings).map_err(ProcessError::at("writing the settings"))?;
        let mut controller = Self {
            program: setup.program.clone(),
            folder,
            settings: setup.set.clone(),
            ports,
            running: None,
        };
        controller.start_again().await?;
        Ok(controller)
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    /// The id of its process; 0 when it does not run.
    pub(crate) fn id(&self) -> u32 {
        self.running.as_ref().map_or(0, Running::id)
    }

    /// Starts it after its end, and waits until it serves.
    ///
    /// # Errors
    ///
    /// When it does not get to serve.
    pub(crate) async fn start_again(&mut self) -> Result<(), ProcessError> {
        let file = self.folder.join("constellation.json");
        let mut arguments: Vec<OsString> = vec!["serve".into(), "--config".into(), file.into()];
        for setting in &self.settings {
            arguments.extend(["--set".into(), setting.into()]);
        }
        let running = Running::start(&self.program, arguments, &self.folder, "controller.log")?;
        self.running = Some(running);
        for port in [self.ports.clients, self.ports.workers, self.ports.admin] {
            until(&format!("a listener on port {port}"), async || {
                let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
                connected.await.is_ok()
            })
            .await?;
        }
        Ok(())
    }

    /// Kills it.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub(crate) async fn kill(&mut self) -> Result<(), ProcessError> {
        if let Some(mut running) = self.running.take() {
            running.kill().await?;
        }
        Ok(())
    }

    /// Tells it to end, and waits for that.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub(crate) async fn end(&mut self) -> Result<(), ProcessError> {
        if let Some(mut running) = self.running.take() {
            running.signal(Signal::TERM);
            running.ended().await?;
        }
        Ok(())
    }
}

fn settings(setup: &Setup, ports: Ports) -> serde_json::Value {
    let on_disconnect = if setup.reassign {
        "Reassign"
    } else {
        "WaitForLease"
    };
    json!({
        "Webserver": { "Hostname": "127.0.0.1", "Port": ports.clients, "Threads": 1 },
        "Websocket": { "Hostnames": ["127.0.0.1"], "Port": ports.workers },
        "Heartbeat": {
            "IntervalMs": setup.interval().as_millis(),
            "MaxFailures": setup.failures_max(),
        },
        "Proxy": { "TimeoutMs": 20_000 },
        "Ownership": { "OnDisconnect": on_disconnect },
        "Admin": { "Hostname": "127.0.0.1", "Port": ports.admin, "ApiKeys": [ADMIN_KEY] },
        "Logging": { "EnableColors": false },
    })
}
