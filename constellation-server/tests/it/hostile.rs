//! Bytes that nobody should send, on both ports: each closes its own connection with a reason and
//! harms nobody else.

use constellation_testing::{http::Connection, program::Program, websocket::Websocket};

use crate::cluster::Controller;

const BINARY: (&str, &str) = ("sec-websocket-protocol", "constellation.v1");

const HELLO: u8 = 0x01;
const WELCOME: u8 = 0x02;
const HEARTBEAT: u8 = 0x04;
const HOLDING: u8 = 0x13;
const REQUEST: u8 = 0x20;
const RESPONSE: u8 = 0x21;
const DATA: u8 = 0x22;
const CREDIT: u8 = 0x23;

const IDS: &str = r#""worker":"6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01","incarnation":"6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a02""#;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind, flags, 0, 0];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

fn hello(members: &str) -> Vec<u8> {
    frame(
        HELLO,
        0,
        0,
        format!(r#"{{"version":1,{IDS}{members}}}"#).as_bytes(),
    )
}

/// A controller, a worker that must not be harmed, and its key.
struct Scene {
    controller: Controller,
    _worker: Program,
}

impl Scene {
    fn new() -> Self {
        let controller = Controller::start();
        let worker = controller.worker("unharmed");
        controller.owner("/key");
        Self {
            controller,
            _worker: worker,
        }
    }

    fn binary(&self) -> Websocket {
        Websocket::open(self.controller.workers_port, &[BINARY]).unwrap()
    }

    fn introduced(&self) -> Websocket {
        let mut worker = self.binary();
        worker.send(2, &hello(""));
        let welcome = worker.receive().unwrap();
        assert_eq!((welcome.opcode, welcome.payload[0]), (2, WELCOME));
        worker
    }

    /// The worker that behaves is as it was.
    #[track_caller]
    fn is_unharmed(&self) {
        assert_eq!(self.controller.owner("/key").0, "unharmed");
    }
}

#[test]
fn broken_frames_close_their_connection_with_a_reason() {
    let scene = Scene::new();
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("half a header", vec![HELLO, 0, 0, 0, 0], "header"),
        (
            "a length past the message",
            frame(HELLO, 0, 0, b"{}")[..13].to_vec(),
            "payload",
        ),
        ("no JSON", frame(HELLO, 0, 0, b"hello"), "JSON"),
        (
            "another version",
            frame(HELLO, 0, 0, format!(r#"{{"version":9,{IDS}}}"#).as_bytes()),
            "version",
        ),
        (
            "a pattern that is none",
            hello(r#","serves":["db"]"#),
            "serves",
        ),
        ("no capacity", hello(r#","capacity":0"#), "capacity"),
        (
            "a heartbeat before hello",
            frame(HEARTBEAT, 0, 0, &[0; 8]),
            "HEARTBEAT before HELLO",
        ),
        (
            "holding before hello",
            frame(HOLDING, 0, 0, b""),
            "HOLDING before HELLO",
        ),
    ];
    for (what, message, expected) in cases {
        let mut worker = scene.binary();
        worker.send(2, &message);
        let (code, reason) = worker.closed();
        assert_eq!(code, 4400, "{what}: {reason}");
        assert!(reason.contains(expected), "{what}: {reason}");
        assert_eq!(worker.receive(), None, "{what}: closed");
    }
    scene.is_unharmed();
}

#[test]
fn frames_out_of_order_close_their_connection_with_a_reason() {
    let scene = Scene::new();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("a second hello", hello(""), "HELLO after"),
        (
            "holding that was not announced",
            frame(HOLDING, 0, 0, &[0; 12]),
            "HOLDING",
        ),
        (
            "a welcome from a worker",
            frame(WELCOME, 0, 0, b"{}"),
            "WELCOME",
        ),
        (
            "a request from a worker",
            frame(REQUEST, 1, 1, &[0; 8]),
            "REQUEST",
        ),
        ("credit of nothing", frame(CREDIT, 0, 0, &[0; 4]), "CREDIT"),
        (
            "credit without end",
            frame(CREDIT, 0, 0, &[0xff; 4]),
            "CREDIT",
        ),
        (
            "a response to the session",
            frame(RESPONSE, 1, 0, &[0; 4]),
            "RESPONSE",
        ),
    ];
    for (what, message, expected) in cases {
        let mut worker = scene.introduced();
        worker.send(2, &message);
        let (code, reason) = worker.closed();
        assert_eq!(code, 4400, "{what}: {reason}");
        assert!(reason.contains(expected), "{what}: {reason}");
    }
    scene.is_unharmed();
}

#[test]
fn frames_of_exchanges_that_never_were_are_ignored() {
    let scene = Scene::new();
    let mut worker = scene.introduced();
    for stream in [1, 77, u32::MAX] {
        worker.send(2, &frame(RESPONSE, 1, stream, &[0x40, 0xc8, 0]));
        worker.send(2, &frame(DATA, 1, stream, b"nobody asked"));
    }
    // An unknown type is skipped by its length, and the session goes on.
    worker.send(2, &frame(0x7f, 0xff, 3, b"from the future"));
    worker.send(2, &frame(HEARTBEAT, 0, 0, &7_u64.to_be_bytes()));
    let acknowledged = worker.receive().unwrap();
    assert_eq!(
        acknowledged.payload,
        frame(0x05, 0, 0, &7_u64.to_be_bytes())
    );
    scene.is_unharmed();
}

#[test]
fn a_text_message_or_a_broken_websocket_closes_the_connection() {
    let scene = Scene::new();
    let mut worker = scene.binary();
    worker.send(1, b"{}");
    assert_eq!(worker.closed().0, 4400);

    let mut worker = scene.binary();
    // Not masked, which a client must do (RFC 6455, section 5.1).
    worker.send_raw(&[0x82, 0x05, 1, 2, 3, 4, 5]);
    assert_eq!(worker.closed().0, 4400);

    let mut worker = scene.binary();
    // A message of 2^40 bytes.
    worker.send_raw(&[0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(worker.closed().0, 1009);
    scene.is_unharmed();
}

#[test]
fn random_bytes_on_both_ports_harm_nobody() {
    let scene = Scene::new();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        // Xorshift (G. Marsaglia, 2003): any bytes will do, the same in every run.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for round in 0..200 {
        let bytes: Vec<u8> = (0..next() % 400).map(|_| next() as u8).collect();
        match round % 4 {
            0 => Connection::open(scene.controller.port).send(&bytes),
            1 => Connection::open(scene.controller.workers_port).send(&bytes),
            2 => scene.binary().send_raw(&bytes),
            _ => scene.introduced().send(2, &bytes),
        }
    }
    scene.is_unharmed();
}

#[test]
fn a_broken_json_message_closes_its_connection_with_a_reason() {
    let scene = Scene::new();
    let cases: [(&[u8], &str); 4] = [
        (b"{", "cannot be read"),
        (b"\xff\xfe", "UTF-8"),
        (br#"{"GUID":"1","Type":"Response"}"#, "GUID"),
        (
            br#"{"GUID":"6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01","Type":"Response","Data":"*"}"#,
            "Data",
        ),
    ];
    for (message, expected) in cases {
        let mut worker = Websocket::open(scene.controller.workers_port, &[]).unwrap();
        worker.send(2, message);
        let (code, reason) = worker.closed();
        assert_eq!(code, 4400, "{reason}");
        assert!(reason.contains(expected), "{reason}");
    }
    scene.is_unharmed();
}

#[test]
fn a_handshake_that_cannot_be_is_refused() {
    let scene = Scene::new();
    let refused = |headers: &[(&str, &str)]| {
        Websocket::open(scene.controller.workers_port, headers).unwrap_err()
    };
    assert_eq!(refused(&[("sec-websocket-protocol", "chat")]), 400);
    assert_eq!(refused(&[("x-guid", "not a uuid")]), 400);
    let plain = constellation_testing::http::get(scene.controller.workers_port, "/");
    assert_eq!(plain.status, 400);
    scene.is_unharmed();
}
