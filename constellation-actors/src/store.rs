//! Where pins are made durable. Decides nothing: placement waits for its answers.

use std::{collections::BTreeSet, future::Future, time::Duration};

use futures::future::BoxFuture;

use crate::placement::{
    effect::Claim,
    epoch::Epoch,
    input::{ClaimFailure, RestoredPin},
    key::ResourceKey,
    worker::{Incarnation, WorkerId},
};

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod memory;
#[cfg(feature = "sqlite")]
pub mod sqlite;

/// A pin to be made durable: `key` belongs to this life of `worker` under `epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinRecord {
    /// The key.
    pub key: ResourceKey,
    /// Its owner.
    pub worker: WorkerId,
    /// The life of the owner that holds it.
    pub incarnation: Incarnation,
    /// The epoch, higher than that of any earlier record of the key.
    pub epoch: Epoch,
}

impl From<&Claim> for PinRecord {
    fn from(claim: &Claim) -> Self {
        Self {
            key: claim.key.clone(),
            worker: claim.worker,
            incarnation: claim.incarnation,
            epoch: claim.epoch,
        }
    }
}

impl From<PinRecord> for RestoredPin {
    fn from(record: PinRecord) -> Self {
        let PinRecord {
            key,
            worker,
            incarnation,
            epoch,
        } = record;
        Self {
            key,
            worker,
            incarnation,
            epoch,
        }
    }
}

/// What a store knows when a controller starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Every pin that was claimed and not released. In no particular order.
    pub pins: Vec<PinRecord>,
    /// Higher than every epoch that any claim ever carried.
    pub first_epoch: Epoch,
    /// The longest lease that a worker of an earlier life may still be keeping.
    pub lease: Duration,
    /// Whether `pins` is everything that an earlier life granted. If not, the controller begins
    /// with a grace, in which workers of that life may come back or lose their leases.
    ///
    /// A durable store that was newly made says no, since what it replaces may have been lost,
    /// and goes on saying so until [`Note::Lease`] tells that the grace is over.
    pub complete: bool,
    /// Workers that get no new keys until they are uncordoned.
    pub cordoned: BTreeSet<WorkerId>,
}

/// What has to be remembered beside pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Leases of this length, and no longer one, run from now on.
    ///
    /// A controller sends this once what it began with is over: the grace of a start without
    /// memory, and every lease that may have been longer. From then on the store knows every pin
    /// that is in force, so the next start finds [`Loaded::complete`].
    Lease(Duration),
    /// Whether a worker gets new keys.
    Cordoned {
        /// The worker.
        worker: WorkerId,
        /// Whether it gets none.
        cordoned: bool,
    },
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It may succeed later: the disk is full, the store is overloaded or cannot be reached.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// What happened, for the log.
        reason: String,
    },
    /// It cannot succeed: a record with this epoch or a higher one is there already.
    #[error("the store holds epoch {held} for {key}, which is not lower than {claimed}")]
    Conflict {
        /// The key.
        key: ResourceKey,
        /// The epoch that is there.
        held: Epoch,
        /// The epoch that was to be written.
        claimed: Epoch,
    },
    /// It cannot succeed: what the store holds is damaged, and needs a person.
    #[error("the store is damaged: {reason}")]
    Corrupt {
        /// What was found, for the log.
        reason: String,
    },
    /// It cannot succeed: the store has no room for an epoch of this size.
    #[error("the store takes epochs up to {most}, not {claimed} for {key}")]
    EpochTooHigh {
        /// The key.
        key: ResourceKey,
        /// The epoch that was to be written.
        claimed: Epoch,
        /// The highest that can be.
        most: Epoch,
    },
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Conflict { .. } | Self::Corrupt { .. } | Self::EpochTooHigh { .. } => false,
        }
    }
}

impl From<&Error> for ClaimFailure {
    fn from(error: &Error) -> Self {
        if error.is_retryable() {
            Self::Retryable
        } else {
            Self::Terminal
        }
    }
}

/// Makes pins durable.
///
/// Calls are carried out in their order. The futures do nothing but wait for the answer: what was
/// asked is done also when nobody waits.
pub trait Store: Send + 'static {
    /// Everything that is known, once `lease` is durably noted as a length that may run. Called
    /// once, before anything else.
    ///
    /// The noted lease becomes the longer of `lease` and what was noted before, until
    /// [`Note::Lease`] lowers it: workers of an earlier life keep the leases they were given.
    fn load(
        &mut self,
        lease: Duration,
    ) -> impl Future<Output = Result<Loaded, Error>> + Send + 'static;

    /// Makes records durable, each for itself, and answers in their order once they are.
    fn claim(
        &mut self,
        records: Vec<PinRecord>,
    ) -> impl Future<Output = Vec<Result<(), Error>>> + Send + 'static;

    /// Forgets records of these keys whose epoch is not higher than the one named. A record that
    /// stays because this fails does no harm: a later claim replaces it.
    fn release(
        &mut self,
        pins: Vec<(ResourceKey, Epoch)>,
    ) -> impl Future<Output = Result<(), Error>> + Send + 'static;

    /// Makes a note durable.
    fn note(&mut self, note: Note) -> impl Future<Output = Result<(), Error>> + Send + 'static;
}

/// A [`Store`] whose kind is known only at run time.
pub(crate) trait AnyStore: Send {
    fn load(&mut self, lease: Duration) -> BoxFuture<'static, Result<Loaded, Error>>;
    fn claim(&mut self, records: Vec<PinRecord>) -> BoxFuture<'static, Vec<Result<(), Error>>>;
    fn release(&mut self, pins: Vec<(ResourceKey, Epoch)>)
    -> BoxFuture<'static, Result<(), Error>>;
    fn note(&mut self, note: Note) -> BoxFuture<'static, Result<(), Error>>;
}

impl<S: Store> AnyStore for S {
    fn load(&mut self, lease: Duration) -> BoxFuture<'static, Result<Loaded, Error>> {
        Box::pin(Store::load(self, lease))
    }

    fn claim(&mut self, records: Vec<PinRecord>) -> BoxFuture<'static, Vec<Result<(), Error>>> {
        Box::pin(Store::claim(self, records))
    }

    fn release(
        &mut self,
        pins: Vec<(ResourceKey, Epoch)>,
    ) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(Store::release(self, pins))
    }

    fn note(&mut self, note: Note) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(Store::note(self, note))
    }
}
