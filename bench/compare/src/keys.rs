//! Small requests for any of many keys: for each once, so that it is pinned, or at random.

use std::{
    cell::Cell,
    io::Write,
    net::{Ipv4Addr, TcpStream},
    rc::Rc,
    time::Duration,
};

use crate::{
    dialogue::{self, Dialogue, Figures},
    error::{Error, at},
    http,
};

/// How many connections there are.
const CONNECTIONS: usize = 64;

/// Asks for each of so many keys, none of which was asked for before.
///
/// # Errors
///
/// When a connection breaks, or a request is not answered with 200.
pub(crate) fn pin(port: u16, keys: u64) -> Result<Figures, Error> {
    let next = Rc::new(Cell::new(0));
    let lane = |_| InTurn {
        next: Rc::clone(&next),
        keys,
    };
    hold(port, lane, None)
}

/// Asks for keys at random, of the first so many, for `time`.
///
/// # Errors
///
/// When a connection breaks, or a request is not answered with 200.
pub(crate) fn visit(port: u16, keys: u64, time: Duration) -> Result<Figures, Error> {
    let lane = |number| AtRandom {
        random: Random::new(number),
        keys,
    };
    hold(port, lane, Some(time))
}

/// Some of the first so many keys; the same in every run.
pub(crate) fn some(keys: u64, count: usize) -> impl Iterator<Item = u64> {
    let mut random = Random::new(CONNECTIONS as u64);
    (0..count).map(move |_| random.below(keys))
}

/// The request for a key.
pub(crate) fn request(key: u64, question: &mut Vec<u8>) {
    let written = write!(
        question,
        "GET /keys/{key} HTTP/1.1\r\nhost: localhost\r\n\r\n"
    );
    written.expect("memory takes everything");
}

fn hold<D: Dialogue>(
    port: u16,
    lane: impl Fn(u64) -> D,
    time: Option<Duration>,
) -> Result<Figures, Error> {
    let mut lanes = Vec::new();
    for number in 0..CONNECTIONS {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(at("connecting"))?;
        stream.set_nodelay(true).map_err(at("connecting"))?;
        lanes.push((stream, lane(number as u64)));
    }
    dialogue::hold(lanes, time)
}

/// Each key once, shared by all connections.
struct InTurn {
    next: Rc<Cell<u64>>,
    keys: u64,
}

impl Dialogue for InTurn {
    fn ask(&mut self, question: &mut Vec<u8>) -> bool {
        let key = self.next.get();
        if key == self.keys {
            return false;
        }
        self.next.set(key + 1);
        request(key, question);
        true
    }

    fn answer(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        http::whole(bytes)
    }
}

/// Any key, over and over.
struct AtRandom {
    random: Random,
    keys: u64,
}

impl Dialogue for AtRandom {
    fn ask(&mut self, question: &mut Vec<u8>) -> bool {
        request(self.random.below(self.keys), question);
        true
    }

    fn answer(&mut self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        http::whole(bytes)
    }
}

/// Numbers that look random and are the same in every run (splitmix64 by S. Vigna).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of the numbers below `end`, each about as likely as the other.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let scaled = (u128::from(mixed) * u128::from(end)) >> 64;
        u64::try_from(scaled).expect("less than the end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_turn_once() {
        let next = Rc::new(Cell::new(0));
        let mut lanes = [(); 2].map(|()| InTurn {
            next: Rc::clone(&next),
            keys: 3,
        });
        let mut question = Vec::new();
        let asked: Vec<_> = [0, 1, 0, 1, 0]
            .map(|lane: usize| lanes[lane].ask(&mut question))
            .into();
        assert_eq!(asked, [true, true, true, false, false]);
        let question = String::from_utf8(question).unwrap();
        let keys: Vec<_> = (0..3).map(|key| format!("/keys/{key} ")).collect();
        assert!(keys.iter().all(|key| question.contains(key)), "{question}");
    }

    #[test]
    fn random_keys_are_spread_over_all() {
        let mut random = Random::new(1);
        let mut counts = [0; 10];
        for _ in 0..100_000 {
            counts[usize::try_from(random.below(10)).unwrap()] += 1;
        }
        assert!(
            counts.iter().all(|count| (9_500..10_500).contains(count)),
            "{counts:?}"
        );
    }
}
