//! What a worker tells those who subscribed: connections and ownership as they come and go. Events
//! inform; nothing waits for them, and a subscriber that falls behind misses some.

use std::{cell::RefCell, fmt, sync::Arc};

use actix::{Message, Recipient, dev::SendError};
use constellation_actors::ownership::reason::ReleaseReason;

use crate::grant::Grant;

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
