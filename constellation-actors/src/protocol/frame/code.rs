//! The numbers that say why: codes of RESET and reasons of REVOKE. Never the words for people.

use std::fmt;

/// Why an exchange was reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ResetCode {
    /// The client went away, or the caller stopped.
    Cancelled = 1,
    /// Provably not started: the lease ended, the grant is unknown, the epoch is not current, or
    /// the worker drains. The controller may place the request elsewhere.
    Refused = 2,
    /// It took too long.
    Timeout = 3,
    /// The handler failed.
    Internal = 4,
    /// Not started, because of a limit at the worker.
    Overloaded = 5,
    /// A body was longer than its reader takes.
    TooLarge = 6,
    /// This exchange broke the rules.
    Protocol = 7,
    /// The key moves, or its owner is lost. Ends tunnels.
    Moved = 8,
}

impl ResetCode {
    /// The code with this number. Unknown numbers count as [`ResetCode::Internal`].
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Cancelled,
            2 => Self::Refused,
            3 => Self::Timeout,
            5 => Self::Overloaded,
            6 => Self::TooLarge,
            7 => Self::Protocol,
            8 => Self::Moved,
            _ => Self::Internal,
        }
    }

    /// The code's number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for ResetCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::Overloaded => "overloaded",
            Self::TooLarge => "too large",
            Self::Protocol => "protocol",
            Self::Moved => "moved",
        })
    }
}

/// Why a key is to be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RevokeReason {
    /// It is no longer this worker's.
    Stale = 1,
    /// It moves to another worker.
    Move = 2,
    /// The worker drains.
    Drain = 3,
    /// Nobody has used it for a while.
    Idle = 4,
}

impl RevokeReason {
    /// The reason with this number. Unknown numbers count as [`RevokeReason::Stale`], after which
    /// a worker does least.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            2 => Self::Move,
            3 => Self::Drain,
            4 => Self::Idle,
            _ => Self::Stale,
        }
    }

    /// The reason's number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for RevokeReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stale => "stale",
            Self::Move => "move",
            Self::Drain => "drain",
            Self::Idle => "idle",
        })
    }
}
