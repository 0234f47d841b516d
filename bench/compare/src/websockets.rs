//! Websockets that get back what they send: short messages over many tunnels, each of which sends its
//! next when it has the last again.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

use crate::{
    dialogue::{self, Dialogue, Figures},
    error::{Error, at},
};

/// How many tunnels there are.
const TUNNELS: usize = 100;

/// The length of a message.
const MESSAGE_BYTES: usize = 64;

/// The first two bytes of a binary message in one frame: without a mask, as it comes back (RFC 6455,
/// section 5.2).
const HEAD: [u8; 2] = [0x82, MESSAGE_BYTES as u8];

/// The mask of what is sent, with which every byte is different from what it says.
const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

/// What every byte of a message says.
const BYTE: u8 = b'x';

/// A message as a client sends it.
const FRAME: [u8; 2 + MASK.len() + MESSAGE_BYTES] = frame();

const fn frame() -> [u8; 2 + MASK.len() + MESSAGE_BYTES] {
    let mut frame = [0; 2 + MASK.len() + MESSAGE_BYTES];
    frame[0] = HEAD[0];
    frame[1] = 0x80 | HEAD[1];
    let mut at = 0;
    while at < MASK.len() + MESSAGE_BYTES {
        let byte = if at < MASK.len() { 0 } else { BYTE };
        frame[2 + at] = byte ^ MASK[at % MASK.len()];
        at += 1;
    }
    frame
}

/// Sends messages through `port` for `time`.
///
/// # Errors
///
/// When a tunnel does not open or breaks, or something else comes back.
pub(crate) fn load(port: u16, time: Duration) -> Result<Figures, Error> {
    let tunnels = open(port, TUNNELS)?;
    dialogue::hold(tunnels.into_iter().map(|tunnel| (tunnel, Echo)), Some(time))
}

/// Opens so many tunnels, each for a key of its own.
///
/// # Errors
///
/// When one is refused.
pub(crate) fn open(port: u16, count: usize) -> Result<Vec<TcpStream>, Error> {
    (0..count).map(|number| tunnel(port, number)).collect()
}

fn tunnel(port: u16, number: usize) -> Result<TcpStream, Error> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(at("connecting"))?;
    stream.set_nodelay(true).map_err(at("connecting"))?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .map_err(at("connecting"))?;
    let request = format!(
        "GET /tunnels/{number} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .map_err(at("opening a websocket"))?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    // The far side says nothing of its own, so nothing comes behind the head.
    while !head.ends_with(b"\r\n\r\n") {
        match stream
            .read(&mut buffer)
            .map_err(at("opening a websocket"))?
        {
            0 => return Err(refusal(&head)),
            read => head.extend_from_slice(&buffer[..read]),
        }
    }
    if !head.starts_with(b"HTTP/1.1 101 ") {
        return Err(refusal(&head));
    }
    Ok(stream)
}

fn refusal(head: &[u8]) -> Error {
    let head = String::from_utf8_lossy(head);
    let status = head.lines().next().unwrap_or_default();
    Error::Program(format!("a websocket was not opened: {status}"))
}

/// The same message over and over.
struct Echo;

impl Dialogue for Echo {
    fn ask(&mut self, question: &mut Vec<u8>) -> bool {
        question.extend_from_slice(&FRAME);
        true
    }

    fn answer(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        let whole = HEAD.len() + MESSAGE_BYTES;
        if bytes.len() < whole {
            return Ok(None);
        }
        let (head, message) = bytes.split_at(HEAD.len());
        if head != HEAD || message.iter().any(|byte| *byte != BYTE) {
            return Err(Error::Program("another message came back".to_owned()));
        }
        Ok(Some(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_masked_and_comes_back_unmasked() {
        let mut question = Vec::new();
        assert!(Echo.ask(&mut question));
        assert_eq!(question[..6], [0x82, 0x80 | 64, 0x5a, 0xa5, 0x3c, 0xc3]);
        let unmasked = question[6..].iter().zip(MASK.iter().cycle());
        let message: Vec<_> = unmasked.map(|(byte, mask)| byte ^ mask).collect();
        let mut echo = HEAD.to_vec();
        echo.extend_from_slice(&message);
        assert_eq!(Echo.answer(&echo).unwrap(), Some(66));
        assert_eq!(Echo.answer(&echo[..65]).unwrap(), None);
        echo[65] = b'y';
        assert!(Echo.answer(&echo).is_err());
    }
}
