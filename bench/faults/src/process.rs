//! A program that was started here, and that never outlives its owner. What it prints goes to a file.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::clock::{Moment, now};

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const INTERVAL: Duration = Duration::from_millis(10);

/// Something did not come about in time, or the system refused something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    /// The system refused something.
    #[error("{what}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// It did not come about in time.
    #[error("not within {PATIENCE:?}: {what}")]
    TooLate {
        /// What was waited for.
        what: String,
    },
}

impl ProcessError {
    /// Says what was tried when an error came up.
    pub(crate) fn at(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::System { what, source }
    }
}

/// A running program, killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `program` in `folder`, on a leash of this process. What it prints goes to the file `log`
    /// there.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(crate) fn start(
        program: &Path,
        arguments: impl IntoIterator<Item = OsString>,
        folder: &Path,
        log: &str,
    ) -> Result<Self, ProcessError> {
        let failed = || ProcessError::at(format!("starting {}", program.display()));
        let this = std::env::current_exe().map_err(failed())?;
        let log = folder.join(log);
        let mut options = OpenOptions::new();
        let output = options.create(true).append(true).open(&log);
        let output = output.map_err(failed())?;
        let errors = output.try_clone().map_err(failed())?;
        let child = Command::new(this)
            .args(["leash", "--parent", &std::process::id().to_string()])
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn();
        Ok(Self {
            child: child.map_err(failed())?,
            log,
        })
    }

    /// Its process id; 0 when it has ended.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Sends a signal. Nothing happens when the program has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw)
            && let Err(error) = kill_process(id, signal)
        {
            log::debug!(error:%; "a program was gone before its signal");
        }
    }

    /// Kills it; the moment from which on it did nothing more.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub(crate) async fn kill(&mut self) -> Result<Moment, ProcessError> {
        self.signal(Signal::KILL);
        let killed = now();
        self.ended().await?;
        Ok(killed)
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When it does not end in time.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus, ProcessError> {
        let what = || format!("the end of the program that wrote {}", self.log.display());
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(ended) => ended.map_err(ProcessError::at(what())),
            Err(_) => Err(ProcessError::TooLate { what: what() }),
        }
    }

    /// Waits until it has printed `text`.
    ///
    /// # Errors
    ///
    /// When it does not in time.
    pub(crate) async fn says(&self, text: &str) -> Result<(), ProcessError> {
        let what = format!("{text:?} in {}", self.log.display());
        until(&what, async || {
            let printed = fs::read(&self.log).unwrap_or_default();
            String::from_utf8_lossy(&printed).contains(text)
        })
        .await
    }
}

/// Waits for a condition.
///
/// # Errors
///
/// When it does not come about in time.
pub(crate) async fn until(
    what: &str,
    mut holds: impl AsyncFnMut() -> bool,
) -> Result<(), ProcessError> {
    let wait = async {
        while !holds().await {
            sleep(INTERVAL).await;
        }
    };
    timeout(PATIENCE, wait)
        .await
        .map_err(|_| ProcessError::TooLate {
            what: what.to_owned(),
        })
}
