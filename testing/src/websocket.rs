//! A tiny websocket client that sends exactly what it is told.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::http::{Answer, Connection};

/// An open websocket, seen from the client.
#[derive(Debug)]
pub struct Websocket {
    connection: Connection,
    answer: Answer,
}

/// The parts of a frame that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// 1 is text, 2 is binary, 8 closes, 9 is a ping, 10 a pong.
    pub opcode: u8,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The code and the reason of a Close frame.
    ///
    /// # Panics
    ///
    /// When it is no such frame, or its reason is not UTF-8.
    #[must_use]
    #[track_caller]
    pub fn closing(&self) -> (u16, String) {
        assert_eq!(self.opcode, 8, "{self:?}");
        let (code, reason) = self.payload.split_first_chunk().expect("a code");
        (
            u16::from_be_bytes(*code),
            String::from_utf8(reason.to_vec()).unwrap(),
        )
    }
}

impl Websocket {
    /// Connects, or tells the status of the refusal.
    ///
    /// # Errors
    ///
    /// The status, when the upgrade is refused.
    ///
    /// # Panics
    ///
    /// When there is no answer at all.
    pub fn open(port: u16, headers: &[(&str, &str)]) -> Result<Self, u16> {
        Self::open_at(port, "/", headers).map_err(|answer| answer.status)
    }

    /// Connects to a path, or gives the answer of the refusal.
    ///
    /// # Errors
    ///
    /// The answer, when the upgrade is refused.
    ///
    /// # Panics
    ///
    /// When there is no answer at all.
    pub fn open_at(port: u16, path: &str, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        let mut all = vec![
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        all.extend_from_slice(headers);
        let mut connection = Connection::open(port);
        connection.send(&crate::http::bytes("GET", path, &all, b""));
        let mut answer = connection
            .receive(true)
            .expect("an answer to the handshake");
        if answer.status == 101 {
            return Ok(Self { connection, answer });
        }
        answer.body = connection.body(&answer);
        Err(answer)
    }

    /// What the handshake was answered with.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Sends a frame. Its mask is zero, which leaves the bytes as they are.
    pub fn send(&mut self, opcode: u8, payload: &[u8]) {
        self.connection.send(&frame(opcode, payload));
    }

    /// Sends part of a frame, as much as the connection takes; tells whether that was anything. For
    /// a connection that does not block, and whose other end nobody is to understand.
    pub fn try_send(&mut self, opcode: u8, payload: &[u8]) -> bool {
        let bytes = frame(opcode, payload);
        self.connection.stream().write(&bytes).is_ok()
    }

    /// The connection itself.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        self.connection.stream()
    }

    /// Sends bytes below the websocket's frames.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.connection.send(bytes);
    }

    /// The next frame; `None` when the connection is closed.
    pub fn receive(&mut self) -> Option<Frame> {
        let [first, length] = self.read()?;
        let length = match length & 0x7f {
            126 => u64::from(u16::from_be_bytes(self.read()?)),
            127 => u64::from_be_bytes(self.read()?),
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.connection.reader().read_exact(&mut payload).ok()?;
        Some(Frame {
            opcode: first & 0x0f,
            payload,
        })
    }

    /// The Close frame, past whatever comes before it.
    ///
    /// # Panics
    ///
    /// When the connection closes without one.
    #[track_caller]
    pub fn closed(&mut self) -> (u16, String) {
        loop {
            let frame = self.receive().expect("a Close frame");
            if frame.opcode == 8 {
                return frame.closing();
            }
        }
    }

    fn read<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.connection.reader().read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    const FINAL: u8 = 0x80;
    const MASKED: u8 = 0x80;
    let mut bytes = vec![FINAL | opcode];
    match payload.len() {
        length @ 0..=125 => bytes.push(MASKED | length as u8),
        length @ 126..=0xffff => {
            bytes.push(MASKED | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(MASKED | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}
