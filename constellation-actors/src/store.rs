//! Where pins are made durable. Decides nothing: placement waits for its answers.

use std::future::Future;

use futures::future::BoxFuture;

use crate::placement::{
    effect::Claim, epoch::Epoch, input::ClaimFailure, key::ResourceKey, worker::WorkerId,
};

pub mod memory;

/// A pin to be made durable: `key` belongs to `worker` under `epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinRecord {
    /// The key.
    pub key: ResourceKey,
    /// Its owner.
    pub worker: WorkerId,
    /// The epoch, higher than that of any earlier record of the key.
    pub epoch: Epoch,
}

impl From<&Claim> for PinRecord {
    fn from(claim: &Claim) -> Self {
        Self {
            key: claim.key.clone(),
            worker: claim.worker,
            epoch: claim.epoch,
        }
    }
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It may succeed later: the disk is full, the store cannot be reached.
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
}

impl Error {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
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
pub trait Store: Send + 'static {
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

    /// Whether a new start finds every pin again. If not, a controller begins with a grace in
    /// which workers of its earlier life may come back or lose their leases.
    fn remembers(&self) -> bool;
}

/// A [`Store`] whose kind is known only at run time.
pub(crate) trait AnyStore: Send {
    fn claim(&mut self, records: Vec<PinRecord>) -> BoxFuture<'static, Vec<Result<(), Error>>>;
    fn release(&mut self, pins: Vec<(ResourceKey, Epoch)>)
    -> BoxFuture<'static, Result<(), Error>>;
    fn remembers(&self) -> bool;
}

impl<S: Store> AnyStore for S {
    fn claim(&mut self, records: Vec<PinRecord>) -> BoxFuture<'static, Vec<Result<(), Error>>> {
        Box::pin(Store::claim(self, records))
    }

    fn release(
        &mut self,
        pins: Vec<(ResourceKey, Epoch)>,
    ) -> BoxFuture<'static, Result<(), Error>> {
        Box::pin(Store::release(self, pins))
    }

    fn remembers(&self) -> bool {
        Store::remembers(self)
    }
}
