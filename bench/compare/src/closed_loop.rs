//! Small requests, as many as come back: wrk, whose every connection sends its next request when it
//! has the answer to the last.

use std::{fs, process::Command, time::Duration};

use crate::{
    error::{Error, at},
    process::require,
};

/// What wrk runs for each request and at the end. The keys are taken in turn, so that all are asked
/// for equally often.
const SCRIPT: &str = r#"
local keys = 1000
local at = 0
local requests = {}
function init(arguments)
  for key = 0, keys - 1 do
    requests[key] = wrk.format("GET", "/bench/" .. key)
  end
end
function request()
  at = (at + 1) % keys
  return requests[at]
end
function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("figures %d %d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"#;

/// What came of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// How long it took.
    pub(crate) time: Duration,
    /// Requests that were not answered with a status below 400.
    pub(crate) errors: u64,
    /// The median time to an answer.
    pub(crate) p50: Duration,
    /// The time within which 99 of 100 answers came.
    pub(crate) p99: Duration,
}

/// Loads `port` over `connections` connections for `time`.
///
/// # Errors
///
/// When wrk is missing or fails.
pub(crate) fn load(port: u16, connections: usize, time: Duration) -> Result<Figures, Error> {
    require("wrk", "wrk")?;
    let folder = tempfile::tempdir().map_err(at("making a folder"))?;
    let script = folder.path().join("requests.lua");
    fs::write(&script, SCRIPT).map_err(at("writing the script of wrk"))?;
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", &connections.to_string()])
        .args(["-d", &format!("{}s", time.as_secs().max(1))])
        .args(["--timeout", "10s", "-s"])
        .arg(&script)
        .arg(format!("http://127.0.0.1:{port}/"))
        .output()
        .map_err(at("running wrk"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    figures(&text).ok_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        Error::Program(format!("wrk gave no figures: {text}{errors}"))
    })
}

fn figures(text: &str) -> Option<Figures> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("figures "))?;
    let numbers: Vec<u64> = line
        .split(' ')
        .map_while(|word| word.parse().ok())
        .collect();
    let [requests, time, errors, p50, p99] = numbers[..] else {
        return None;
    };
    Some(Figures {
        requests,
        time: Duration::from_micros(time),
        errors,
        p50: Duration::from_micros(p50),
        p99: Duration::from_micros(p99),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_stand_in_a_line_of_their_own() {
        let found = figures("Running\nfigures 1000 2000000 3 40 500\n").unwrap();
        assert_eq!((found.requests, found.errors), (1000, 3));
        assert_eq!(found.time, Duration::from_secs(2));
        assert_eq!(found.p99, Duration::from_micros(500));
        assert_eq!(figures("figures 1 2"), None);
    }
}
