//! Bodies of any length, both ways at once, and what a client's leaving does.

use std::{thread, time::Duration};

use constellation_testing::{
    http::Connection,
    wait::{now, until},
};

use crate::cluster::Controller;

const MIB: u64 = 1 << 20;

/// How much a body of 1 GiB may add to the controller's memory.
const MEMORY_KIB_MAX: u64 = 32 * 1024;

#[test]
fn a_gibibyte_up_and_down_needs_no_memory() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    controller.owner("/big");
    let before = controller.program.peak_memory_kib();

    let mut up = Connection::open(controller.port);
    let head = format!(
        "PUT /big HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n",
        1024 * MIB
    );
    up.send(head.as_bytes());
    let chunk = vec![7; MIB as usize];
    for _ in 0..1024 {
        up.send(&chunk);
    }
    assert_eq!(up.receive(false).unwrap().json()["body_bytes"], 1024 * MIB);

    let mut down = Connection::open(controller.port);
    let head = format!(
        "GET /big?bytes={} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        1024 * MIB
    );
    down.send(head.as_bytes());
    assert!(down.count_to_end() >= 1024 * MIB);

    let grown = controller.program.peak_memory_kib() - before;
    assert!(grown < MEMORY_KIB_MAX, "the controller grew by {grown} KiB");
}

#[test]
fn a_body_is_echoed_while_it_still_comes() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    let mut connection = Connection::open(controller.port);
    connection.send(b"POST /x?echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    connection.send(b"5\r\nfirst\r\n");
    let mut so_far = Vec::new();
    until("the first part", || {
        so_far.extend(connection.read_some());
        String::from_utf8_lossy(&so_far)
            .contains("first")
            .then_some(())
    });
    connection.send(b"4\r\nlast\r\n0\r\n\r\n");
    until("the last part", || {
        so_far.extend(connection.read_some());
        String::from_utf8_lossy(&so_far)
            .contains("last")
            .then_some(())
    });
}

#[test]
fn a_client_that_leaves_stops_the_handler_within_100_ms() {
    let controller = Controller::start();
    let worker = controller.worker("a");
    let mut connection = Connection::open(controller.port);
    connection.send(b"GET /x?sleep-ms=20000 HTTP/1.1\r\nhost: a\r\n\r\n");
    worker.line("the request", |line| line.contains("/x").then_some(()));
    drop(connection);
    let left = now();
    worker.line("the cancellation", |line| {
        line.contains("cancelled").then_some(())
    });
    assert!(
        left.elapsed() < Duration::from_millis(100),
        "{:?}",
        left.elapsed()
    );
}

#[test]
fn a_reader_that_stops_holds_up_nobody_else() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    let lazy: Vec<_> = (0..4)
        .map(|_| {
            let mut connection = Connection::open(controller.port);
            connection.send(b"GET /x?bytes=1000000000 HTTP/1.1\r\nhost: a\r\n\r\n");
            connection
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..50 {
        let start = now();
        assert_eq!(controller.get("/x").status, 200);
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    drop(lazy);
}

#[test]
fn no_request_waits_when_a_worker_with_many_keys_leaves() {
    const KEYS: usize = 200_000;
    const CLIENTS: usize = 4;
    const PIPELINE: usize = 500;
    // So many claims, a few at a time, would keep the disk busy for minutes; that is not the claim.
    let controller = Controller::start_with(&["Store.Kind=Memory"]);
    let _stays = controller.worker_with("stays", &["--quiet"]);
    let leaves = controller.worker_with("leaves", &["--quiet"]);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let port = controller.port;
            scope.spawn(move || {
                let mut connection = Connection::open(port);
                for batch in 0..KEYS / CLIENTS / PIPELINE {
                    let request =
                        |n| format!("GET /{client}/{batch}/{n} HTTP/1.1\r\nhost: a\r\n\r\n");
                    let requests: String = (0..PIPELINE).map(request).collect();
                    connection.send(requests.as_bytes());
                    for _ in 0..PIPELINE {
                        assert_eq!(connection.receive(false).unwrap().status, 200);
                    }
                }
            });
        }
    });

    let mut connection = Connection::open(controller.port);
    let kept = key_of(&mut connection, "stays");
    drop(leaves);
    let start = now();
    let mut times = Vec::new();
    // Past the end of the lease, when the keys come free and are cleared away.
    while start.elapsed() < Duration::from_millis(4_500) {
        let asked = now();
        connection.send(format!("GET {kept} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes());
        assert_eq!(connection.receive(false).unwrap().status, 200);
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    let slowest = times[times.len() - 1];
    assert!(
        slowest < Duration::from_millis(50),
        "{slowest:?} of {} requests",
        times.len()
    );
}

/// A pinned key of the worker with this name.
fn key_of(connection: &mut Connection, name: &str) -> String {
    let mut keys = (0..100).map(|n| format!("/0/0/{n}"));
    let owned = keys.find(|key| {
        connection.send(format!("GET {key} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes());
        connection.receive(false).unwrap().json()["name"] == name
    });
    owned.unwrap()
}
