//! The table of running exchanges, by number. Never decides anything.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::exchange::Exchange;
use crate::protocol::frame::StreamId;

/// The running exchanges of a session.
pub(super) type Table = HashMap<StreamId, Exchange, BuildHasherDefault<StreamHasher>>;

/// Spreads numbers that rise one by one with a single multiplication.
///
/// It does not defend against chosen numbers: exchanges are numbered by the controller, and no
/// number that comes from a worker is ever put into a table.
#[derive(Debug, Default)]
pub(super) struct StreamHasher(u64);

/// 2^64 divided by the golden ratio (D. Knuth, The Art of Computer Programming, 6.4).
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for StreamHasher {
    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(GOLDEN);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
