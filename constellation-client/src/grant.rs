//! A grant: the ownership of one key under one epoch, as handlers see it. It says what was granted
//! and never whether that still holds.

use std::{fmt, sync::Arc};

use constellation_actors::placement::{epoch::Epoch, key::ResourceKey};

/// The ownership of one key, under one epoch, given by one controller. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    key: ResourceKey,
    epoch: Epoch,
    epoch_text: Box<str>,
    controller: Arc<str>,
}

impl Grant {
    pub(crate) fn new(key: ResourceKey, epoch: Epoch, controller: Arc<str>) -> Self {
        let epoch_text = epoch.to_string().into();
        Self(Arc::new(Inner {
            key,
            epoch,
            epoch_text,
            controller,
        }))
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &ResourceKey {
        &self.0.key
    }

    /// The fencing token of this ownership: hand it to whatever can refuse a lower one.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// The epoch in decimal digits.
    #[must_use]
    pub fn epoch_text(&self) -> &str {
        &self.0.epoch_text
    }

    /// The address of the controller that gave it.
    #[must_use]
    pub fn controller(&self) -> &str {
        &self.0.controller
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Grant")
            .field("key", &self.0.key.as_str())
            .field("epoch", &self.0.epoch.get())
            .field("controller", &self.0.controller)
            .finish()
    }
}
