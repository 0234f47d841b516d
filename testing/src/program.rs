//! A program that runs beside a test and ends with it.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use crate::wait::until;

/// A running program, killed when it goes out of scope. What it writes is kept.
#[derive(Debug)]
pub struct Program {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Program {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let started = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = started
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = Arc::default();
        keep(child.stdout.take().unwrap(), Arc::clone(&lines));
        keep(child.stderr.take().unwrap(), Arc::clone(&lines));
        Self { child, lines }
    }

    /// The first line that `wanted` likes, now or later, as it sees it.
    ///
    /// # Panics
    ///
    /// When none comes in time.
    #[track_caller]
    pub fn line<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        until(&format!("{what} in {:?}", self.lines), || {
            self.lines
                .lock()
                .unwrap()
                .iter()
                .find_map(|line| wanted(line))
        })
    }

    /// Everything it wrote so far.
    ///
    /// # Panics
    ///
    /// Never in a test that has not failed already.
    #[must_use]
    pub fn written(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `TERM`.
    ///
    /// # Panics
    ///
    /// When there is no `kill` program.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success(), "kill -s {name} {id}");
    }

    /// Waits for its end; its exit code, if it was not killed.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    #[track_caller]
    pub fn ended(&mut self) -> Option<i32> {
        until("the program's end", || self.child.try_wait().unwrap()).code()
    }

    /// The most memory it ever had, in KiB.
    ///
    /// # Panics
    ///
    /// When the system does not tell.
    #[must_use]
    pub fn peak_memory_kib(&self) -> u64 {
        self.status_kib("VmHWM:")
    }

    /// The memory it has, in KiB.
    ///
    /// # Panics
    ///
    /// When the system does not tell.
    #[must_use]
    pub fn memory_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    fn status_kib(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)).unwrap();
        value.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(output: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    });
}

/// A program of another package of this workspace, beside the one that is known.
///
/// # Panics
///
/// When it has not been built.
#[must_use]
#[track_caller]
pub fn sibling(known: &str, name: &str) -> PathBuf {
    let path = Path::new(known).with_file_name(name);
    assert!(
        path.exists(),
        "{} is missing: run scripts/test.sh, which builds it",
        path.display()
    );
    path
}
