//! Small requests at a fixed rate, whatever the answers do: each has its intended moment, and its
//! time counts from there, also when it had to wait for a connection. So a stall shows in all the
//! requests that should have been sent meanwhile (G. Tene, "How not to measure latency").
//!
//! One thread, all connections: it waits for answers and for the next moment at once.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::{
    error::{Error, at},
    times::Times,
};

/// How many keys are asked for, in turn.
const KEYS: u64 = 1000;

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// The time within which half of the answers came.
    pub(crate) p50: Duration,
    /// The time within which 99 of 100 came.
    pub(crate) p99: Duration,
    /// The time within which 999 of 1,000 came.
    pub(crate) p999: Duration,
}

/// One connection, and the intended moment of the request that is under way.
struct Lane {
    stream: TcpStream,
    asked: Option<Instant>,
    answer: Answer,
}

/// As much of an answer as has come.
#[derive(Debug, Default)]
struct Answer {
    head: Vec<u8>,
    /// Bytes of the body that are missing, once the head is there.
    missing: Option<u64>,
}

/// Sends `rate` requests a second over `connections` connections for `time`.
///
/// # Errors
///
/// When a connection breaks, or an answer is none, or the last ones do not come.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that measures has a clock"
)]
pub(crate) fn load(
    port: u16,
    connections: usize,
    rate: f64,
    time: Duration,
) -> Result<Figures, Error> {
    let mut lanes = Vec::new();
    for _ in 0..connections {
        lanes.push(Lane::open(port)?);
    }
    let mut idle: VecDeque<usize> = (0..lanes.len()).collect();
    let mut times = Times::new();
    let count = (rate * time.as_secs_f64()) as u64;
    let begun = Instant::now();
    let intended = |number: u64| begun + Duration::from_secs_f64(number as f64 / rate);
    let end = intended(count) + PATIENCE;
    let mut sent = 0;
    while times.count() < count {
        let now = Instant::now();
        if now > end {
            let missing = count - times.count();
            return Err(Error::Program(format!("{missing} answers did not come")));
        }
        while sent < count
            && intended(sent) <= now
            && let Some(lane) = idle.pop_front()
        {
            lanes[lane].ask(sent % KEYS, intended(sent))?;
            sent += 1;
        }
        let next = if sent == count || idle.is_empty() {
            end
        } else {
            intended(sent)
        };
        for lane in ready(&lanes, next.saturating_duration_since(Instant::now()))? {
            if let Some(asked) = lanes[lane].read()? {
                times.record(asked.elapsed());
                idle.push_back(lane);
            }
        }
    }
    Ok(Figures {
        requests: times.count(),
        p50: times.within(0.5),
        p99: times.within(0.99),
        p999: times.within(0.999),
    })
}

/// The lanes that wait for an answer and have something to read, within `time`.
fn ready(lanes: &[Lane], time: Duration) -> Result<Vec<usize>, Error> {
    let waiting: Vec<usize> = (0..lanes.len())
        .filter(|at| lanes[*at].asked.is_some())
        .collect();
    let mut polled: Vec<_> = waiting
        .iter()
        .map(|at| PollFd::new(&lanes[*at].stream, PollFlags::IN))
        .collect();
    let timeout = Timespec::try_from(time).expect("a few seconds fit");
    match poll(&mut polled, Some(&timeout)) {
        // Stopped and continued, for example.
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(at("waiting for answers")(error.into())),
    }
    let ready = waiting
        .iter()
        .zip(&polled)
        .filter(|(_, polled)| !polled.revents().is_empty());
    Ok(ready.map(|(at, _)| *at).collect())
}

impl Lane {
    fn open(port: u16) -> Result<Self, Error> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(at("connecting"))?;
        stream.set_nodelay(true).map_err(at("connecting"))?;
        stream.set_nonblocking(true).map_err(at("connecting"))?;
        Ok(Self {
            stream,
            asked: None,
            answer: Answer::default(),
        })
    }

    fn ask(&mut self, key: u64, intended: Instant) -> Result<(), Error> {
        let request = format!("GET /bench/{key} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        // An idle connection has room for so little.
        self.stream
            .write_all(request.as_bytes())
            .map_err(at("sending"))?;
        self.asked = Some(intended);
        Ok(())
    }

    /// Reads what there is; the intended moment of the request whose answer is complete now.
    fn read(&mut self) -> Result<Option<Instant>, Error> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Error::Program("the connection was closed".to_owned())),
                Ok(read) => {
                    if self.answer.take(&buffer[..read])? {
                        self.answer = Answer::default();
                        return Ok(self.asked.take());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(at("reading an answer")(error)),
            }
        }
    }
}

impl Answer {
    /// Takes bytes in; tells whether the answer is complete.
    fn take(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        if let Some(missing) = &mut self.missing {
            *missing = missing.saturating_sub(bytes.len() as u64);
            return Ok(*missing == 0);
        }
        self.head.extend_from_slice(bytes);
        let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(false);
        };
        let head = String::from_utf8_lossy(&self.head[..end]);
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(crate::http::unexpected(&self.head));
        }
        let length: u64 = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok())
            .ok_or_else(|| Error::Program("an answer without a length".to_owned()))?;
        let here = (self.head.len() - end - 4) as u64;
        self.missing = Some(length.saturating_sub(here));
        Ok(here >= length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_come_in_any_pieces() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for cut in 1..whole.len() {
            let mut answer = Answer::default();
            assert!(!answer.take(&whole[..cut]).unwrap(), "{cut}");
            assert!(answer.take(&whole[cut..]).unwrap(), "{cut}");
        }
        let refused = Answer::default().take(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n");
        assert!(refused.is_err());
    }
}
