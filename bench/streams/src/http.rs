//! As much of an HTTP/1.1 client as the measurements need, over blocking sockets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use crate::Failure;

/// A connection that is kept.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// After so many bytes.
    Bytes(u64),
    /// It comes in chunks.
    Chunked,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(64 * 1024, stream),
        })
    }

    /// A handle to the same connection, to send from another thread.
    pub(crate) fn sender(&self) -> Result<TcpStream, Failure> {
        Ok(self.stream.get_ref().try_clone()?)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.get_mut().write_all(bytes)?)
    }

    /// Reads the head of an answer that must be a 200.
    pub(crate) fn head(&mut self) -> Result<Length, Failure> {
        let status = self.line()?;
        if !status.starts_with("HTTP/1.1 200") {
            return Err(Failure::Answer(format!("answered with {status:?}")));
        }
        let mut length = Length::Bytes(0);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(": ") {
                None => return Ok(length),
                Some(("content-length", value)) => length = Length::Bytes(number(value, 10)?),
                Some(("transfer-encoding", "chunked")) => length = Length::Chunked,
                Some(_) => {}
            }
        }
    }

    /// Reads a body and hands out its pieces.
    pub(crate) fn body(
        &mut self,
        length: Length,
        mut piece: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Length::Bytes(bytes) = length {
            return self.pieces(bytes, &mut piece);
        }
        loop {
            let size = number(&self.line()?, 16)?;
            self.pieces(size, &mut piece)?;
            let _end_of_chunk = self.line()?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn pieces(
        &mut self,
        mut left: u64,
        piece: &mut impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        while left > 0 {
            let some = self.stream.fill_buf()?;
            if some.is_empty() {
                return Err(Failure::Answer(format!(
                    "broke off with {left} bytes to come"
                )));
            }
            let taken = some.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            piece(&some[..taken])?;
            self.stream.consume(taken);
            left -= taken as u64;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        let read = self.stream.by_ref().take(64 * 1024).read_line(&mut line)?;
        if read == 0 {
            return Err(Failure::Answer("the connection was closed".into()));
        }
        Ok(line.trim_end().to_owned())
    }
}

fn number(text: &str, radix: u32) -> Result<u64, Failure> {
    u64::from_str_radix(text, radix).map_err(|_| Failure::Answer(format!("{text:?} is no number")))
}
