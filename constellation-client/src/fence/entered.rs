//! A fence that was entered: what an owner holds. It never acts under another epoch than the one
//! it was entered under.

use constellation_actors::placement::epoch::Epoch;

use super::Fence;

/// A fence, entered under one epoch. Made by [`Fence::enter`].
#[derive(Debug)]
pub struct Entered<F> {
    fence: F,
    epoch: Epoch,
}

impl<F> Entered<F> {
    pub(super) fn new(fence: F, epoch: Epoch) -> Self {
        Self { fence, epoch }
    }

    /// The epoch that it was entered under.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The fence, for what needs no guard.
    #[must_use]
    pub fn fence(&self) -> &F {
        &self.fence
    }

    /// The fence alone, such as to close it. Its mark stays.
    #[must_use]
    pub fn into_fence(self) -> F {
        self.fence
    }
}

impl<F: Fence> Entered<F> {
    /// Lets `act` change the resource, unless a later owner has entered. See [`Fence::write`].
    ///
    /// # Errors
    ///
    /// When a later owner has entered, when `act` fails, or when the resource does.
    pub fn write<T, E: From<F::Error>>(
        &mut self,
        act: impl FnOnce(&mut F::Access) -> Result<T, E>,
    ) -> Result<T, E> {
        self.fence.write(self.epoch, act)
    }

    /// Lets `act` read the resource, unless a later owner has entered. See [`Fence::read`].
    ///
    /// # Errors
    ///
    /// When a later owner has entered, when `act` fails, or when the resource does.
    pub fn read<T, E: From<F::Error>>(
        &mut self,
        act: impl FnOnce(&mut F::Access) -> Result<T, E>,
    ) -> Result<T, E> {
        self.fence.read(self.epoch, act)
    }

    /// Whether no later owner has entered, a moment ago. See [`Fence::check`].
    ///
    /// # Errors
    ///
    /// When a later owner has entered, or the resource fails.
    pub fn check(&mut self) -> Result<(), F::Error> {
        self.fence.check(self.epoch)
    }
}
