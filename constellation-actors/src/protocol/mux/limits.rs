//! The limits of one side of a session. Checked against each other once, when a mux is made.

use crate::protocol::frame::{GRANT_BYTES, HEADER_BYTES, SizeLimits};

/// The most credit that either level can hold: what 31 bits count.
pub const CREDIT_BYTES_MAX: u32 = (1 << 31) - 1;

/// The bytes that each direction of a tunnel may have under way, where nothing else is said.
pub const TUNNEL_CREDIT: u32 = 64 * 1024;

/// The room for heads beside a long DATA in a message.
const HEADS_BYTES: usize = 16 * 1024;

/// How much one side of a session takes and keeps. WELCOME announces all but the last three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frames and messages.
    pub sizes: SizeLimits,
    /// The content bytes that each direction of an exchange may have under way. Default 256 KiB.
    pub stream_credit: u32,
    /// The content bytes that each direction of the session may have under way. Default 64 MiB.
    pub session_credit: u32,
    /// The most exchanges at a time. Default 10,000.
    pub exchanges_max: u32,
    /// The most exchanges at a time that are or may become tunnels; they do not count as others.
    /// Default 10,000.
    pub tunnels_max: u32,
    /// The bytes that each direction of a tunnel may have under way. They count against the
    /// session's credit only while they are on the wire. Default 64 KiB.
    pub tunnel_credit: u32,
    /// The most bytes of queued frames other than DATA. Heads may fill half of it, so that there
    /// is always room to reset and to credit. Default 4 MiB.
    pub urgent_bytes_max: usize,
    /// The content bytes that all exchanges together may queue ahead. One chunk of each exchange
    /// is taken beyond that. Default 256 KiB.
    pub bulk_bytes_max: usize,
    /// Content at least this long becomes a part of a message as it is; what is shorter is copied to the
    /// frames around it, which costs less than a part of its own. Default 4 KiB.
    pub part_bytes_min: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sizes: SizeLimits::default(),
            stream_credit: 256 * 1024,
            session_credit: 64 * 1024 * 1024,
            exchanges_max: 10_000,
            tunnels_max: 10_000,
            tunnel_credit: TUNNEL_CREDIT,
            urgent_bytes_max: 4 * 1024 * 1024,
            bulk_bytes_max: 256 * 1024,
            part_bytes_min: 4 * 1024,
        }
    }
}

/// Why limits do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// A limit that must let something through is zero.
    #[error("{name} must not be zero")]
    Zero {
        /// The limit.
        name: &'static str,
    },
    /// More credit than can be counted.
    #[error("{name} of {bytes} is more than {CREDIT_BYTES_MAX}")]
    CreditTooHigh {
        /// The limit.
        name: &'static str,
        /// The credit asked for.
        bytes: u32,
    },
    /// An exchange could never use its credit.
    #[error("stream_credit of {stream} is more than session_credit of {session}")]
    StreamAboveSession {
        /// The credit of an exchange.
        stream: u32,
        /// The credit of the session.
        session: u32,
    },
    /// A head of the greatest length, with content behind it, would fit into no message.
    #[error("message_bytes_max of {bytes} is less than the {needed} of the longest request")]
    MessageTooShort {
        /// The limit.
        bytes: u64,
        /// What the longest REQUEST takes.
        needed: u64,
    },
    /// The queue could not take a few heads of the greatest length.
    #[error("urgent_bytes_max of {bytes} is less than {needed}, four times the longest request")]
    QueueTooShort {
        /// The limit.
        bytes: u64,
        /// The least that works.
        needed: u64,
    },
}

impl Limits {
    /// The longest payload of a REQUEST without its grant, and of a RESPONSE: a head and the
    /// content behind it.
    #[must_use]
    pub const fn first_bytes_max(&self) -> usize {
        self.sizes.head_bytes_max as usize + self.sizes.data_bytes_max as usize
    }

    /// How many bytes are best put into one message, for [`Mux::poll_output`]: a DATA of the greatest
    /// length beside the heads of many exchanges, and not much more, because the peer begins with a
    /// message only when it has come completely.
    ///
    /// [`Mux::poll_output`]: super::Mux::poll_output
    #[must_use]
    pub const fn message_bytes(&self) -> usize {
        self.sizes.data_bytes_max as usize + HEADS_BYTES
    }

    /// The most content in one DATA of an exchange, or of a tunnel. It leaves three quarters of the credit
    /// for what is on the way meanwhile.
    pub(super) const fn content_bytes_max(&self, tunnel: bool) -> usize {
        let credit = if tunnel {
            self.tunnel_credit
        } else {
            self.stream_credit
        };
        let share = credit.div_ceil(4) as usize;
        let data = self.sizes.data_bytes_max as usize;
        if data < share { data } else { share }
    }

    /// The queued bytes from which on no further head is taken.
    pub(super) const fn heads_bytes_max(&self) -> usize {
        self.urgent_bytes_max / 2
    }

    pub(super) fn check(&self) -> Result<(), LimitsError> {
        let counts = [
            ("data_bytes_max", self.sizes.data_bytes_max),
            ("stream_credit", self.stream_credit),
            ("exchanges_max", self.exchanges_max),
            ("tunnel_credit", self.tunnel_credit),
        ];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(LimitsError::Zero { name });
        }
        for (name, bytes) in [
            ("session_credit", self.session_credit),
            ("tunnel_credit", self.tunnel_credit),
        ] {
            if bytes > CREDIT_BYTES_MAX {
                return Err(LimitsError::CreditTooHigh { name, bytes });
            }
        }
        if self.stream_credit > self.session_credit {
            let (stream, session) = (self.stream_credit, self.session_credit);
            return Err(LimitsError::StreamAboveSession { stream, session });
        }
        self.check_room()
    }

    fn check_room(&self) -> Result<(), LimitsError> {
        let longest = (HEADER_BYTES + GRANT_BYTES) as u64
            + u64::from(self.sizes.head_bytes_max)
            + u64::from(self.sizes.data_bytes_max);
        let message = u64::from(self.sizes.message_bytes_max);
        if message < longest {
            return Err(LimitsError::MessageTooShort {
                bytes: message,
                needed: longest,
            });
        }
        let queue = self.urgent_bytes_max as u64;
        if queue < 4 * longest {
            return Err(LimitsError::QueueTooShort {
                bytes: queue,
                needed: 4 * longest,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_limits_fit_together() {
        assert_eq!(Limits::default().check(), Ok(()));
    }

    #[test]
    fn limits_that_would_stall_every_exchange_are_refused() {
        let limits = Limits::default();
        let none = Limits {
            stream_credit: 0,
            ..limits
        };
        assert_eq!(
            none.check(),
            Err(LimitsError::Zero {
                name: "stream_credit"
            })
        );
        let upside_down = Limits {
            stream_credit: 2,
            session_credit: 1,
            ..limits
        };
        assert_eq!(
            upside_down.check(),
            Err(LimitsError::StreamAboveSession {
                stream: 2,
                session: 1
            })
        );
        let endless = Limits {
            session_credit: 1 << 31,
            ..limits
        };
        assert_eq!(
            endless.check(),
            Err(LimitsError::CreditTooHigh {
                name: "session_credit",
                bytes: 1 << 31
            })
        );
    }

    #[test]
    fn a_message_must_take_the_longest_request_and_the_queue_four() {
        let sizes = SizeLimits {
            data_bytes_max: 100,
            head_bytes_max: 100,
            message_bytes_max: 216,
        };
        let limits = Limits {
            sizes,
            urgent_bytes_max: 864,
            ..Limits::default()
        };
        assert_eq!(limits.check(), Ok(()));
        let short = SizeLimits {
            message_bytes_max: 215,
            ..sizes
        };
        let short = Limits {
            sizes: short,
            ..limits
        };
        assert_eq!(
            short.check(),
            Err(LimitsError::MessageTooShort {
                bytes: 215,
                needed: 216
            })
        );
        let short = Limits {
            urgent_bytes_max: 863,
            ..limits
        };
        assert_eq!(
            short.check(),
            Err(LimitsError::QueueTooShort {
                bytes: 863,
                needed: 864
            })
        );
    }
}
