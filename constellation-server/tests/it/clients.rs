//! HTTP through the controller as programs see it that others wrote: curl, Python's http.client and
//! requests, and wrk.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use constellation_testing::{http::Connection, program::Program, wait::until};

use crate::cluster::Controller;

fn pair() -> (Controller, Program) {
    let controller = Controller::start();
    let worker = controller.worker_with("a", &["--quiet"]);
    controller.owner("/x");
    (controller, worker)
}

/// Runs curl on a path to its end; what it printed to both outputs.
#[track_caller]
fn curl(controller: &Controller, path: &str, flags: &[&str]) -> (String, String) {
    let url = format!("http://127.0.0.1:{}{path}", controller.port);
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "30"]).args(flags);
    let output = command.arg(url).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{path}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// A curl that goes on, ended with the test.
struct Running(Child);

impl Running {
    fn start(controller: &Controller, path: &str, flags: &[&str]) -> Self {
        let url = format!("http://127.0.0.1:{}{path}", controller.port);
        let mut command = Command::new("curl");
        command.args(["-sSN", "--max-time", "30"]).args(flags);
        let piped = command
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Self(piped.spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn python_sees_what_it_would_see_without_a_controller() {
    let (controller, _worker) = pair();
    let python =
        std::env::var("CONSTELLATION_TEST_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/streams.py");
    let port = controller.port.to_string();
    let mut checks = Program::start(Command::new(python).args([script, &port]));
    let code = checks.ended();
    assert_eq!(code, Some(0), "{}", checks.written());
    checks.line("the end", |line| (line == "all passed").then_some(()));
}

#[test]
fn curl_gets_an_event_although_the_next_is_far_away() {
    let (controller, _worker) = pair();
    let mut curl = Running::start(&controller, "/e?events=2&every-ms=600000", &[]);
    let mut lines = BufReader::new(curl.0.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "id: 0");
}

#[test]
fn curl_gets_back_what_it_uploads_while_it_uploads() {
    let (controller, _worker) = pair();
    let mut curl = Running::start(&controller, "/u?echo", &["-X", "POST", "-T", "-"]);
    let mut input = curl.0.stdin.take().unwrap();
    let output = BufReader::new(curl.0.stdout.take().unwrap());
    let (back, came) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            // A test that has failed reads no more.
            let _ = back.send(line);
        }
    });
    // This curl looks for an answer between two pieces of its input only.
    let mut sent = 0;
    let first = until("something back before the end", || {
        writeln!(input, "line {sent}").unwrap();
        sent += 1;
        came.try_recv().ok()
    });
    assert_eq!(first, "line 0");
    drop(input);
    reader.join().unwrap();
    assert_eq!(came.iter().count() + 1, sent);
}

#[test]
fn curl_sees_heads_parts_and_permissions() {
    let (controller, _worker) = pair();
    let (head, _) = curl(&controller, "/b?bytes=1000", &["-I"]);
    assert!(
        head.to_ascii_lowercase().contains("content-length: 1000"),
        "{head}"
    );
    let (part, _) = curl(&controller, "/b?bytes=1000", &["-r", "10-19"]);
    assert_eq!(part, "x".repeat(10));
    let flags = ["-v", "-H", "expect: 100-continue", "-d", "hello"];
    let (answer, told) = curl(&controller, "/u", &flags);
    assert!(
        told.contains("100 Continue") && answer.contains("\"body\":\"hello\""),
        "{told}"
    );
    let (old, _) = curl(&controller, "/x", &["--http1.0"]);
    assert!(old.contains("\"name\":\"a\""), "{old}");
    let again = format!("http://127.0.0.1:{}/y", controller.port);
    let flags = [
        "-o",
        "/dev/null",
        "-o",
        "/dev/null",
        "-w",
        "%{num_connects}\n",
        &*again,
    ];
    let (connects, _) = curl(&controller, "/x", &flags);
    assert_eq!(connects, "1\n0\n", "the connection is kept");
}

#[test]
fn wrk_finds_no_error() {
    let (controller, _worker) = pair();
    let url = format!("http://127.0.0.1:{}/x", controller.port);
    let run = Command::new("wrk")
        .args(["-t", "1", "-c", "16", "-d", "1s", &url])
        .output();
    let told = String::from_utf8_lossy(&run.unwrap().stdout).into_owned();
    assert!(told.contains("requests in"), "{told}");
    assert!(
        !told.contains("Socket errors") && !told.contains("Non-2xx"),
        "{told}"
    );
}

#[test]
fn pipelined_requests_of_all_kinds_get_each_its_own_answer() {
    let (controller, _worker) = pair();
    let kinds = [
        ("GET /1", ""),
        ("POST /2", "content-length: 3\r\n"),
        ("GET /3?status=204", ""),
        ("PUT /4", "transfer-encoding: chunked\r\n"),
        ("GET /5?bytes=100000", ""),
        ("GET /6?status=304", ""),
        ("GET /7", ""),
    ];
    let mut all = Vec::new();
    for (line, header) in kinds {
        all.extend_from_slice(format!("{line} HTTP/1.1\r\nhost: a\r\n{header}\r\n").as_bytes());
        all.extend_from_slice(match header.split(':').next() {
            Some("content-length") => b"abc",
            Some("transfer-encoding") => b"3\r\nabc\r\n0\r\n\r\n",
            Some(_) | None => b"",
        });
    }
    let mut connection = Connection::open(controller.port);
    connection.send(&all);
    let statuses: Vec<_> = kinds
        .iter()
        .map(|_| connection.receive(false).unwrap())
        .map(|answer| (answer.status, answer.body.len()))
        .collect();
    let statuses_alone: Vec<_> = statuses.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses_alone, [200, 200, 204, 200, 200, 304, 200]);
    assert_eq!(statuses[4].1, 100_000);
}
