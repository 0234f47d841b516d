//! Deliberate defects of the protocol, so that a test can show which invariant catches each. Never
//! part of a shipped program: without the feature `mutations` every question is answered by a
//! constant, and the crate's own unit tests need no feature at all.

use std::fmt;

macro_rules! mutations {
    ($($(#[$meta:meta])* $name:ident,)*) => {
        /// A defect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutation {
            $($(#[$meta])* $name,)*
        }

        impl Mutation {
            /// Every defect.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

mutations! {
    /// The worker takes no margin off its lease.
    NoMargin,
    /// The worker counts its lease from when the acknowledgement came.
    LeaseFromAcknowledgement,
    /// A new owner gets the epoch of the one before.
    EpochNotRaised,
    /// A pin is published before the store has confirmed it.
    PublishedBeforeDurable,
    /// A key that a worker says it holds is believed, whatever its epoch.
    EpochOfHoldingUnchecked,
    /// A new process resumes what an earlier one under the same id held.
    IncarnationIgnored,
    /// A planned hand-over does not wait for the owner's word.
    ReleaseNotAwaited,
    /// A key that a worker does not name when it comes back counts as released, closed or not.
    UnnamedIsReleased,
    /// A worker keeps under a new lease what a controller that forgot it has not confirmed.
    UnconfirmedKept,
    /// A controller that restarts gives the keys of its pins away at once.
    RestartWithoutWaiting,
    /// A controller that remembers nothing gives keys away at once.
    NoGrace,
    /// Holdings outlive the end of the lease.
    LeaseEndUnnoticed,
    /// Requests wait without a limit.
    WaitingUnbounded,
    /// The keys of a suspended worker stay when its lease ends.
    SuspendedForEver,
    /// The ingress passes on the answer of a former owner.
    StaleAnswerPassed,
    /// The ingress repeats a request that may have been handled.
    UnsafeRepeated,
    /// The worker refuses a request that it began and broke off.
    BegunIsRefused,
}

impl fmt::Display for Mutation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

#[cfg(any(test, feature = "mutations"))]
thread_local! {
    static ACTIVE: std::cell::Cell<Option<Mutation>> = const { std::cell::Cell::new(None) };
}

/// Whether `mutation` is in force on this thread.
#[cfg(any(test, feature = "mutations"))]
pub(crate) fn is_active(mutation: Mutation) -> bool {
    ACTIVE.get() == Some(mutation)
}

/// Whether `mutation` is in force: never.
#[cfg(not(any(test, feature = "mutations")))]
pub(crate) const fn is_active(_mutation: Mutation) -> bool {
    false
}

/// Runs `act` with a defect, or with none.
#[cfg(any(test, feature = "mutations"))]
pub(crate) fn with<T>(mutation: Option<Mutation>, act: impl FnOnce() -> T) -> T {
    let before = ACTIVE.replace(mutation);
    let outcome = act();
    ACTIVE.set(before);
    outcome
}

/// Runs `act`; there are no defects to choose from.
#[cfg(all(feature = "simulation", not(any(test, feature = "mutations"))))]
pub(crate) fn with<T>(_mutation: Option<Mutation>, act: impl FnOnce() -> T) -> T {
    act()
}
