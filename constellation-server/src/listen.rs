//! Binds the sockets that a setting names.
//!
//! Never accepts a connection, and never sets more on a socket than the standard library does.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _},
};

use crate::settings::hostname::Hostname;

/// How often a free port is looked for that all addresses of a setting can share.
const FREE_PORT_TRIES: usize = 32;

/// Why a setting's sockets cannot be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {hostname}, port {port}")]
pub(crate) struct Error {
    hostname: Hostname,
    port: u16,
    source: io::Error,
}

/// Binds one port on all these hosts; port 0 is a free one, the same for all.
///
/// `localhost` is both loopback addresses and `*` every interface of both families; of those two,
/// a machine without IPv6 has the IPv4 half. The listeners block, as the standard library makes
/// them.
///
/// # Errors
///
/// When a name does not resolve or an address cannot be bound.
pub(crate) fn bind(hostnames: &[Hostname], port: u16) -> Result<Vec<TcpListener>, Error> {
    let mut tries = 1..=FREE_PORT_TRIES;
    loop {
        let last = tries.next().is_none();
        match bind_all(hostnames, port) {
            // Another process had the port on one of the other addresses.
            Err(error) if port == 0 && error.source.kind() == io::ErrorKind::AddrInUse && !last => {
            }
            bound => return bound,
        }
    }
}

fn bind_all(hostnames: &[Hostname], mut port: u16) -> Result<Vec<TcpListener>, Error> {
    let mut listeners = Vec::new();
    for hostname in hostnames {
        let failed = |source| Error {
            hostname: hostname.clone(),
            port,
            source,
        };
        let bound = bind_host(hostname, port).map_err(failed)?;
        if let (0, Some(first)) = (port, bound.first()) {
            port = first.local_addr().map_err(failed)?.port();
        }
        listeners.extend(bound);
    }
    Ok(listeners)
}

fn bind_host(hostname: &Hostname, mut port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut refused = None;
    for address in addresses(hostname)? {
        match TcpListener::bind(SocketAddr::new(address, port)) {
            Ok(listener) => {
                port = listener.local_addr()?.port();
                listeners.push(listener);
            }
            Err(error) if may_be_missing(hostname, address, &error, !listeners.is_empty()) => {
                refused = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    match refused {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

/// The addresses of a host, without repetitions.
fn addresses(hostname: &Hostname) -> io::Result<Vec<IpAddr>> {
    Ok(match hostname {
        // IPv6 first: where one socket serves both families, it is this one.
        Hostname::Every => vec![Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()],
        Hostname::Loopback => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Hostname::Address(address) => vec![*address],
        Hostname::Name(name) => {
            let mut addresses: Vec<IpAddr> = (&**name, 0)
                .to_socket_addrs()?
                .map(|address| address.ip())
                .collect();
            addresses.sort_unstable();
            addresses.dedup();
            addresses
        }
    })
}

/// Whether a host is served although this address of it cannot be bound.
fn may_be_missing(hostname: &Hostname, address: IpAddr, error: &io::Error, bound: bool) -> bool {
    let in_use = error.kind() == io::ErrorKind::AddrInUse;
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    match hostname {
        // The IPv6 socket took the IPv4 connections too, as Linux does by default.
        Hostname::Every if address.is_ipv4() => bound && in_use,
        Hostname::Every | Hostname::Loopback => address.is_ipv6() && !in_use && !denied,
        Hostname::Address(_) | Hostname::Name(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    fn hostname(text: &str) -> Hostname {
        Hostname::parse(text).unwrap()
    }

    fn port(listeners: &[TcpListener]) -> u16 {
        listeners[0].local_addr().unwrap().port()
    }

    #[test]
    fn localhost_is_both_loopback_addresses_on_one_port() {
        let listeners = bind(&[Hostname::Loopback], 0).unwrap();
        let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
        assert_eq!(listeners.len(), 1 + usize::from(has_ipv6));
        for listener in &listeners {
            let address = listener.local_addr().unwrap();
            assert!(address.ip().is_loopback());
            assert_eq!(address.port(), port(&listeners));
        }
    }

    #[test]
    fn a_star_is_reached_by_both_families() {
        let listeners = bind(&[Hostname::Every], 0).unwrap();
        let port = port(&listeners);
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        if TcpListener::bind("[::1]:0").is_ok() {
            TcpStream::connect(("::1", port)).unwrap();
        }
    }

    #[test]
    fn several_hosts_share_a_free_port() {
        let listeners = bind(&[hostname("127.0.0.1"), hostname("127.0.0.2")], 0).unwrap();
        let addresses: Vec<_> = listeners
            .iter()
            .map(|it| it.local_addr().unwrap())
            .collect();
        assert_eq!(addresses[0].port(), addresses[1].port());
    }

    #[test]
    fn a_taken_port_is_an_error_that_names_host_and_port() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "*"] {
            let error = bind(&[hostname(host)], port).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("cannot listen on {host}, port {port}")
            );
            assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
        }
    }
}
