//! The fencing token of a pin.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The fencing token of a pin: grows on every change of owner, never on renewal, never reused.
///
/// A resource that remembers the highest epoch it has seen can refuse everything older
/// (M. Kleppmann, "How to do distributed locking", 2016).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The epoch's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next higher epoch.
    ///
    /// # Panics
    ///
    /// When all 2^64 epochs are used up, which at a million grants a second takes 584,000 years.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(
            self.0
                .checked_add(1)
                .expect("2^64 epochs are never used up"),
        )
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
