//! A worker that was written from the protocol's page, byte by byte, and does with its tunnels what
//! the library would not.

use std::thread;

use constellation_testing::websocket::{Frame, Websocket};

use super::{CLOSE, RESTART, TEXT, counts, open};
use crate::cluster::Controller;

const HELLO: u8 = 0x01;
const GRANT: u8 = 0x10;
const REVOKE: u8 = 0x11;
const RELEASED: u8 = 0x12;
const REQUEST: u8 = 0x20;
const RESPONSE: u8 = 0x21;
const DATA: u8 = 0x22;
const RESET: u8 = 0x24;

const UPGRADE: u8 = 0x02;
const END: u8 = 0x01;

const HELLO_JSON: &[u8] = br#"{"version":1,"worker":"6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01","incarnation":"6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a02","name":"foreign"}"#;

/// A frame of the dialect `constellation.v1`.
#[derive(Debug)]
struct Spoken {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

fn speak(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind, flags, 0, 0];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

struct Foreign {
    socket: Websocket,
    heard: Vec<Spoken>,
}

impl Foreign {
    fn join(controller: &Controller) -> Self {
        let dialect = ("sec-websocket-protocol", "constellation.v1");
        let socket = Websocket::open(controller.workers_port, &[dialect]).unwrap();
        let mut worker = Self {
            socket,
            heard: Vec::new(),
        };
        worker.say(&[speak(HELLO, 0, 0, HELLO_JSON)]);
        controller.has_workers(1);
        worker
    }

    /// Sends frames in one message.
    fn say(&mut self, frames: &[Vec<u8>]) {
        self.socket.send(2, &frames.concat());
    }

    /// The next frame of this kind; those before it are passed over.
    #[track_caller]
    fn hear(&mut self, kind: u8) -> Spoken {
        loop {
            while !self.heard.is_empty() {
                let spoken = self.heard.remove(0);
                if spoken.kind == kind {
                    return spoken;
                }
            }
            let message = self.socket.receive().expect("a message").payload;
            let mut rest = &message[..];
            while let Some((header, behind)) = rest.split_first_chunk::<12>() {
                let number = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
                let (payload, behind) = behind.split_at(number(8) as usize);
                self.heard.push(Spoken {
                    kind: header[0],
                    flags: header[1],
                    stream: number(4),
                    payload: payload.to_vec(),
                });
                rest = behind;
            }
        }
    }

    /// Accepts the next websocket, with first bytes behind the head; its exchange and its epoch.
    fn accept(&mut self, first: &[u8]) -> (u32, [u8; 8]) {
        let grant = self.hear(GRANT);
        let request = self.hear(REQUEST);
        assert_eq!(request.flags, UPGRADE);
        // Status 101, and a field section of one field.
        let field = b"\x14sec-websocket-accept\x01x";
        let head = [
            &[0x40, 101, 0x80, 0, 0, field.len() as u8],
            &field[..],
            first,
        ]
        .concat();
        self.say(&[speak(RESPONSE, 0, request.stream, &head)]);
        (request.stream, grant.payload[4..12].try_into().unwrap())
    }
}

/// A text as a server frames it.
fn text(words: &str) -> Vec<u8> {
    [
        &[0x81, u8::try_from(words.len()).unwrap()],
        words.as_bytes(),
    ]
    .concat()
}

#[track_caller]
fn hears(socket: &mut Websocket, words: &str) {
    let payload = words.as_bytes().to_vec();
    let opcode = TEXT;
    assert_eq!(socket.receive(), Some(Frame { opcode, payload }));
}

/// A client whose websocket is accepted by a worker of this kind.
fn met(controller: &Controller, worker: &mut Foreign, first: &[u8]) -> (Websocket, u32, [u8; 8]) {
    thread::scope(|scope| {
        let client = scope.spawn(|| open(controller, "/room"));
        let (stream, epoch) = worker.accept(first);
        (client.join().unwrap(), stream, epoch)
    })
}

#[test]
fn bytes_pass_unchanged_whatever_frames_carry_them() {
    let controller = Controller::start();
    let mut worker = Foreign::join(&controller);
    let (mut client, stream, _) = met(&controller, &mut worker, &text("behind the head"));
    hears(&mut client, "behind the head");
    client.send_raw(b"\x81\x85\x01\x02\x03\x04masked, or so");
    let mut came = Vec::new();
    while came.len() < 19 {
        came.extend(worker.hear(DATA).payload);
    }
    assert_eq!(came, b"\x81\x85\x01\x02\x03\x04masked, or so");
    let [first, rest] = [&text("cut")[..1], &text("cut")[1..]].map(<[u8]>::to_vec);
    worker.say(&[speak(DATA, 0, stream, &first), speak(DATA, 0, stream, b"")]);
    worker.say(&[speak(DATA, 0, stream, &rest)]);
    hears(&mut client, "cut");
    worker.say(&[speak(DATA, END, stream, b"\x88\x02\x03\xe8")]);
    assert_eq!(client.closed().0, 1000);
    client.send(CLOSE, b"\x03\xe8");
    assert_eq!(client.receive(), None);
    counts(&controller, "tunnels_closed", 1);
}

/// No stale answer, and nothing lost that was said in time.
#[test]
fn what_is_said_before_released_reaches_the_client_and_nothing_behind_it() {
    let controller = Controller::start();
    let mut worker = Foreign::join(&controller);
    let (mut client, stream, epoch) = met(&controller, &mut worker, b"");
    let _next = controller.worker("next");
    thread::scope(|scope| {
        let moved = scope.spawn(|| controller.operated(&["move", "/room", "next"]));
        let revoke = worker.hear(REVOKE);
        assert_eq!((revoke.payload[0], &revoke.payload[1..9]), (2, &epoch[..]));
        worker.say(&[
            speak(DATA, 0, stream, &text("in time")),
            speak(RELEASED, 0, 0, &[&epoch[..], b"/room"].concat()),
            speak(DATA, 0, stream, &text("stale")),
        ]);
        moved.join().unwrap();
    });
    worker.say(&[speak(DATA, 0, stream, &text("late"))]);
    hears(&mut client, "in time");
    let next = client.receive().expect("a Close frame");
    assert_eq!(next.closing().0, RESTART);
    client.send(CLOSE, &RESTART.to_be_bytes());
    assert_eq!(client.receive(), None, "nothing follows");
    let reset = worker.hear(RESET);
    assert_eq!((reset.stream, reset.payload[0]), (stream, 8));
    counts(&controller, "tunnels_moved", 1);
}

#[test]
fn a_worker_that_gives_up_is_told_as_an_error() {
    let controller = Controller::start();
    let mut worker = Foreign::join(&controller);
    let (mut client, stream, _) = met(&controller, &mut worker, b"");
    worker.say(&[speak(RESET, 0, stream, b"\x04it broke")]);
    let (code, words) = client.closed();
    assert_eq!(code, 1011);
    assert!(!words.contains("broke"), "that is for the log: {words}");
    counts(&controller, "tunnels_failed", 1);
}

#[test]
fn nothing_follows_half_a_frame_but_the_end() {
    let controller = Controller::start();
    let mut worker = Foreign::join(&controller);
    let (mut client, stream, _) = met(&controller, &mut worker, b"");
    worker.say(&[
        speak(DATA, 0, stream, &text("whole")),
        speak(DATA, 0, stream, &text("never whole")[..6]),
    ]);
    hears(&mut client, "whole");
    worker.say(&[speak(RESET, 0, stream, b"\x08")]);
    assert_eq!(client.receive(), None, "cut off");
    counts(&controller, "tunnels_moved", 1);
}
