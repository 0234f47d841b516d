//! Free ports that stay free while their owner restarts. Never one that the system hands out by
//! itself: a client that dials such a port, while nobody listens, can be given it as its own.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

use uuid::Uuid;

/// Below the ports that Linux and the IANA hand out.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;
const ATTEMPTS_MAX: usize = 1_000;

/// A port of the loopback interface that nobody listens on.
///
/// # Errors
///
/// When none was found.
pub(super) fn free() -> io::Result<u16> {
    bound()?.local_addr().map(|address| address.port())
}

/// A listener on such a port.
///
/// # Errors
///
/// When none was found.
pub(super) fn bound() -> io::Result<TcpListener> {
    for _ in 0..ATTEMPTS_MAX {
        let (high, _) = Uuid::new_v4().as_u64_pair();
        let offset = u16::try_from(high % u64::from(COUNT)).unwrap_or(0);
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST + offset)) {
            return Ok(listener);
        }
    }
    Err(io::Error::other("no free port"))
}
