//! The short name of a grant. Never a promise by itself: the epoch beside it is.

use std::fmt;

/// The number under which one session speaks of one granted pin, so that a request names its
/// grant in four bytes instead of repeating key and epoch.
///
/// It means something on the session that announced it, and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId(u32);

impl GrantId {
    /// The grant with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The grant's number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
