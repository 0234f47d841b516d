//! Small exchanges beside bulk transfers of the same session. They are sent at fixed times, and
//! their delays counted from there, so that one that is held up does not hide the next.

use std::{
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::{
    Failure,
    arguments::Bulk,
    clock,
    cluster::Cluster,
    delays::Delays,
    demand,
    http::{Connection, Length},
};

/// The length that a bulk transfer announces, more than it comes to.
const BYTES: u64 = 1 << 50;

/// How much one piece of an upload is.
const PIECE_BYTES: usize = 64 * 1024;

/// How many small exchanges come before those that count.
const WARM_UP: u32 = 200;

/// Measures, and tells whether the demand was met.
pub(crate) fn run(arguments: &Bulk) -> Result<bool, Failure> {
    let cluster = Cluster::start()?;
    let mut small = Connection::open(cluster.address)?;
    exchanges(&mut small, WARM_UP, arguments.rate)?;
    let count = arguments.rate.saturating_mul(arguments.seconds);
    let alone = exchanges(&mut small, count, arguments.rate)?;
    println!("small exchanges alone:  {alone}");

    let moved = AtomicU64::new(0);
    let (beside, bytes, micros) = thread::scope(|scope| {
        let mut ending = Ending(Vec::new());
        for number in 0..arguments.transfers {
            let transfer = Connection::open(cluster.address)?;
            ending.0.push(transfer.sender()?);
            let moved = &moved;
            let pace = Pace::new(arguments.megabits, arguments.transfers);
            // It ends with an error when its connection is shut down below.
            scope.spawn(move || match number % 2 {
                0 => download(transfer, number, moved, pace),
                _ => upload(transfer, number, moved, pace),
            });
        }
        let warmed_up = exchanges(&mut small, WARM_UP, arguments.rate);
        let (start, before) = (clock::micros(), moved.load(Ordering::Relaxed));
        let beside = warmed_up.and_then(|_| exchanges(&mut small, count, arguments.rate));
        let bytes = moved.load(Ordering::Relaxed) - before;
        drop(ending);
        beside.map(|beside| (beside, bytes, clock::micros() - start))
    })?;
    println!("beside {} transfers:     {beside}", arguments.transfers);
    println!(
        "the transfers moved {:.0} MB/s",
        bytes as f64 / micros.max(1) as f64
    );

    let ratio = beside.of_thousand(990) as f64 / alone.of_thousand(990).max(1) as f64;
    let flowing = demand("the transfers moved something", bytes > 0);
    let what = format!(
        "p99 is {ratio:.2} times that alone, at most {}",
        arguments.ratio_max
    );
    Ok(demand(&what, ratio <= arguments.ratio_max) && flowing)
}

/// How fast one transfer may go.
struct Pace {
    start: u64,
    bytes: u64,
    bytes_per_second: u64,
}

impl Pace {
    /// One of so many transfers that share this rate; 0 is any.
    fn new(megabits: u64, transfers: usize) -> Self {
        Self {
            start: clock::micros(),
            bytes: 0,
            bytes_per_second: megabits * 125_000 / (transfers as u64).max(1),
        }
    }

    /// Waits until `more` bytes are due.
    fn wait(&mut self, more: usize) {
        self.bytes += more as u64;
        if let Some(micros) = (self.bytes * 1_000_000).checked_div(self.bytes_per_second) {
            thread::park_timeout(clock::until(self.start + micros));
        }
    }
}

/// Ends the transfers when it is dropped.
struct Ending(Vec<TcpStream>);

impl Drop for Ending {
    fn drop(&mut self) {
        for transfer in &self.0 {
            // One that has failed has ended already.
            let _ = transfer.shutdown(Shutdown::Both);
        }
    }
}

/// So many small exchanges, so many in a second.
fn exchanges(connection: &mut Connection, count: u32, rate: u32) -> Result<Delays, Failure> {
    let mut delays = Delays::default();
    let start = clock::micros();
    for number in 0..count {
        let intended = start + u64::from(number) * 1_000_000 / u64::from(rate);
        thread::park_timeout(clock::until(intended));
        connection.send(b"GET /small HTTP/1.1\r\nhost: bench\r\n\r\n")?;
        let length = connection.head()?;
        connection.body(length, |_| Ok(()))?;
        delays.add(clock::micros().saturating_sub(intended));
    }
    Ok(delays)
}

fn download(
    mut connection: Connection,
    number: usize,
    moved: &AtomicU64,
    mut pace: Pace,
) -> Result<(), Failure> {
    let head = format!("GET /bulk/{number}?bytes={BYTES} HTTP/1.1\r\nhost: bench\r\n\r\n");
    connection.send(head.as_bytes())?;
    let length: Length = connection.head()?;
    connection.body(length, |piece| {
        moved.fetch_add(piece.len() as u64, Ordering::Relaxed);
        pace.wait(piece.len());
        Ok(())
    })
}

fn upload(
    mut connection: Connection,
    number: usize,
    moved: &AtomicU64,
    mut pace: Pace,
) -> Result<(), Failure> {
    let head =
        format!("PUT /bulk/{number} HTTP/1.1\r\nhost: bench\r\ncontent-length: {BYTES}\r\n\r\n");
    connection.send(head.as_bytes())?;
    let piece = vec![0; PIECE_BYTES];
    loop {
        connection.send(&piece)?;
        moved.fetch_add(piece.len() as u64, Ordering::Relaxed);
        pace.wait(piece.len());
    }
}
