//! One measured value, and what it is a value of.

use serde::Serialize;

use crate::{case::Case, peer::Peer};

/// One thing that was measured of one peer, once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    /// What was done: the same for all peers.
    pub(crate) case: Case,
    /// Who did it.
    pub(crate) peer: Peer,
    /// What of it was measured, with its unit.
    pub(crate) measure: Measure,
    /// The value, in that unit.
    pub(crate) value: f64,
}

/// A measured quantity, in the order of the columns of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    /// Requests that were answered in a second.
    RequestsPerSecond,
    /// Messages that came back in a second.
    MessagesPerSecond,
    /// Half of the answers came within so many microseconds.
    P50Micros,
    /// 99 of 100 answers came within so many microseconds.
    P99Micros,
    /// 999 of 1,000 answers came within so many microseconds.
    P999Micros,
    /// CPU time of the proxy for each request, in microseconds.
    ProxyMicros,
    /// CPU time of the proxy and what stands behind it for each request, in microseconds.
    TotalMicros,
    /// CPU time of the proxy for each message and its echo, in microseconds.
    ProxyMicrosPerMessage,
    /// CPU time of the proxy and what stands behind it for each message and its echo, in
    /// microseconds.
    TotalMicrosPerMessage,
    /// MiB of bodies in a second.
    MibPerSecond,
    /// CPU time of the proxy for each GiB, in seconds.
    ProxySecondsPerGib,
    /// The most memory that the proxy had, in MiB.
    ProxyPeakMib,
    /// The memory of the proxy before anything was asked of it, in MiB.
    ProxyIdleMib,
    /// By how much the memory of the proxy grew for each tunnel, in KiB.
    ProxyKibPerTunnel,
    /// The memory of the proxy while it knows the keys, in MiB.
    ProxyMib,
    /// Keys that got their first owner in a second.
    PinsPerSecond,
    /// The longest that a request for such a key waited for its answer, in milliseconds.
    PinLongestMillis,
    /// The time from the death of a worker to when all of the keys asked for are answered by
    /// another one, in milliseconds.
    DropMillis,
    /// Instructions of the proxy for each request.
    InstructionsPerRequest,
    /// Requests that were not answered as they should have been.
    Errors,
}

impl Measure {
    /// Every measure.
    pub(crate) const ALL: &[Self] = &[
        Self::RequestsPerSecond,
        Self::MessagesPerSecond,
        Self::P50Micros,
        Self::P99Micros,
        Self::P999Micros,
        Self::ProxyMicros,
        Self::TotalMicros,
        Self::ProxyMicrosPerMessage,
        Self::TotalMicrosPerMessage,
        Self::MibPerSecond,
        Self::ProxySecondsPerGib,
        Self::ProxyPeakMib,
        Self::ProxyIdleMib,
        Self::ProxyKibPerTunnel,
        Self::ProxyMib,
        Self::PinsPerSecond,
        Self::PinLongestMillis,
        Self::DropMillis,
        Self::InstructionsPerRequest,
        Self::Errors,
    ];

    /// The head of its column.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::RequestsPerSecond => "requests/s",
            Self::MessagesPerSecond => "messages/s",
            Self::P50Micros => "p50 us",
            Self::P99Micros => "p99 us",
            Self::P999Micros => "p99.9 us",
            Self::ProxyMicros => "proxy CPU us/request",
            Self::TotalMicros => "proxy + far side CPU us/request",
            Self::ProxyMicrosPerMessage => "proxy CPU us/message",
            Self::TotalMicrosPerMessage => "proxy + far side CPU us/message",
            Self::MibPerSecond => "MiB/s",
            Self::ProxySecondsPerGib => "proxy CPU s/GiB",
            Self::ProxyPeakMib => "proxy memory MiB",
            Self::ProxyIdleMib => "proxy memory at the start MiB",
            Self::ProxyKibPerTunnel => "KiB/tunnel",
            Self::ProxyMib => "controller memory MiB",
            Self::PinsPerSecond => "new pins/s",
            Self::PinLongestMillis => "longest wait for a pin ms",
            Self::DropMillis => "worker dropped ms",
            Self::InstructionsPerRequest => "instructions/request",
            Self::Errors => "errors",
        }
    }
}
