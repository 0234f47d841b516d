//! What is odd about the settings without stopping the start. A warning never shows a secret.

use std::{fmt, path::PathBuf};

use super::{fault::Source, hostname::Hostname};

/// Something about the settings that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// A member of the original's file changes nothing here.
    WithoutEffect {
        /// Where it was given.
        at: Source,
        /// Its path.
        member: String,
        /// Why.
        reason: &'static str,
    },
    /// Others than the file's owner may read it, and it holds keys.
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Workers can connect from other machines without a token.
    OpenToWorkers {
        /// The hostnames beyond loopback.
        hostnames: Vec<Hostname>,
    },
    /// Operators can connect from other machines, and their keys are not encrypted.
    AdminBeyondLoopback {
        /// The hostname beyond loopback.
        hostname: Hostname,
    },
    /// There is no admin key, and none will be made: nobody can use the admin API.
    NoAdminKey,
    /// There is no admin key yet.
    AdminKeyToCome,
    /// An admin key is the original's default, which everyone can look up.
    KnownAdminKey,
    /// An admin key is short enough to be guessed.
    ShortAdminKey {
        /// Its length.
        characters: usize,
    },
    /// A default header is not sent, because the server itself decides it.
    HeaderNotSent {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithoutEffect { at, member, reason } => {
                write!(formatter, "{at}: {member} has no effect: {reason}")
            }
            Self::ReadableByOthers { path, mode } => write!(
                formatter,
                "{} holds keys and others may read it (mode {mode:04o}); use chmod 600",
                path.display()
            ),
            Self::OpenToWorkers { hostnames } => {
                let hostnames: Vec<_> = hostnames.iter().map(Hostname::to_string).collect();
                write!(
                    formatter,
                    "Websocket.Tokens is empty and Websocket.Hostnames goes beyond loopback \
                     ({}): whoever reaches that port becomes a worker and is sent requests",
                    hostnames.join(", ")
                )
            }
            Self::AdminBeyondLoopback { hostname } => write!(
                formatter,
                "Admin.Hostname goes beyond loopback ({hostname}): admin keys cross the network \
                 unencrypted, and whoever has one commands this controller"
            ),
            Self::NoAdminKey => formatter
                .write_str("Admin.ApiKeys was set to nothing: nobody can use the admin API"),
            Self::AdminKeyToCome => formatter
                .write_str("Admin.ApiKeys is empty: the next start makes a key and shows it once"),
            Self::KnownAdminKey => formatter
                .write_str("Admin.ApiKeys holds the original's default key, which is public"),
            Self::ShortAdminKey { characters } => write!(
                formatter,
                "Admin.ApiKeys holds a key of only {characters} characters, which may be guessed"
            ),
            Self::HeaderNotSent { name } => write!(
                formatter,
                "Webserver.Headers.DefaultHeaders.{name} is not sent: the server itself decides \
                 this header"
            ),
        }
    }
}
