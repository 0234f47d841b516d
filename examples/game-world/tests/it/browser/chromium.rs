//! Debian's Chromium, without a window, ended with its test.

use std::process::Command;

use constellation_testing::{http, program::Program};
use tempfile::TempDir;

use super::{devtools::Devtools, tab::Tab};

/// A running browser.
#[derive(Debug)]
pub(crate) struct Chromium {
    _program: Program,
    _profile: TempDir,
    port: u16,
}

impl Chromium {
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let name = std::env::var("CONSTELLATION_TEST_CHROMIUM");
        let mut command = Command::new(name.unwrap_or_else(|_| "chromium".to_owned()));
        command
            .arg(format!("--user-data-dir={}", profile.path().display()))
            // Whatever it leaves behind goes with the profile.
            .env("TMPDIR", profile.path())
            // No sandbox, because tests may run as root.
            .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
            .args(["--remote-debugging-port=0", "--disable-dev-shm-usage"])
            .args([
                "--no-first-run",
                "--no-default-browser-check",
                "--mute-audio",
            ])
            .args(["--disable-extensions", "--disable-background-networking"])
            // A tab behind another one is a player all the same.
            .args([
                "--disable-renderer-backgrounding",
                "--disable-background-timer-throttling",
            ])
            .args(["--disable-backgrounding-occluded-windows"])
            .args(["--window-size=1280,760", "about:blank"]);
        let program = Program::start(&mut command);
        let port = program.line("the port of the DevTools", |line| {
            let address = line.split_once("listening on ws://127.0.0.1:")?.1;
            address.split_once('/')?.0.parse().ok()
        });
        Self {
            _program: program,
            _profile: profile,
            port,
        }
    }

    /// Opens a page in a tab of its own.
    pub(crate) fn open(&self, url: &str) -> Tab {
        let made = http::request(self.port, "PUT", "/json/new?about:blank", &[], b"");
        assert_eq!(made.status, 200, "{made:?}");
        let made = made.json();
        let address = made["webSocketDebuggerUrl"].as_str().unwrap();
        let path = address.split_once("//").unwrap().1;
        let path = &path[path.find('/').unwrap()..];
        Tab::new(Devtools::connect(self.port, path), url)
    }
}
