//! The decision of every fence, and the refusal that may come of it. There is no way to a refusal
//! that is not counted and logged.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use constellation_actors::placement::epoch::Epoch;

/// How many refusals there were in this process.
static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// An epoch that is over was brought to a fence: a later owner has been there.
///
/// For whoever gets it the key is lost, whatever the lease says; to try again is of no use. It comes
/// from [`admit`] alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} was entered under epoch {held} and refuses the lower epoch {brought}")]
pub struct Refused {
    what: String,
    held: Epoch,
    brought: Epoch,
}

impl Refused {
    /// What is guarded, as its fence calls it.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The highest epoch that the fence has been shown.
    #[must_use]
    pub fn held(&self) -> Epoch {
        self.held
    }

    /// The epoch that was refused.
    #[must_use]
    pub fn brought(&self) -> Epoch {
        self.brought
    }
}

/// An epoch is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The mark is this epoch.
    Held,
    /// The mark is lower, or there is none: a write has to raise it in the same step.
    Higher,
}

/// Decides whether the epoch that somebody `brought` to the fence of `what` is let in, where the
/// fence's mark is `held`. A refusal is counted and logged here.
///
/// # Errors
///
/// When the mark is higher.
pub fn admit(
    what: impl fmt::Display,
    held: Option<Epoch>,
    brought: Epoch,
) -> Result<Admission, Refused> {
    match held {
        Some(held) if held > brought => {
            REFUSALS.fetch_add(1, Ordering::Relaxed);
            log::warn!(
                what:%, held:%, brought:%;
                "a fence refused an epoch that is over: this process has lost the key"
            );
            Err(Refused {
                what: what.to_string(),
                held,
                brought,
            })
        }
        Some(held) if held == brought => Ok(Admission::Held),
        Some(_) | None => Ok(Admission::Higher),
    }
}

/// How many times a fence of this process refused an epoch. Anything but zero means that a process
/// paused for longer than its lease, or that clocks or epochs went backwards.
#[must_use]
pub fn refusals() -> u64 {
    REFUSALS.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lower_epoch_is_refused_and_that_is_counted() {
        let (low, high) = (Epoch::new(u64::MAX - 1), Epoch::new(u64::MAX));
        assert_eq!(admit("x", None, low), Ok(Admission::Higher));
        assert_eq!(admit("x", Some(low), high), Ok(Admission::Higher));
        assert_eq!(admit("x", Some(low), low), Ok(Admission::Held));

        let before = refusals();
        let refused = admit("x", Some(high), low).unwrap_err();
        assert_eq!((refused.held(), refused.brought()), (high, low));
        assert_eq!(refused.what(), "x");
        assert!(refusals() > before);
    }
}
