//! The real curl.

use std::process::{Command, Stdio};

use constellation_testing::program::Program;
use serde_json::Value;

/// What curl got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).first().copied()
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs curl with these arguments behind those that make it print heads and bodies alone.
#[track_caller]
pub(crate) fn curl(arguments: &[&str]) -> Answer {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--include", "--max-time", "30"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("curl: scripts/test.sh installs it");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let mut text = String::from_utf8(output.stdout).unwrap();
    while text.starts_with("HTTP/1.1 100") {
        text = text.split_once("\r\n\r\n").unwrap().1.to_owned();
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.filter_map(|line| line.split_once(':'));
    Answer {
        status: status.parse().unwrap(),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

/// A curl that goes on listening; what it hears is in its lines.
pub(crate) fn listen(url: &str) -> Program {
    let mut command = Command::new("curl");
    Program::start(command.args(["--silent", "--no-buffer", "--max-time", "60", url]))
}
