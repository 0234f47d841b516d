//! Listening on this machine alone, under the name `localhost`: on both of its addresses, because
//! clients differ in which one they try.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
};

/// How often a free port is looked for that both addresses can share.
const FREE_PORT_TRIES: u32 = 32;

/// Listens on 127.0.0.1 and, where the system has IPv6, on `::1`, both on this port. Port 0 takes
/// a free one.
///
/// # Errors
///
/// When one of the addresses cannot be had.
pub(crate) fn listen(port: u16) -> io::Result<Vec<TcpListener>> {
    for _ in 1..FREE_PORT_TRIES {
        match listen_once(port) {
            // Another process had the port on the other address.
            Err(error) if port == 0 && error.kind() == ErrorKind::AddrInUse => {}
            outcome => return outcome,
        }
    }
    listen_once(port)
}

fn listen_once(port: u16) -> io::Result<Vec<TcpListener>> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let port = first.local_addr()?.port();
    let mut listeners = vec![first];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(second) => listeners.push(second),
        Err(error) if is_without_ipv6(&error) => {
            log::warn!("no IPv6 here: listening on 127.0.0.1 alone");
        }
        Err(error) => return Err(error),
    }
    Ok(listeners)
}

fn is_without_ipv6(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_has_the_same_port_and_is_loopback() {
        let listeners = listen(0).unwrap();
        let port = listeners[0].local_addr().unwrap().port();
        for listener in &listeners {
            let address = listener.local_addr().unwrap();
            assert!(address.ip().is_loopback());
            assert_eq!(address.port(), port);
        }
        assert!(listen(port).is_err(), "a port in use is an error");
    }
}
