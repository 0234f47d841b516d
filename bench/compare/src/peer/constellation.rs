//! Constellation: a controller with two echo workers.

use std::path::Path;

use super::{BODY_BYTES, FAR_SIDES, Started, Store, beside};
use crate::{
    error::Error,
    process::{Process, free_port},
};

/// How it is started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The threads that carry clients and workers.
    pub(crate) threads: usize,
    /// Where the controller keeps its pins.
    pub(crate) store: Store,
    /// Further settings of the controller.
    pub(crate) settings: Vec<String>,
    /// A program that runs the controller, and its arguments; nothing for none.
    pub(crate) under: Vec<String>,
}

impl Setup {
    /// Nothing but what every measurement has.
    pub(crate) fn of(threads: usize) -> Self {
        Self {
            threads,
            store: Store::Memory,
            settings: Vec::new(),
            under: Vec::new(),
        }
    }
}

/// The id of a worker, as `x-worker` names it in an answer.
pub(crate) fn worker_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

pub(super) fn start(folder: &Path, setup: &Setup) -> Result<Started, Error> {
    let (clients, workers, admin) = (free_port()?, free_port()?, free_port()?);
    let mut settings = vec![
        format!("Store.Kind={}", setup.store.name()),
        format!("Store.File={}", folder.join("pins.db").display()),
        // No worker of an earlier life can be there, so nobody waits for one.
        "Ownership.StartupGraceMs=0".to_owned(),
        // The peers add none either: all give the same answer.
        "Webserver.Headers.DefaultHeaders={}".to_owned(),
        "Webserver.Hostname=127.0.0.1".to_owned(),
        format!("Webserver.Port={clients}"),
        format!("Webserver.Threads={}", setup.threads),
        "Websocket.Hostnames=127.0.0.1".to_owned(),
        format!("Websocket.Port={workers}"),
        format!("Admin.Port={admin}"),
        "Logging.MinimumSeverity=2".to_owned(),
    ];
    settings.extend_from_slice(&setup.settings);
    let mut command = setup.under.clone();
    command.push(beside("constellation")?.display().to_string());
    command.push("serve".to_owned());
    // The file is not there; the controller writes one with a key for admins.
    let file = folder.join("constellation.json").display().to_string();
    command.extend(["--config".to_owned(), file]);
    for setting in settings {
        command.extend(["--set".to_owned(), setting]);
    }
    let log = folder.join("controller.log");
    let mut controller = Process::start(&command[0], &command[1..], &log)?;
    controller.listens(clients)?;
    controller.listens(workers)?;
    let far = (0..FAR_SIDES).map(|number| worker(folder, workers, number));
    let far = far.collect::<Result<_, _>>()?;
    crate::http::until_answered(clients)?;
    Ok((clients, vec![controller], far))
}

fn worker(folder: &Path, port: u16, number: usize) -> Result<Process, Error> {
    let (url, id) = (format!("ws://127.0.0.1:{port}"), worker_id(number));
    let bytes = BODY_BYTES.to_string();
    let arguments = [
        "--url",
        &url,
        "--body-bytes",
        &bytes,
        "--quiet",
        "--id",
        &id,
    ];
    let log = folder.join(format!("worker-{number}.log"));
    Process::start(beside("echo-worker")?, arguments, &log)
}
