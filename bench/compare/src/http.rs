//! As much of an HTTP client as a measurement needs: answers with a declared length, over one
//! blocking connection.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
};

use crate::{
    error::{Error, at},
    process::wait,
};

/// What an answer says before its body, and how long that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The length of the body.
    pub(crate) length: u64,
    /// The worker that answered, when it is named.
    pub(crate) worker: Option<String>,
}

/// A connection that is kept.
#[derive(Debug)]
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects to a port of the loopback interface.
    ///
    /// # Errors
    ///
    /// When nobody listens there.
    pub(crate) fn open(port: u16) -> Result<Self, Error> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(at("connecting"))?;
        stream.set_nodelay(true).map_err(at("connecting"))?;
        Ok(Self(BufReader::with_capacity(256 * 1024, stream)))
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// When the connection is gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.get_mut().write_all(bytes).map_err(at("sending"))
    }

    /// Reads one answer and drops its body.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or the answer declares no length.
    pub(crate) fn receive(&mut self) -> Result<Answer, Error> {
        let (mut status, mut length, mut worker) = (0, None, None);
        loop {
            let mut line = String::new();
            let read = self
                .0
                .read_line(&mut line)
                .map_err(at("reading an answer"))?;
            let line = line.trim_end();
            if read == 0 {
                return Err(Error::Program("the connection was closed".to_owned()));
            }
            if line.is_empty() {
                break;
            }
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest
                    .get(..3)
                    .and_then(|code| code.parse().ok())
                    .unwrap_or(0);
            }
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok();
                }
                Some((name, value)) if name.eq_ignore_ascii_case("x-worker") => {
                    worker = Some(value.trim().to_owned());
                }
                Some(_) | None => {}
            }
        }
        let Some(length) = length else {
            return Err(Error::Program("an answer without a length".to_owned()));
        };
        let mut body = (&mut self.0).take(length);
        let read = std::io::copy(&mut body, &mut std::io::sink()).map_err(at("reading a body"))?;
        if read < length {
            return Err(Error::Program("a body broke off".to_owned()));
        }
        Ok(Answer {
            status,
            length,
            worker,
        })
    }
}

/// The length of the answer with status 200 that `bytes` begin with, its head included; `None` when
/// a part of it is missing.
///
/// # Errors
///
/// When it has another status, or declares no length.
pub(crate) fn whole(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let mut lines = bytes[..end].split(|byte| *byte == b'\n');
    if !bytes.starts_with(b"HTTP/1.1 200 ") {
        return Err(unexpected(bytes));
    }
    let length = lines.find_map(declared_length);
    let length = length.ok_or_else(|| Error::Program("an answer without a length".to_owned()))?;
    let whole = end + 4 + length;
    Ok((bytes.len() >= whole).then_some(whole))
}

fn declared_length(line: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    str::from_utf8(value).ok()?.trim().parse().ok()
}

/// The most bytes that are shown of an answer that is not the expected one.
const SHOWN_BYTES_MAX: usize = 1024;

/// An answer that is not 200, with its body, which says why, as far as it has come.
pub(crate) fn unexpected(answer: &[u8]) -> Error {
    let answer = String::from_utf8_lossy(&answer[..answer.len().min(SHOWN_BYTES_MAX)]);
    Error::Program(format!("instead of 200, an answer is {answer}"))
}

/// Waits until a request to `port` is answered with 200.
///
/// # Errors
///
/// When none is in time.
pub(crate) fn until_answered(port: u16) -> Result<(), Error> {
    wait("an answer with status 200", || {
        let answer = Connection::open(port).and_then(|mut connection| {
            connection.send(b"GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
            connection.receive()
        });
        Ok(answer.is_ok_and(|answer| answer.status == 200))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_declared_length_is_there() {
        let bytes = b"HTTP/1.1 200 OK\r\ndate: now\r\nContent-Length: 5\r\n\r\nhello";
        for cut in 0..bytes.len() {
            assert_eq!(whole(&bytes[..cut]).unwrap(), None, "{cut}");
        }
        assert_eq!(whole(bytes).unwrap(), Some(bytes.len()));
        assert!(whole(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n").is_err());
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
