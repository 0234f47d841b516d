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

    /// Reads one answer and drops its body; the status and the body's length.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or the answer declares no length.
    pub(crate) fn receive(&mut self) -> Result<(u16, u64), Error> {
        let mut status = 0;
        let mut length = None;
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
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
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
        Ok((status, length))
    }
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
        Ok(answer.is_ok_and(|(status, _)| status == 200))
    })
}
