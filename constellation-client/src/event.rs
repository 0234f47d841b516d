//! What a worker tells those who subscribed: connections and ownership as they come and go. Events
//! inform; nothing waits for them, and a subscriber that falls behind misses some.

use std::{cell::RefCell, fmt, sync::Arc};

use actix::{Message, Recipient, dev::SendError};

use crate::grant::Grant;

/// Why a key is no longer this worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReleaseReason {
    /// The controller says that another owner holds it. What runs is cancelled at once.
    Stale,
    /// It moves to another worker.
    Moved,
    /// This worker is drained, by itself or by the controller.
    Drained,
    /// Nobody has used it for a while.
    Idle,
    /// It was granted anew under a higher epoch. What runs is cancelled at once.
    Superseded,
    /// The lease ended: no controller has been heard of for too long. What runs is cancelled at
    /// once, and another worker may own the key soon.
    LeaseEnded,
    /// This worker stops without waiting.
    Stopped,
}

impl ReleaseReason {
    /// Whether what runs is cancelled at once, instead of having time to finish.
    #[must_use]
    pub const fn is_immediate(self) -> bool {
        match self {
            Self::Stale | Self::Superseded | Self::LeaseEnded | Self::Stopped => true,
            Self::Moved | Self::Drained | Self::Idle => false,
        }
    }
}

impl fmt::Display for ReleaseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stale => "another owner holds the key",
            Self::Moved => "the key moves to another worker",
            Self::Drained => "the worker is drained",
            Self::Idle => "the key is idle",
            Self::Superseded => "the key was granted anew under a higher epoch",
            Self::LeaseEnded => "the lease ended",
            Self::Stopped => "the worker stops",
        })
    }
}

/// What happened to a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerEvent {
    /// A controller welcomed it.
    Connected {
        /// The controller's address.
        controller: Arc<str>,
        /// The controller's number for the session.
        session: u64,
        /// Whether the controller still knew this worker, so that its keys are still its own.
        resumed: bool,
    },
    /// The connection to a controller ended. Keys stay while the lease runs.
    Disconnected {
        /// The controller's address.
        controller: Arc<str>,
        /// Why, for people.
        reason: String,
    },
    /// A key is this worker's.
    Granted(Grant),
    /// A key was this worker's; its resource is closed.
    Released {
        /// What was granted.
        grant: Grant,
        /// Why it ended.
        reason: ReleaseReason,
    },
    /// The lease ended. The keys' resources are being closed; each tells its own end.
    LeaseEnded {
        /// The controller's address.
        controller: Arc<str>,
        /// How many keys were held.
        keys: usize,
    },
}

impl Message for WorkerEvent {
    type Result = ();
}

/// Those who subscribed.
#[derive(Default)]
pub(crate) struct Events(RefCell<Vec<Recipient<WorkerEvent>>>);

impl Events {
    pub(crate) fn subscribe(&self, subscriber: Recipient<WorkerEvent>) {
        self.0.borrow_mut().push(subscriber);
    }

    /// Tells everyone. Those who are gone are forgotten.
    pub(crate) fn emit(&self, event: &WorkerEvent) {
        self.0
            .borrow_mut()
            .retain(|subscriber| match subscriber.try_send(event.clone()) {
                Ok(()) => true,
                Err(SendError::Full(_)) => {
                    log::warn!("a subscriber's mailbox is full, an event is lost to it");
                    true
                }
                Err(SendError::Closed(_)) => false,
            });
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Events")
            .field("subscribers", &self.0.borrow().len())
            .finish()
    }
}
