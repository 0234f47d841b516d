//! The host that a request names: what every reader takes for the same one.

/// What is wrong with a host. Each text goes on after "The host".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostError {
    #[error("has user information, which some readers take for the host")]
    UserInfo,
    #[error("has a port that is no number from 0 to 65535")]
    Port,
    #[error("has the byte {0:#04x}, which does not belong into one")]
    Byte(u8),
    #[error("has brackets that hold no IPv6 address")]
    Brackets,
}

/// Checks a host with or without a port. An empty one names nothing and is read alike by all.
///
/// Stricter than RFC 3986 allows: escapes and sub-delimiters (a comma, a semicolon) may stand in a
/// host's name, but no name has any, and readers differ over them.
pub(crate) fn check(host: &[u8]) -> Result<(), HostError> {
    if host.contains(&b'@') {
        return Err(HostError::UserInfo);
    }
    let (name, port) = split(host)?;
    if let Some(port) = port {
        check_port(port)?;
    }
    if let Some(inside) = name.strip_prefix(b"[") {
        let inside = inside
            .strip_suffix(b"]")
            .and_then(|it| str::from_utf8(it).ok());
        let address = inside.and_then(|text| text.parse::<std::net::Ipv6Addr>().ok());
        return address.map(drop).ok_or(HostError::Brackets);
    }
    let belongs = |byte: &u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~');
    match name.iter().find(|byte| !belongs(byte)) {
        Some(byte) => Err(HostError::Byte(*byte)),
        None => Ok(()),
    }
}

/// Whether two hosts that were checked are the same but for letter case (RFC 3986, section 3.2.2).
pub(crate) fn are_same(host: &[u8], authority: &str) -> bool {
    host.eq_ignore_ascii_case(authority.as_bytes())
}

/// The name, and what stands behind the colon if there is one.
fn split(host: &[u8]) -> Result<(&[u8], Option<&[u8]>), HostError> {
    let from = match host.first() {
        Some(b'[') => {
            let end = host.iter().position(|byte| *byte == b']');
            end.ok_or(HostError::Brackets)? + 1
        }
        Some(_) | None => 0,
    };
    match host[from..].iter().position(|byte| *byte == b':') {
        Some(colon) => Ok((&host[..from + colon], Some(&host[from + colon + 1..]))),
        None => Ok((host, None)),
    }
}

fn check_port(port: &[u8]) -> Result<(), HostError> {
    let digits = port.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(port).unwrap_or_default();
    if digits && text.parse::<u16>().is_ok() {
        Ok(())
    } else {
        Err(HostError::Port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_all_readers_share_pass() {
        for host in [
            "",
            "a",
            "example.org:80",
            "a_b-c.d~",
            "[::1]",
            "[fe80::1]:8000",
            "10.0.0.1:1",
        ] {
            assert_eq!(check(host.as_bytes()), Ok(()), "{host}");
        }
    }

    #[test]
    fn hosts_that_readers_differ_over_are_refused_by_what_is_wrong() {
        for (host, error) in [
            ("a@b", HostError::UserInfo),
            ("a:b@c", HostError::UserInfo),
            ("a:", HostError::Port),
            ("a:x", HostError::Port),
            ("a:-1", HostError::Port),
            ("a:+1", HostError::Port),
            ("a:65536", HostError::Port),
            ("a:1:2", HostError::Port),
            ("a,b", HostError::Byte(b',')),
            ("a b", HostError::Byte(b' ')),
            ("a%2eb", HostError::Byte(b'%')),
            ("a/b", HostError::Byte(b'/')),
            ("[::1", HostError::Brackets),
            ("[x]", HostError::Brackets),
            ("[::1]x", HostError::Brackets),
            ("::1", HostError::Port),
        ] {
            assert_eq!(check(host.as_bytes()), Err(error), "{host}");
        }
        assert_eq!(check(b"a\xff"), Err(HostError::Byte(0xff)));
    }
}
