//! The binary in a folder of its own, with an environment of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder that is removed again.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new and empty one.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// One with this settings file, which only its owner may read.
    pub(crate) fn with_settings(text: &str) -> Self {
        let folder = Self::new();
        fs::write(folder.settings(), text).unwrap();
        folder.chmod(0o600);
        folder
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The path of the settings file.
    pub(crate) fn settings(&self) -> PathBuf {
        self.file("constellation.json")
    }

    /// What the settings file says.
    pub(crate) fn read_settings(&self) -> String {
        fs::read_to_string(self.settings()).unwrap()
    }

    /// Changes who may read the settings file.
    pub(crate) fn chmod(&self, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;

        fs::set_permissions(self.settings(), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The settings file's permission bits.
    pub(crate) fn mode(&self) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;

        fs::metadata(self.settings()).unwrap().permissions().mode() & 0o777
    }

    /// The names of all files in it, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The binary with these arguments, this folder as its own, and nothing of our environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_constellation"));
        command
            .args(arguments)
            .current_dir(&self.0)
            .env_clear()
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(&mut self.command(arguments))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in a folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs a command to its end.
pub(crate) fn outcome(command: &mut Command) -> Outcome {
    let done = command.output().unwrap();
    Outcome {
        code: done.status.code(),
        output: String::from_utf8(done.stdout).unwrap(),
        errors: String::from_utf8(done.stderr).unwrap(),
    }
}

/// A controller that was started and is stopped when it goes out of scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a controller, waits until it has logged that it listens for workers (or has ended), and
/// stops it. Gives what it printed and what it logged until then.
pub(crate) fn serve_until_it_listens(command: &mut Command) -> (String, String) {
    let mut running = Running(
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut log = BufReader::new(running.0.stderr.take().unwrap());
    let mut logged = String::new();
    while !logged
        .lines()
        .any(|line| line.contains("listening whom=workers"))
    {
        if log.read_line(&mut logged).unwrap() == 0 {
            break;
        }
    }
    let mut output = running.0.stdout.take().unwrap();
    drop(running);
    let mut printed = String::new();
    output.read_to_string(&mut printed).unwrap();
    (printed, logged)
}
