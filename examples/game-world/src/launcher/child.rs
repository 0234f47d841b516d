//! Another process of this program. It never outlives this one.

use std::{
    ffi::OsString,
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{self, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// How long a process may take to end in order.
const END_TIMEOUT: Duration = Duration::from_secs(15);

/// A running process.
#[derive(Debug)]
pub(super) struct Child {
    process: process::Child,
    /// When this is dropped, the process ends: see [`leash`](crate::leash).
    _leash: Option<ChildStdin>,
    lines: Option<Lines<BufReader<ChildStdout>>>,
}

impl Child {
    /// Starts this program with these flags. What it says is read from [`line`](Self::line) when it
    /// is `heard`.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub(super) fn start(flags: &[OsString], heard: bool) -> io::Result<Self> {
        let output = if heard { Stdio::piped() } else { Stdio::null() };
        let mut process = Command::new(std::env::current_exe()?)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(output)
            // Ctrl-C in a terminal is for this process, which ends the others in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take();
        Ok(Self {
            // Taken, because to wait for a process closes its input.
            _leash: process.stdin.take(),
            process,
            lines: output.map(|output| BufReader::new(output).lines()),
        })
    }

    /// The first line from here on that `wanted` likes, as it sees it.
    ///
    /// # Errors
    ///
    /// When it ends before.
    pub(super) async fn line<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> io::Result<T> {
        if let Some(lines) = &mut self.lines {
            while let Some(line) = lines.next_line().await? {
                if let Some(found) = wanted(&line) {
                    return Ok(found);
                }
            }
        }
        Err(io::Error::other(
            "a process of the game ended before it was ready",
        ))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Tells it to end, and kills it when that takes too long.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub(super) async fn end(&mut self) -> io::Result<()> {
        let id = self.process.id().and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw)
            && let Err(error) = kill_process(id, Signal::TERM)
        {
            log::debug!(error:%; "a process was gone before it was told to end");
        }
        if let Ok(ended) = timeout(END_TIMEOUT, self.process.wait()).await {
            return ended.map(|_| ());
        }
        log::warn!("a process did not end in {END_TIMEOUT:?} and is killed");
        self.process.kill().await
    }
}
