//! What is measured: Constellation with two workers, nginx and HAProxy with two backends, and one
//! backend without a proxy. All answer the same requests in the same way.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Serialize;

mod configuration;
pub(crate) mod constellation;

use self::constellation::Setup;
use crate::{
    error::{Error, at},
    process::{Process, free_port, require},
};

/// The length of a small answer.
pub(crate) const BODY_BYTES: usize = 100;

/// How many workers or backends stand behind a proxy.
const FAR_SIDES: usize = 2;

/// Something that answers requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Peer {
    /// The controller, with two echo workers.
    Constellation,
    /// nginx, with two backends.
    Nginx,
    /// HAProxy, with two backends.
    Haproxy,
    /// One backend, without a proxy.
    Direct,
}

impl Peer {
    /// Every peer, in the order in which they are measured.
    pub(crate) const ALL: [Self; 4] = [
        Self::Constellation,
        Self::Nginx,
        Self::Haproxy,
        Self::Direct,
    ];

    /// Its name in a table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Constellation => "constellation",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Direct => "no proxy",
        }
    }
}

/// Where a controller keeps its pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Store {
    /// Nowhere.
    Memory,
    /// In a file.
    Sqlite,
}

impl Store {
    /// Every store.
    pub(crate) const ALL: [Self; 2] = [Self::Memory, Self::Sqlite];

    /// Its name in a table and in the settings.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "Memory",
            Self::Sqlite => "SQLite",
        }
    }
}

/// A peer that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where it answers.
    pub(crate) port: u16,
    /// The proxy: nothing without one.
    pub(crate) proxy: Vec<Process>,
    /// The workers or backends.
    pub(crate) far: Vec<Process>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Kills every process of it.
    ///
    /// # Errors
    ///
    /// When one cannot be killed.
    pub(crate) fn kill(mut self) -> Result<(), Error> {
        let mut all = self.far.iter_mut().chain(&mut self.proxy);
        all.try_for_each(Process::kill)
    }
}

/// Starts `peer` with `threads` threads or processes of its proxy, and waits until it answers.
///
/// # Errors
///
/// When a program is missing or does not come up.
pub(crate) fn start(peer: Peer, threads: usize) -> Result<Running, Error> {
    run(|folder| match peer {
        Peer::Constellation => constellation::start(folder, &Setup::of(threads)),
        Peer::Nginx => proxied(folder, "nginx", "nginx-light", |file, listen, backends| {
            let text = configuration::nginx(folder, threads, listen, backends);
            fs::write(file, text).map(|()| {
                let (prefix, file) = (folder.display().to_string(), file.display().to_string());
                vec!["-p".to_owned(), prefix, "-c".to_owned(), file]
            })
        }),
        Peer::Haproxy => proxied(folder, "haproxy", "haproxy", |file, listen, backends| {
            fs::write(file, configuration::haproxy(threads, listen, backends))
                .map(|()| vec!["-f".to_owned(), file.display().to_string()])
        }),
        Peer::Direct => {
            let (port, backend) = backend(folder)?;
            Ok((port, Vec::new(), vec![backend]))
        }
    })
}

/// Starts Constellation as `setup` says, and waits until it answers.
///
/// # Errors
///
/// When a program is missing or does not come up.
pub(crate) fn constellation(setup: &Setup) -> Result<Running, Error> {
    run(|folder| constellation::start(folder, setup))
}

fn run(start: impl FnOnce(&Path) -> Result<Started, Error>) -> Result<Running, Error> {
    let folder = tempfile::tempdir().map_err(at("making a folder"))?;
    let (port, proxy, far) = start(folder.path())?;
    Ok(Running {
        port,
        proxy,
        far,
        _folder: folder,
    })
}

/// The port, the proxy and the far side.
type Started = (u16, Vec<Process>, Vec<Process>);

/// A proxy and its backends; `configure` writes its file and tells its arguments.
fn proxied(
    folder: &Path,
    program: &str,
    package: &str,
    configure: impl FnOnce(&Path, u16, &[u16]) -> std::io::Result<Vec<String>>,
) -> Result<Started, Error> {
    require(program, package)?;
    let port = free_port()?;
    let mut backends = Vec::new();
    for _ in 0..FAR_SIDES {
        backends.push(backend(folder)?);
    }
    let ports: Vec<_> = backends.iter().map(|(port, _)| *port).collect();
    let file = folder.join(format!("{program}.conf"));
    let arguments = configure(&file, port, &ports).map_err(at("writing a configuration"))?;
    let log = folder.join(format!("{program}.log"));
    let mut proxy = Process::start(program, arguments, &log)?;
    proxy.listens(port)?;
    crate::http::until_answered(port)?;
    let far = backends.into_iter().map(|(_, process)| process).collect();
    Ok((port, vec![proxy], far))
}

fn backend(folder: &Path) -> Result<(u16, Process), Error> {
    let port = free_port()?;
    let this = std::env::current_exe().map_err(at("finding this program"))?;
    let (listen, bytes) = (port.to_string(), BODY_BYTES.to_string());
    let arguments = ["backend", "--port", &listen, "--body-bytes", &bytes];
    let log = folder.join(format!("backend-{port}.log"));
    let mut process = Process::start(this, arguments, &log)?;
    process.listens(port)?;
    Ok((port, process))
}

/// A program of this workspace, built in the same way as this one.
fn beside(name: &str) -> Result<PathBuf, Error> {
    let this = std::env::current_exe().map_err(at("finding this program"))?;
    let program = this.with_file_name(name);
    if program.is_file() {
        return Ok(program);
    }
    Err(Error::Program(format!(
        "{} is not built",
        program.display()
    )))
}
