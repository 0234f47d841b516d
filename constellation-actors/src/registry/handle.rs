//! How a request finds its owner: in the route view, or, on a miss, from the Registry.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::channel::oneshot;

use super::{
    RegistryAddr,
    messages::{Abandon, Resolve},
    route::{Route, RouteView},
};
use crate::placement::{effect::Rejection, epoch::Epoch, input::Ticket, key::ResourceKey};

/// The ingress's way to the pins.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    registry: RegistryAddr,
    view: Arc<RouteView>,
    last_ticket: Arc<AtomicU64>,
}

/// Why a request has no owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrouted {
    /// The placement said so.
    Rejected(Rejection),
    /// The Registry's mailbox is full.
    RegistryBusy,
    /// The controller is shutting down.
    Stopped,
}

impl Routes {
    pub(crate) fn new(registry: RegistryAddr, view: Arc<RouteView>) -> Self {
        Self {
            registry,
            view,
            last_ticket: Arc::default(),
        }
    }

    /// The owner of a pinned key.
    pub(crate) fn known(&self, path: &str) -> Option<Arc<Route>> {
        self.view.get(path)
    }

    /// The owner of a key, chosen if it has none, waited for if it cannot be reached now.
    pub(crate) async fn resolve(
        &self,
        key: ResourceKey,
        refused: Option<Epoch>,
    ) -> Result<Arc<Route>, Unrouted> {
        let ticket = Ticket::new(self.last_ticket.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        let resolve = Resolve {
            key: key.clone(),
            ticket,
            refused,
            answer,
        };
        self.registry
            .try_send(resolve)
            .map_err(|error| match error {
                actix::prelude::SendError::Full(_) => Unrouted::RegistryBusy,
                actix::prelude::SendError::Closed(_) => Unrouted::Stopped,
            })?;
        let mut place = PlaceInLine {
            registry: &self.registry,
            waiting: Some((key, ticket)),
        };
        let answer = answered.await;
        place.waiting = None;
        answer
            .map_err(|_| Unrouted::Stopped)?
            .map_err(Unrouted::Rejected)
    }
}

/// Gives up a request's place in the line when the request goes away before it is answered.
struct PlaceInLine<'a> {
    registry: &'a RegistryAddr,
    waiting: Option<(ResourceKey, Ticket)>,
}

impl Drop for PlaceInLine<'_> {
    fn drop(&mut self) {
        if let Some((key, ticket)) = self.waiting.take() {
            // With a full mailbox the place is given up when the key is settled.
            let _full = self.registry.try_send(Abandon { key, ticket });
        }
    }
}
