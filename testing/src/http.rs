//! A tiny HTTP/1.1 client that sends exactly what it is told.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use crate::wait::PATIENCE;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// When it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection that stays open between requests.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to a port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When nobody listens there.
    #[must_use]
    #[track_caller]
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Sends bytes as they are. A connection that was closed meanwhile takes nothing.
    pub fn send(&mut self, bytes: &[u8]) {
        let _closed = self.stream.get_mut().write_all(bytes);
    }

    /// Reads one answer; `None` when the connection closes without one. With `head_only` its
    /// headers speak of a body that does not come.
    ///
    /// # Panics
    ///
    /// When what comes is no answer.
    pub fn receive(&mut self, head_only: bool) -> Option<Answer> {
        let first = self.line()?;
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {first:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let bodiless = head_only || status == 204 || status == 304;
        if !bodiless {
            answer.body = self.body(&answer);
        }
        Some(answer)
    }

    /// Sends one request and reads its answer at the same time, as a client has to where the answer
    /// begins before the request has ended and neither fits into the buffers between.
    ///
    /// # Panics
    ///
    /// When the connection fails, or what comes is no answer.
    pub fn exchange(&mut self, request: &[u8]) -> Answer {
        let mut sender = self.stream().try_clone().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || sender.write_all(request).unwrap());
            self.receive(false).expect("an answer")
        })
    }

    pub(crate) fn body(&mut self, answer: &Answer) -> Vec<u8> {
        let mut body = Vec::new();
        if answer.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = self.line().expect("a chunk");
                let size = usize::from_str_radix(&size, 16).unwrap();
                let start = body.len();
                body.resize(start + size, 0);
                self.stream.read_exact(&mut body[start..]).unwrap();
                let _end_of_chunk = self.line();
                if size == 0 {
                    return body;
                }
            }
        }
        match answer.header("content-length") {
            Some(length) => {
                body.resize(length.parse().unwrap(), 0);
                self.stream.read_exact(&mut body).unwrap();
            }
            None => {
                let _end = self.stream.read_to_end(&mut body);
            }
        }
        body
    }

    /// Reads and counts what comes until the connection closes.
    ///
    /// # Panics
    ///
    /// When the connection fails.
    pub fn count_to_end(&mut self) -> u64 {
        std::io::copy(&mut self.stream, &mut std::io::sink()).unwrap()
    }

    /// Reads and counts what comes until the connection closes or breaks.
    ///
    /// # Panics
    ///
    /// When it does neither in time.
    pub fn count_until_lost(&mut self) -> u64 {
        let mut count = 0;
        loop {
            let length = match self.stream.fill_buf() {
                Ok(some) => some.len(),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{count} bytes");
                    0
                }
            };
            if length == 0 {
                return count;
            }
            self.stream.consume(length);
            count += length as u64;
        }
    }

    /// What has come since the last reading; waits until there is something.
    ///
    /// # Panics
    ///
    /// When the connection fails.
    pub fn read_some(&mut self) -> Vec<u8> {
        let some = self.stream.fill_buf().unwrap().to_vec();
        self.stream.consume(some.len());
        some
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    pub(crate) fn reader(&mut self) -> &mut impl Read {
        &mut self.stream
    }

    /// The connection itself.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

/// The bytes of a request with a body, if there is one.
#[must_use]
pub fn bytes(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Sends one request over a connection of its own.
///
/// # Panics
///
/// When no answer comes.
#[must_use]
#[track_caller]
pub fn request(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut connection = Connection::open(port);
    connection.send(&bytes(method, path, headers, body));
    let answer = connection.receive(method == "HEAD");
    answer.unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// Sends one GET over a connection of its own.
#[must_use]
#[track_caller]
pub fn get(port: u16, path: &str) -> Answer {
    request(port, "GET", path, &[], b"")
}
