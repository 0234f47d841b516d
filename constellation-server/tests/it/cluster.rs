//! A running controller with workers, all real programs on free ports.

use constellation_testing::{
    http::{self, Answer},
    program::{Program, sibling},
    wait::until,
};

use crate::binary::{Folder, Outcome};

/// The admin key of every controller in these tests.
pub(crate) const ADMIN_KEY: &str = "0123456789abcdef0123456789abcdef";

const BINARY: &str = env!("CARGO_BIN_EXE_constellation");

/// A running controller.
pub(crate) struct Controller {
    pub(crate) program: Program,
    pub(crate) port: u16,
    pub(crate) workers_port: u16,
    /// 0 when it is turned off.
    pub(crate) admin_port: u16,
    pub(crate) folder: Folder,
}

impl Controller {
    /// One with leases of three seconds, and no grace: no worker is older than it.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// One with further settings, such as `Proxy.TimeoutMs=1000`.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let folder = Folder::with_settings(&format!(
            r#"{{
                "Webserver": {{ "Port": 0 }},
                "Websocket": {{ "Port": 0 }},
                "Heartbeat": {{ "IntervalMs": 1000, "MaxFailures": 3 }},
                "Ownership": {{ "StartupGraceMs": 0 }},
                "Admin": {{ "Port": 0, "ApiKeys": ["{ADMIN_KEY}"] }}
            }}"#
        ));
        let mut arguments = vec!["serve"];
        for setting in settings {
            arguments.extend(["--set", setting]);
        }
        let program = Program::start(&mut folder.command(&arguments));
        let listens = |line: &str, whom: &str| {
            let line = line.split_once(&format!("listening whom={whom}"))?.1;
            line.split_once("127.0.0.1:")?.1.trim().parse::<u16>().ok()
        };
        let port =
            |whom: &str| program.line(&format!("the port for {whom}"), |line| listens(line, whom));
        let (port, workers_port) = (port("clients"), port("workers"));
        // The port for workers is the last that is logged.
        let written = program.written();
        let admin_port = written.lines().find_map(|line| listens(line, "operators"));
        Self {
            program,
            port,
            workers_port,
            admin_port: admin_port.unwrap_or_default(),
            folder,
        }
    }

    /// Starts an echo worker and waits until the controller has welcomed it.
    pub(crate) fn worker(&self, name: &str) -> Program {
        self.worker_with(name, &[])
    }

    /// Starts an echo worker with further arguments.
    pub(crate) fn worker_with(&self, name: &str, arguments: &[&str]) -> Program {
        let worker = self.lonely_worker(name, arguments);
        worker.line("the welcome", |line| {
            line.contains("connected controller").then_some(())
        });
        worker
    }

    /// Starts an echo worker that may not be welcome.
    pub(crate) fn lonely_worker(&self, name: &str, arguments: &[&str]) -> Program {
        let url = format!("ws://127.0.0.1:{}", self.workers_port);
        let mut command = std::process::Command::new(sibling(BINARY, "echo-worker"));
        Program::start(
            command
                .args(["--url", &url, "--name", name])
                .args(arguments),
        )
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        http::get(self.port, path)
    }

    #[track_caller]
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        http::request(self.port, method, path, headers, body)
    }

    /// The name of the worker that answers for a key, and the epoch it holds it under.
    #[track_caller]
    pub(crate) fn owner(&self, key: &str) -> (String, u64) {
        let answer = self.get(key);
        assert_eq!(answer.status, 200, "{answer:?}");
        let report = answer.json();
        let name = report["name"].as_str().unwrap().to_owned();
        (name, report["epoch"].as_u64().unwrap())
    }

    /// What an admin path says.
    #[track_caller]
    pub(crate) fn admin(&self, path: &str) -> serde_json::Value {
        let answer = self.request("GET", path, &[("x-api-key", ADMIN_KEY)], b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// What the admin API answers to whoever has the key.
    #[track_caller]
    pub(crate) fn api(&self, method: &str, path: &str, body: &str) -> Answer {
        let key = [("x-api-key", ADMIN_KEY)];
        http::request(self.admin_port, method, path, &key, body.as_bytes())
    }

    /// What the admin API says.
    #[track_caller]
    pub(crate) fn told(&self, path: &str) -> serde_json::Value {
        let answer = self.api("GET", path, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// The id of the worker of this name.
    #[track_caller]
    pub(crate) fn id_of(&self, name: &str) -> String {
        let told = self.told("/v1/workers");
        let workers = told["workers"].as_array().unwrap();
        let worker = workers.iter().find(|worker| worker["name"] == name);
        worker.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Runs an operator's command to its end; the settings file has the key, but not the port.
    #[track_caller]
    pub(crate) fn operate(&self, arguments: &[&str]) -> Outcome {
        let url = format!("http://127.0.0.1:{}", self.admin_port);
        self.folder.run(&[arguments, &["--admin", &url]].concat())
    }

    /// What an operator's command prints when it succeeds.
    #[track_caller]
    pub(crate) fn operated(&self, arguments: &[&str]) -> String {
        let outcome = self.operate(arguments);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.output
    }

    /// Waits until there are so many workers.
    #[track_caller]
    pub(crate) fn has_workers(&self, count: usize) {
        until(&format!("{count} workers"), || {
            (self.admin("/workers").as_array().unwrap().len() == count).then_some(())
        });
    }
}
