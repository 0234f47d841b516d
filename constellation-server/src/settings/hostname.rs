//! Where to listen: the words `*` and `localhost`, an address, or a name.
//!
//! Nothing here asks a resolver; that is for the one who binds.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The interfaces to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hostname {
    /// `*`: every interface.
    Every,
    /// `localhost`: both loopback addresses, whatever the resolver says.
    Loopback,
    /// One address.
    Address(IpAddr),
    /// A name for the resolver.
    Name(Box<str>),
}

impl Hostname {
    /// Reads `*`, `localhost`, an IPv4 address, an IPv6 address with or without brackets, or a
    /// host name of at most 253 letters, digits, `-`, `_` and dots. `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Every);
        }
        if text.eq_ignore_ascii_case("localhost") {
            return Some(Self::Loopback);
        }
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        if let Some(bare) = bare {
            return bare
                .parse::<Ipv6Addr>()
                .ok()
                .map(|address| Self::Address(address.into()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        is_name(text).then(|| Self::Name(text.into()))
    }

    /// Whether only processes of this machine can connect. A name is not trusted to stay so.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Loopback => true,
            Self::Address(address) => address.is_loopback(),
            Self::Every | Self::Name(_) => false,
        }
    }

    /// Whether both surely want one address, so that a port cannot be bound for both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Every, _) | (_, Self::Every) => true,
            (Self::Name(name), Self::Name(other)) => name.eq_ignore_ascii_case(other),
            (Self::Name(_), _) | (_, Self::Name(_)) => false,
            (Self::Loopback, Self::Loopback) => true,
            (Self::Loopback, Self::Address(address)) | (Self::Address(address), Self::Loopback) => {
                address.is_unspecified()
                    || *address == IpAddr::V4(Ipv4Addr::LOCALHOST)
                    || *address == IpAddr::V6(Ipv6Addr::LOCALHOST)
            }
            (Self::Address(address), Self::Address(other)) => {
                let same_family = address.is_ipv4() == other.is_ipv4();
                address == other
                    || same_family && (address.is_unspecified() || other.is_unspecified())
            }
        }
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => formatter.write_str("*"),
            Self::Loopback => formatter.write_str("localhost"),
            Self::Address(address) => address.fmt(formatter),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

/// Whether it is a host name (RFC 1123, section 2.1, and `_`, which containers use). The last
/// label has a letter, so that a mistyped address is not taken for a name.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.split('.').all(is_label)
        && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostname(text: &str) -> Hostname {
        Hostname::parse(text).unwrap()
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(hostname("*"), Hostname::Every);
        assert_eq!(hostname("LocalHost"), Hostname::Loopback);
        assert_eq!(
            hostname("0.0.0.0"),
            Hostname::Address(Ipv4Addr::UNSPECIFIED.into())
        );
        assert_eq!(
            hostname("::1"),
            Hostname::Address(Ipv6Addr::LOCALHOST.into())
        );
        assert_eq!(
            hostname("[::1]"),
            Hostname::Address(Ipv6Addr::LOCALHOST.into())
        );
        assert_eq!(
            hostname("node-1.example.org"),
            Hostname::Name("node-1.example.org".into())
        );
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "127.0.0.256",
            "a..b",
            "-a",
            "a b",
            "http://a",
            "a:80",
            "[a]",
            "+",
            "1.2",
        ] {
            assert_eq!(Hostname::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_loopback_addresses_are_loopback() {
        for (text, wanted) in [
            ("localhost", true),
            ("127.0.0.2", true),
            ("::1", true),
            ("*", false),
            ("0.0.0.0", false),
            ("::", false),
            ("example.org", false),
        ] {
            assert_eq!(hostname(text).is_loopback(), wanted, "{text}");
        }
    }

    #[test]
    fn two_hosts_overlap_when_one_port_cannot_serve_both() {
        for (one, other, wanted) in [
            ("*", "10.0.0.1", true),
            ("localhost", "127.0.0.1", true),
            ("localhost", "::", true),
            ("localhost", "127.0.0.2", false),
            ("0.0.0.0", "10.0.0.1", true),
            ("0.0.0.0", "::1", false),
            ("10.0.0.1", "10.0.0.2", false),
            ("A.example", "a.example", true),
            ("a.example", "localhost", false),
        ] {
            assert_eq!(
                hostname(one).overlaps(&hostname(other)),
                wanted,
                "{one} {other}"
            );
            assert_eq!(
                hostname(other).overlaps(&hostname(one)),
                wanted,
                "{other} {one}"
            );
        }
    }
}
