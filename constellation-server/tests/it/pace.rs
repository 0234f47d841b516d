//! Clients that send or take their bodies too slowly are cut off; whoever waits for a worker is not.

use std::{net::TcpStream, time::Duration};

use constellation_testing::{
    http::{Answer, Connection},
    program::Program,
    wait::{now, until},
};
use serde_json::Value;

use crate::cluster::Controller;

const CHUNKED: &str = "HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

/// Longer than the limits of these tests.
const LONG: Duration = Duration::from_millis(2_500);

fn pair(settings: &[&str]) -> (Controller, Program) {
    let controller = Controller::start_with(settings);
    let worker = controller.worker("a");
    controller.owner("/x");
    (controller, worker)
}

fn count(controller: &Controller, name: &str) -> Value {
    controller.told("/v1/counters")["counters"][name].clone()
}

fn has_answer(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    !matches!(peeked, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The refusal of a body that did not come.
#[track_caller]
fn is_cut_off(connection: &mut Connection, setting: &str) -> Answer {
    let answer = connection.receive(false).unwrap();
    assert_eq!(answer.status, 400, "{answer:?}");
    let told = answer.json();
    assert_eq!(told["Error"], "BadRequest");
    assert!(
        told["Description"].as_str().unwrap().contains(setting),
        "{told}"
    );
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(connection.count_until_lost(), 0, "and then it is closed");
    answer
}

#[test]
fn an_upload_that_stands_still_is_cut_off_and_its_handler_cancelled() {
    let (controller, worker) = pair(&["Proxy.BodyIdleMs=1000"]);
    let mut connection = Connection::open(controller.port);
    connection.send(format!("POST /x {CHUNKED}5\r\nhello\r\n").as_bytes());
    worker.line("the request", |line| line.contains("POST /x").then_some(()));
    assert_eq!(controller.get("/x").status, 200, "nobody else waits for it");
    let answer = is_cut_off(&mut connection, "Proxy.BodyIdleMs");
    assert_eq!(answer.header("x-constellation-delivery"), Some("unknown"));
    worker.line("the end", |line| {
        line.contains("cancelled /x").then_some(())
    });
    assert_eq!(count(&controller, "uploads_idle"), 1);
    assert_eq!(count(&controller, "uploads_slow"), 0);
    assert_eq!(controller.get("/x").status, 200);
}

#[test]
fn a_client_that_sends_byte_by_byte_is_cut_off_by_the_limit_in_all() {
    let (controller, _worker) = pair(&["Proxy.BodyTotalMs=1000"]);
    let mut connection = Connection::open(controller.port);
    connection.send(format!("POST /x {CHUNKED}").as_bytes());
    until("the end", || {
        connection.send(b"1\r\nx\r\n");
        has_answer(connection.stream()).then_some(())
    });
    is_cut_off(&mut connection, "Proxy.BodyTotalMs");
    assert_eq!(count(&controller, "uploads_slow"), 1);
    assert_eq!(count(&controller, "uploads_idle"), 0);
}

#[test]
fn a_small_body_that_does_not_come_is_not_even_offered() {
    let (controller, worker) = pair(&["Proxy.BodyIdleMs=1000"]);
    let mut connection = Connection::open(controller.port);
    connection.send(b"POST /x/small HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhe");
    let answer = is_cut_off(&mut connection, "Proxy.BodyIdleMs");
    assert_eq!(answer.header("x-constellation-delivery"), None);
    controller.owner("/x/after");
    worker.line("what came after", |line| {
        line.contains("/x/after").then_some(())
    });
    assert!(!worker.written().contains("/x/small"));
}

#[test]
fn an_answer_that_its_client_does_not_take_is_broken_off() {
    let (controller, worker) = pair(&["Proxy.BodyIdleMs=1000"]);
    let mut connection = Connection::open(controller.port);
    connection.send(b"GET /x?bytes=1000000000 HTTP/1.1\r\nhost: a\r\n\r\n");
    until("the beginning", || {
        has_answer(connection.stream()).then_some(())
    });
    worker.line("the end", |line| {
        line.contains("cancelled /x").then_some(())
    });
    assert_eq!(count(&controller, "downloads_idle"), 1);
    assert_eq!(count(&controller, "downloads_slow"), 0);
    assert!(connection.count_until_lost() < 1_000_000_000);
    assert_eq!(controller.get("/x").status, 200);
}

#[test]
fn an_answer_that_its_client_takes_little_by_little_meets_the_limit_in_all() {
    let (controller, worker) = pair(&["Proxy.BodyTotalMs=1000"]);
    let mut connection = Connection::open(controller.port);
    connection.send(b"GET /x?bytes=1000000000000 HTTP/1.1\r\nhost: a\r\n\r\n");
    until("the end", || {
        connection.read_some();
        worker.written().contains("cancelled /x").then_some(())
    });
    assert_eq!(count(&controller, "downloads_slow"), 1);
    assert_eq!(count(&controller, "downloads_idle"), 0);
}

#[test]
fn a_client_is_not_blamed_for_a_silent_worker() {
    let limits = ["Proxy.BodyIdleMs=1000", "Proxy.BodyTotalMs=1000"];
    let (controller, _worker) = pair(&limits);
    let events = controller.get("/x?events=2&every-ms=2500");
    assert!(
        events.text().contains("id: 1\n"),
        "server-sent events: {events:?}"
    );
    let long_poll = controller.get("/x?sleep-ms=2500");
    assert_eq!(long_poll.status, 200);
    // More than there is credit for, so that the body has to wait for the handler.
    let body = vec![b'x'; 4 << 20];
    let upload = controller.request("POST", "/x?sleep-ms=2500", &[], &body);
    assert_eq!(upload.json()["body_bytes"], body.len());
    for name in [
        "uploads_idle",
        "uploads_slow",
        "downloads_idle",
        "downloads_slow",
    ] {
        assert_eq!(count(&controller, name), 0, "{name}");
    }
}

#[test]
fn the_time_that_a_client_takes_for_its_body_is_not_the_workers() {
    let (controller, _worker) = pair(&["Proxy.TimeoutMs=1000"]);
    let mut connection = Connection::open(controller.port);
    connection.send(format!("POST /x {CHUNKED}").as_bytes());
    let start = now();
    let mut chunks = 0;
    until("the body is sent", || {
        connection.send(b"1\r\nx\r\n");
        chunks += 1;
        (start.elapsed() > LONG).then_some(())
    });
    connection.send(b"0\r\n\r\n");
    let answer = connection.receive(false).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["body_bytes"], chunks);
    let late = controller.request("POST", "/x?sleep-ms=20000", &[], b"x");
    assert_eq!(late.status, 504, "and the worker's is");
}

#[test]
fn a_client_that_sends_no_head_is_let_go() {
    let (controller, _worker) = pair(&[]);
    let mut connection = Connection::open(controller.port);
    connection.send(b"GET /x HTTP/1.1\r\nhost: a\r\n");
    let answer = connection.receive(false).unwrap();
    assert_eq!(answer.status, 408);
    assert_eq!(connection.count_until_lost(), 0);
}
