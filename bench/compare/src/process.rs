//! A program that is measured. It ends with this one, whatever the way.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, at};

/// How long a program may take to listen, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often that is looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// A running program. Dropped, it is told to end, and waited for.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a program whose output goes to the file `log`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn start<S: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = S>,
        log: &Path,
    ) -> Result<Self, Error> {
        let name = program.as_ref().to_string_lossy().into_owned();
        let failed = || at(format!("starting {name}"));
        let output = File::options().create(true).append(true).open(log);
        let output = output.map_err(failed())?;
        let errors = output.try_clone().map_err(failed())?;
        // setpriv (util-linux) becomes the program, which is killed when this process ends.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program.as_ref())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(failed())?;
        Ok(Self { child, name })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, and waits for its end.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub(crate) fn kill(&mut self) -> Result<(), Error> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        let name = &self.name;
        killed.map(drop).map_err(at(format!("killing {name}")))
    }

    /// Tells it to end, and waits until it has.
    ///
    /// # Errors
    ///
    /// When it does not in time.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        if self.has_ended()? {
            return Ok(());
        }
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(id) = id {
            // It may have ended just now; then there is nobody to tell.
            let _ended = kill_process(id, Signal::TERM);
        }
        wait("the end", || self.has_ended())
    }

    fn has_ended(&mut self) -> Result<bool, Error> {
        let status = self.child.try_wait().map_err(at("waiting"))?;
        Ok(status.is_some())
    }

    /// Waits until somebody listens on `port`.
    ///
    /// # Errors
    ///
    /// When nobody does in time, or the program has ended.
    pub(crate) fn listens(&mut self, port: u16) -> Result<(), Error> {
        let name = self.name.clone();
        wait(&format!("{name} to listen on port {port}"), || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error::Program(format!("{name} has ended: {status}")));
            }
            Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.end().is_err() {
            let _ended = self.kill();
        }
    }
}

/// Waits for a condition.
///
/// # Errors
///
/// When it does not come about in time, or cannot.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that measures has a clock, and nothing else to do while it waits"
)]
pub(crate) fn wait(
    what: &str,
    mut holds: impl FnMut() -> Result<bool, Error>,
) -> Result<(), Error> {
    let begun = Instant::now();
    while !holds()? {
        if begun.elapsed() > PATIENCE {
            return Err(Error::Program(format!("not within {PATIENCE:?}: {what}")));
        }
        std::thread::sleep(INTERVAL);
    }
    Ok(())
}

/// A port of the loopback interface that nobody listens on.
///
/// # Errors
///
/// When there is none.
pub(crate) fn free_port() -> Result<u16, Error> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = bound.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(at("finding a free port"))
}

/// Whether a program can be found.
///
/// # Errors
///
/// When it cannot, with the Debian package that brings it.
pub(crate) fn require(program: &str, package: &str) -> Result<(), Error> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths)
        .chain(["/usr/sbin".into()])
        .any(|folder| folder.join(program).is_file());
    if found {
        return Ok(());
    }
    let missing = io::Error::new(
        io::ErrorKind::NotFound,
        format!("apt-get install {package}"),
    );
    Err(at(format!("looking for {program}"))(missing))
}
