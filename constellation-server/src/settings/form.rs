//! The form of a text: what a host, a header, a secret or a path looks like.

use constellation_actors::placement::pattern::Pattern;

use super::hostname::Hostname;

/// The most bytes of a default header's value, of a secret, and of a path.
const TEXT_BYTES_MAX: usize = 8192;
/// The least characters of a worker's token.
pub(crate) const TOKEN_CHARACTERS_MIN: usize = 16;

/// The form of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// Where to listen; see [`Hostname`].
    Hostname,
    /// The name of a header (RFC 9110, section 5.1) that requests can carry freely.
    HeaderName,
    /// A secret of at least this many characters, printable ASCII without spaces.
    Secret {
        /// The least characters.
        least: usize,
    },
    /// The path of a file or folder.
    Path,
    /// A pattern of keys; see [`Pattern`].
    Pattern,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Form {
    /// Whether a text has this form.
    pub(super) fn admits(self, text: &str) -> bool {
        match self {
            Self::Hostname => Hostname::parse(text).is_some(),
            Self::HeaderName => is_header_name(text) && !is_framing(text),
            Self::Secret { least } => {
                (least..=TEXT_BYTES_MAX).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_graphic())
            }
            Self::Path => {
                (1..=TEXT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
            }
            Self::Pattern => text.len() <= TEXT_BYTES_MAX && Pattern::parse(text).is_ok(),
            Self::Choice(words) => words.contains(&text),
        }
    }

    /// What is allowed, as a message and the documentation say it.
    pub(super) fn allowed(self) -> String {
        match self {
            Self::Hostname => {
                "a host name, an IP address, \"localhost\" (both loopback addresses) \
                 or \"*\" (every interface)"
                    .to_owned()
            }
            Self::HeaderName => {
                "the name of a header that does not frame or route the request".to_owned()
            }
            Self::Secret { least } => {
                format!(
                    "a secret of {least} to {TEXT_BYTES_MAX} characters, \
                     printable ASCII without spaces"
                )
            }
            Self::Path => format!("a path of 1 to {TEXT_BYTES_MAX} bytes"),
            Self::Pattern => {
                "a pattern of keys such as /games/* (one segment) or /games/** (any rest)"
                    .to_owned()
            }
            Self::Choice(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
                quoted.join(" or ")
            }
        }
    }
}

/// Whether it is a token (RFC 9110, section 5.6.2).
pub(super) fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=256).contains(&name.len()) && name.bytes().all(is_token)
}

/// Whether it is a header value that every client reads alike: printable ASCII, spaces and tabs,
/// with none of these at its ends.
pub(super) fn is_header_value(value: &str) -> bool {
    value.len() <= TEXT_BYTES_MAX
        && value.trim() == value
        && value
            .bytes()
            .all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

/// Whether a header says where a message ends, where it goes, or belongs to one connection only
/// (RFC 9110, sections 7.2, 7.6.1 and 8.6; RFC 9112, section 6).
pub(crate) fn is_framing(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES
        .iter()
        .any(|framing| framing.eq_ignore_ascii_case(name))
}
