//! What can be measured: the same for all peers that take part, and named in tables.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{bodies::Direction, peer::Store};

/// One thing that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Case {
    /// Small requests, as many as come back.
    Small {
        /// The threads or processes of the proxy.
        threads: usize,
        /// The connections of the clients.
        connections: usize,
    },
    /// Small requests at a fixed rate.
    Open {
        /// The threads or processes of the proxy.
        threads: usize,
    },
    /// Long bodies.
    Bodies {
        /// Which way they go.
        direction: Direction,
        /// How long each is.
        size: Size,
        /// The threads or processes of the proxy.
        threads: usize,
    },
    /// Short messages that websockets send back.
    Websockets {
        /// The threads or processes of the proxy.
        threads: usize,
    },
    /// Websockets that are open and do nothing.
    Tunnels {
        /// How many there are.
        count: usize,
    },
    /// Many keys that have an owner.
    Scale {
        /// Where the controller keeps its pins.
        store: Store,
        /// How many keys there are.
        pins: u64,
    },
    /// Instructions for each request.
    Instructions,
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Size {
    /// 64 KiB.
    Small,
    /// 1 MiB.
    Middle,
    /// 1 GiB.
    Large,
}

impl Size {
    /// Every size.
    pub(crate) const ALL: [Self; 3] = [Self::Small, Self::Middle, Self::Large];

    /// In bytes.
    pub(crate) const fn bytes(self) -> u64 {
        match self {
            Self::Small => 64 << 10,
            Self::Middle => 1 << 20,
            Self::Large => 1 << 30,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Small => "64 KiB",
            Self::Middle => "1 MiB",
            Self::Large => "1 GiB",
        }
    }
}

/// A number of things.
struct Of(usize, &'static str);

impl fmt::Display for Of {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, thing) = self;
        write!(formatter, "{count} {thing}")?;
        formatter.write_str(if *count == 1 { "" } else { "s" })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small {
                threads,
                connections,
            } => {
                let (threads, connections) =
                    (Of(*threads, "thread"), Of(*connections, "connection"));
                write!(formatter, "small requests, {threads}, {connections}")
            }
            Self::Open { threads } => {
                let threads = Of(*threads, "thread");
                write!(
                    formatter,
                    "open loop, {threads}, 64 connections, half of the least maximum"
                )
            }
            Self::Bodies {
                direction,
                size,
                threads,
            } => {
                let (what, size, threads) = (direction.name(), size.name(), Of(*threads, "thread"));
                write!(formatter, "{what} of {size}, {threads}, 4 connections")
            }
            Self::Websockets { threads } => {
                let threads = Of(*threads, "thread");
                write!(
                    formatter,
                    "websockets, {threads}, 100 tunnels, messages of 64 bytes"
                )
            }
            Self::Tunnels { count } => write!(formatter, "{count} idle tunnels"),
            Self::Scale { store, pins } => {
                write!(formatter, "{pins} pins, {} store", store.name())
            }
            Self::Instructions => formatter.write_str("instructions of the controller"),
        }
    }
}

impl Serialize for Case {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
