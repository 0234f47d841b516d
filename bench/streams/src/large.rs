//! One very large body that goes up and comes back at once: every byte of it is compared, and the
//! memory that both programs took for it is measured.

use std::{
    io::Write,
    net::{Shutdown, TcpStream},
    thread,
};

use crate::{
    Failure,
    arguments::Large,
    clock,
    cluster::Cluster,
    demand,
    http::Connection,
    pattern::{self, BLOCK_BYTES},
};

/// Measures, and tells whether the demands were met.
pub(crate) fn run(arguments: &Large) -> Result<bool, Failure> {
    let cluster = Cluster::start()?;
    let blocks = u64::from(arguments.mib) * (1024 * 1024 / BLOCK_BYTES as u64);
    // What the first exchange needs anyway is there before it counts.
    echo(&cluster, 1)?;
    let memory = || {
        let programs = [&cluster.controller, &cluster.worker];
        programs.map(|program| program.peak_memory_kib() / 1024)
    };
    let before = memory();
    let start = clock::micros();
    let intact = echo(&cluster, blocks)?;
    let micros = clock::micros() - start;
    let after = memory();
    let bytes = blocks * BLOCK_BYTES as u64;
    let speed = bytes as f64 / micros.max(1) as f64;
    println!(
        "{} MiB up and down in {:.1} s: {speed:.0} MB/s each way",
        arguments.mib,
        micros as f64 / 1e6
    );
    for (name, at) in [("controller", 0), ("worker", 1)] {
        println!(
            "the {name}'s memory: {} MiB before, {} MiB at most",
            before[at], after[at]
        );
    }
    let most = arguments.growth_mib_max;
    let constant = (0..2).all(|at| after[at] - before[at] <= most);
    let whole = demand("every byte came back as it was sent", intact);
    Ok(demand(&format!("neither grew by more than {most} MiB"), constant) && whole)
}

/// Sends so many blocks and reads them back; whether they are the same.
fn echo(cluster: &Cluster, blocks: u64) -> Result<bool, Failure> {
    let mut connection = Connection::open(cluster.address)?;
    let bytes = blocks * BLOCK_BYTES as u64;
    let head =
        format!("POST /large?echo HTTP/1.1\r\nhost: bench\r\ncontent-length: {bytes}\r\n\r\n");
    connection.send(head.as_bytes())?;
    let (sender, ending) = (connection.sender()?, connection.sender()?);
    thread::scope(|scope| {
        let sent = scope.spawn(move || send(sender, blocks));
        let compared = receive(&mut connection);
        if compared.is_err() {
            // What is still being sent need not wait for anybody.
            ending.shutdown(Shutdown::Both)?;
        }
        let sent = sent.join();
        let expected = compared?;
        match sent {
            Ok(sent) => sent?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(expected.intact && expected.bytes == bytes)
    })
}

fn receive(connection: &mut Connection) -> Result<Expected, Failure> {
    let length = connection.head()?;
    let mut expected = Expected::new();
    connection.body(length, |piece| {
        expected.compare(piece);
        Ok(())
    })?;
    Ok(expected)
}

fn send(mut sender: TcpStream, blocks: u64) -> Result<(), Failure> {
    let mut block = [0; BLOCK_BYTES];
    for place in 0..blocks {
        pattern::fill(&mut block, place);
        sender.write_all(&block)?;
    }
    Ok(())
}

/// What has to come next.
struct Expected {
    block: Box<[u8; BLOCK_BYTES]>,
    bytes: u64,
    intact: bool,
}

impl Expected {
    fn new() -> Self {
        Self {
            block: Box::new([0; BLOCK_BYTES]),
            bytes: 0,
            intact: true,
        }
    }

    fn compare(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let within = usize::try_from(self.bytes % BLOCK_BYTES as u64).unwrap_or(0);
            if within == 0 {
                pattern::fill(&mut self.block, self.bytes / BLOCK_BYTES as u64);
            }
            let length = piece.len().min(BLOCK_BYTES - within);
            let (now, rest) = piece.split_at(length);
            self.intact &= *now == self.block[within..within + length];
            self.bytes += length as u64;
            piece = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(change: impl Fn(&mut Vec<u8>)) -> bool {
        let mut all = Vec::new();
        for place in 0..3 {
            let mut block = [0; BLOCK_BYTES];
            pattern::fill(&mut block, place);
            all.extend_from_slice(&block);
        }
        change(&mut all);
        let mut expected = Expected::new();
        all.chunks(10_000).for_each(|piece| expected.compare(piece));
        expected.intact && expected.bytes == 3 * BLOCK_BYTES as u64
    }

    #[test]
    fn a_byte_that_is_changed_lost_or_doubled_is_found() {
        assert!(compared(|_| ()));
        assert!(!compared(|all| all[100_000] ^= 1));
        assert!(!compared(|all| _ = all.remove(100_000)));
        assert!(!compared(|all| all.insert(100_000, all[100_000])));
        assert!(!compared(|all| _ = all.pop()));
    }
}
