//! Requests that two parsers could read differently, byte by byte on a raw socket: each is refused,
//! nothing of it or behind it reaches the worker, and the next client is served.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use constellation_testing::{program::Program, wait::PATIENCE};
use serde_json::Value;

use self::row::{Expected, Row};
use crate::cluster::Controller;

mod connection;
mod framing;
mod head;
mod passed;
mod row;
mod spoofed;
mod target;

/// What a client hides behind every refused request, in the hope that another parser sees it.
const HIDDEN: &[u8] = b"GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n";

/// How many rows are tried at a time: many wait for the server to close their connection.
const CLIENTS: usize = 8;

fn rows() -> Vec<Row> {
    let mut rows = framing::rows();
    rows.extend(target::rows());
    rows.extend(head::rows());
    rows.extend(connection::rows());
    rows.extend(passed::rows());
    rows
}

#[test]
fn what_two_parsers_could_read_differently_reaches_no_worker() {
    let controller = Controller::start();
    let worker = controller.worker("unharmed");
    controller.owner("/after/first");
    let rows = rows();
    assert!(rows.len() >= 200, "{} rows", rows.len());
    let next = AtomicUsize::new(0);
    let failed = thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|_| {
            scope.spawn(|| {
                let mut failed = Vec::new();
                while let Some((at, row)) = take(&rows, &next) {
                    let outcome = try_row(&controller, row);
                    let after = controller.get(&format!("/after/{at}"));
                    let unharmed = after.status == 200 && after.json()["name"] == "unharmed";
                    let outcome = outcome.and(unharmed.then_some(()).ok_or("harm".to_owned()));
                    failed.extend(outcome.err().map(|why| format!("{}: {why}", row.what)));
                }
                failed
            })
        });
        let clients: Vec<_> = clients.collect();
        let outcomes = clients.into_iter().map(|client| client.join().unwrap());
        outcomes.flatten().collect::<Vec<_>>()
    });
    assert!(
        failed.is_empty(),
        "{}:\n{}",
        failed.len(),
        failed.join("\n")
    );
    saw_nothing_else(&controller, &worker);
}

fn take<'a>(rows: &'a [Row], next: &AtomicUsize) -> Option<(usize, &'a Row)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, rows.get(at)?))
}

/// Sends what the row says and compares what comes back.
fn try_row(controller: &Controller, row: &Row) -> Result<(), String> {
    let hidden = match row.expected {
        // A client that asked for an end may hide nothing behind it; others may go on.
        Expected::Passed { .. } => &[][..],
        Expected::Refused(_) | Expected::Bare(_) | Expected::Broken | Expected::Last => HIDDEN,
    };
    let came = exchange(
        controller.port,
        &[&row.bytes, hidden].concat(),
        !hidden.is_empty(),
    )?;
    let came = String::from_utf8_lossy(&came);
    // The request may have asked for permission to send its body first.
    let answers: Vec<_> = came.split("HTTP/1.1 ").skip(1).collect();
    let old: Vec<_> = came.split("HTTP/1.0 ").skip(1).collect();
    let answers = if answers.is_empty() { old } else { answers };
    let first = answers.first().copied().unwrap_or_default();
    let rest_refused = answers
        .iter()
        .skip(1)
        .all(|answer| answer.starts_with("400"));
    let is_refused = |why: &str| {
        let told = body(first);
        let description = told["Description"].as_str().unwrap_or_default();
        let named = told["Error"] == "BadRequest" && description.contains(why);
        first.starts_with("400") && named && rest_refused
    };
    let fits = match row.expected {
        Expected::Refused(why) => is_refused(why),
        Expected::Bare(status) => first.starts_with(&status.to_string()) && answers.len() == 1,
        Expected::Broken => came.is_empty() || is_refused("chunks are malformed"),
        Expected::Last => first.starts_with("200") && rest_refused,
        Expected::Passed { path, body_bytes } => {
            let told = body(first);
            let path_fits = told["path"].as_str() == Some(path);
            first.starts_with("200") && path_fits && told["body_bytes"] == body_bytes
        }
    };
    fits.then_some(()).ok_or(format!("{came:?}"))
}

/// The JSON behind the head of an answer.
fn body(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}

/// What comes back: all until the server closes, or one answer.
fn exchange(port: u16, bytes: &[u8], to_end: bool) -> Result<Vec<u8>, String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has had enough may close before everything is sent.
    let _closed = stream.write_all(bytes);
    let mut came = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(came),
            Ok(read) => came.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(came),
            Err(error) => {
                return Err(format!(
                    "{error} after {:?}",
                    String::from_utf8_lossy(&came)
                ));
            }
        }
        if !to_end && came.ends_with(b"}") {
            let _done = stream.shutdown(Shutdown::Both);
            return Ok(came);
        }
    }
}

/// Of all that was sent the worker has seen what passes, and what came after.
#[track_caller]
fn saw_nothing_else(controller: &Controller, worker: &Program) {
    // The log comes in order: what this request finds in it is all there is of what came before.
    controller.owner("/after/last");
    worker.line("the last request", |line| {
        line.contains(" /after/last ").then_some(())
    });
    let written = worker.written();
    let requests = written.lines().filter(|line| line.contains(" key="));
    let unexpected: Vec<_> = requests
        .filter(|line| !line.contains(" /after/") && !line.contains("/seen"))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert!(written.contains(" /seen"), "what passes is seen");
}
