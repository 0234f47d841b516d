//! HTTP/1.1 over one connection that is kept: as little as a client needs, so that most of the
//! machine is left to what is tested. It never sends anything twice.

use std::{io, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// How long to wait for an answer: longer than the controller does.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest body that is taken.
const BODY_BYTES_MAX: usize = 64 << 20;

/// A connection, opened when it is needed.
#[derive(Debug)]
pub(crate) struct Connection {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(other, _)| other == name)?;
        Some(value)
    }
}

/// Why nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoReply {
    /// There was no connection to send it over.
    Unsent,
    /// The connection ended, or nothing came in time.
    Broken,
}

impl Connection {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// Sends a request without a body; `headers` are whole lines.
    ///
    /// # Errors
    ///
    /// When nothing came back.
    pub(crate) async fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
    ) -> Result<Reply, NoReply> {
        self.request_with(method, target, headers, "").await
    }

    /// Sends a request with a body.
    ///
    /// # Errors
    ///
    /// When nothing came back.
    pub(crate) async fn request_with(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> Result<Reply, NoReply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect().await.map_err(|_| NoReply::Unsent)?,
        };
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        let exchange = async {
            stream.get_mut().write_all(request.as_bytes()).await?;
            read(&mut stream).await
        };
        let reply = timeout(PATIENCE, exchange)
            .await
            .map_err(|_| NoReply::Broken)?
            .map_err(|_| NoReply::Broken)?;
        if reply.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(reply)
    }

    async fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(BufReader::new(stream))
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let first = line(stream).await?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let mut reply = Reply {
        status: status.ok_or_else(|| malformed("status"))?,
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let line = line(stream).await?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        let name = name.to_ascii_lowercase();
        reply.headers.push((name, value.trim().to_owned()));
    }
    if reply.header("transfer-encoding") == Some("chunked") {
        while let size @ 1.. = chunk_size(&line(stream).await?)? {
            content(stream, &mut reply.body, size).await?;
            line(stream).await?;
        }
        line(stream).await?;
    } else if let Some(length) = reply.header("content-length") {
        let length = length.parse().map_err(|_| malformed("length"))?;
        content(stream, &mut reply.body, length).await?;
    }
    Ok(reply)
}

async fn content(
    stream: &mut BufReader<TcpStream>,
    body: &mut Vec<u8>,
    more: usize,
) -> io::Result<()> {
    let start = body.len();
    if start.saturating_add(more) > BODY_BYTES_MAX {
        return Err(malformed("length"));
    }
    body.resize(start + more, 0);
    stream.read_exact(&mut body[start..]).await?;
    Ok(())
}

fn chunk_size(line: &str) -> io::Result<usize> {
    usize::from_str_radix(line, 16).map_err(|_| malformed("chunk"))
}

async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
