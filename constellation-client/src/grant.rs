//! A grant: the ownership of one key under one epoch, as handlers see it.

use std::{fmt, future::Future, sync::Arc};

use constellation_actors::placement::{epoch::Epoch, key::ResourceKey};

use crate::tenure::Tenure;

/// The ownership of one key, under one epoch, given by one controller. Cheap to clone, and usable from
/// any thread.
#[derive(Clone)]
pub struct Grant(Arc<Inner>);

struct Inner {
    key: ResourceKey,
    epoch: Epoch,
    epoch_text: Box<str>,
    controller: Arc<str>,
    tenure: Arc<Tenure>,
}

/// Equal when the same controller granted the same key under the same epoch.
impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&*self.0, &*other.0);
        one.epoch == other.epoch && one.key == other.key && one.controller == other.controller
    }
}

impl Eq for Grant {}

impl Grant {
    pub(crate) fn new(
        key: ResourceKey,
        epoch: Epoch,
        controller: Arc<str>,
        tenure: Arc<Tenure>,
    ) -> Self {
        let epoch_text = epoch.to_string().into();
        Self(Arc::new(Inner {
            key,
            epoch,
            epoch_text,
            controller,
            tenure,
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

    /// Whether the worker may act under it now: its lease runs, and the key was not taken away.
    ///
    /// Looks at the clock each time, so that a process which was stopped for a while finds out by
    /// itself. Ask as late as possible before what cannot be undone, such as at the end of a
    /// transaction: what is left between the answer and the act is for a
    /// [fence](crate::fence) to guard.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.0.tenure.holds()
    }

    /// Waits until the key is being given back, for whatever reason.
    ///
    /// For what runs for long, above all tunnels: when the key moves or the worker is drained, a
    /// tunnel has [`WorkerBuilder::tunnel_goodbye`](crate::WorkerBuilder::tunnel_goodbye) from this
    /// moment to say goodbye. When the lease has ended, it has no time at all.
    pub fn leaving(&self) -> impl Future<Output = ()> + Send + use<> {
        let tenure = Arc::clone(&self.0.tenure);
        async move { tenure.leaving().await }
    }

    pub(crate) fn tenure(&self) -> &Tenure {
        &self.0.tenure
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
            .field("in_force", &self.is_in_force())
            .finish()
    }
}
