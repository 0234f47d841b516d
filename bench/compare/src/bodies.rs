//! Long bodies: how many bytes a second, over a few connections that each send the next request when
//! the last is answered.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{error::Error, http::Connection};

/// How many connections there are.
const CONNECTIONS: usize = 4;

/// A piece of a request's body.
static CHUNK: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// Which way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Direction {
    /// To the client.
    Down,
    /// From the client.
    Up,
}

impl Direction {
    /// Both ways.
    pub(crate) const ALL: [Self; 2] = [Self::Down, Self::Up];

    /// What goes that way.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Down => "answers",
            Self::Up => "uploads",
        }
    }
}

/// Moves bodies of `bytes` for `time`; how many bytes were moved, and how long that took.
///
/// # Errors
///
/// When a connection breaks, or an answer is not the one that was asked for.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that measures has a clock"
)]
pub(crate) fn load(
    port: u16,
    direction: Direction,
    bytes: u64,
    time: Duration,
) -> Result<(u64, Duration), Error> {
    let (over, moved) = (AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    let outcomes: Result<Vec<()>, Error> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..CONNECTIONS)
            .map(|lane| {
                let (over, moved) = (&over, &moved);
                scope.spawn(move || {
                    let mut connection = Connection::open(port)?;
                    while !over.load(Ordering::Relaxed) {
                        once(&mut connection, lane, direction, bytes)?;
                        moved.fetch_add(bytes, Ordering::Relaxed);
                        if begun.elapsed() >= time {
                            over.store(true, Ordering::Relaxed);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        let join = |lane: thread::ScopedJoinHandle<'_, _>| lane.join().expect("no lane panics");
        lanes.into_iter().map(join).collect()
    });
    outcomes?;
    Ok((moved.into_inner(), begun.elapsed()))
}

fn once(
    connection: &mut Connection,
    lane: usize,
    direction: Direction,
    bytes: u64,
) -> Result<(), Error> {
    let expected = match direction {
        Direction::Down => {
            let head =
                format!("GET /bodies/{lane}?bytes={bytes} HTTP/1.1\r\nhost: localhost\r\n\r\n");
            connection.send(head.as_bytes())?;
            bytes
        }
        Direction::Up => {
            let head = format!(
                "PUT /bodies/{lane} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {bytes}\r\n\r\n"
            );
            connection.send(head.as_bytes())?;
            let mut left = bytes;
            while left > 0 {
                let size = left.min(CHUNK.len() as u64);
                connection.send(&CHUNK[..usize::try_from(size).unwrap_or(0)])?;
                left -= size;
            }
            crate::peer::BODY_BYTES as u64
        }
    };
    let answer = connection.receive()?;
    if answer.status == 200 && answer.length == expected {
        return Ok(());
    }
    Err(Error::Program(format!(
        "an answer with status {} and {} bytes",
        answer.status, answer.length
    )))
}
