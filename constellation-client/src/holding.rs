//! What runs and waits under one holding of a key. It decides nothing: the ownership says when it
//! opens and how it ends.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

use constellation_actors::ownership::{effect::Urgency, holding::HoldingId, reason::ReleaseReason};
use tokio::sync::Notify;

use crate::{
    dispatch::{Call, Resource},
    exchange::Open,
    grant::Grant,
    request::Request,
};

/// A held key.
pub(crate) struct Holding {
    id: HoldingId,
    grant: Grant,
    resource: Rc<dyn Resource>,
    door: RefCell<Door>,
    running: Cell<usize>,
    closing: Cell<Option<(Urgency, ReleaseReason)>>,
    /// Requests that are refused behind the word that the key is free.
    refused: RefCell<Vec<Open>>,
    changed: Notify,
}

/// Where requests come in.
enum Door {
    /// They wait: the same key, held before, is still being closed.
    Waiting(VecDeque<(Call, Request)>),
    /// They are handled.
    Open,
    /// They are refused.
    Shut,
}

impl Holding {
    pub(crate) fn new(id: HoldingId, grant: Grant, resource: Rc<dyn Resource>) -> Rc<Self> {
        Rc::new(Self {
            id,
            grant,
            resource,
            door: RefCell::new(Door::Waiting(VecDeque::new())),
            running: Cell::new(0),
            closing: Cell::new(None),
            refused: RefCell::new(Vec::new()),
            changed: Notify::new(),
        })
    }

    pub(crate) fn id(&self) -> HoldingId {
        self.id
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    pub(crate) fn resource(&self) -> &Rc<dyn Resource> {
        &self.resource
    }

    pub(crate) fn running(&self) -> usize {
        self.running.get()
    }

    /// Why it is being closed, if it is.
    pub(crate) fn closing(&self) -> Option<ReleaseReason> {
        self.closing.get().map(|(_, reason)| reason)
    }

    fn is_closing(&self, urgency: Urgency) -> bool {
        self.closing.get().is_some_and(|(it, _)| it >= urgency)
    }

    /// Takes a request in, to be handled now or later, at most `waiting_max` of them later.
    pub(crate) fn take(&self, call: Call, request: Request, waiting_max: usize) {
        let mut door = self.door.borrow_mut();
        match &mut *door {
            Door::Waiting(requests) if requests.len() < waiting_max => {
                requests.push_back((call, request));
            }
            Door::Waiting(_) => call.overload("too many requests wait for the key"),
            Door::Open => {
                drop(door);
                Rc::clone(&self.resource).take(call, request);
            }
            Door::Shut => call.refuse(),
        }
    }

    /// Lets requests in, those first that waited.
    pub(crate) fn open(&self) {
        let before = std::mem::replace(&mut *self.door.borrow_mut(), Door::Open);
        if let Door::Waiting(requests) = before {
            for (call, request) in requests {
                Rc::clone(&self.resource).take(call, request);
            }
        }
    }

    /// Takes nothing more in and refuses what waits; tells whether that is new. More urgent than
    /// before, it cuts short what runs.
    pub(crate) fn close(&self, reason: ReleaseReason, urgency: Urgency) -> bool {
        self.closing.set(Some((urgency, reason)));
        self.grant.tenure().leave();
        if !reason.is_awaited() {
            self.send_refusals();
        }
        self.changed.notify_waiters();
        let before = std::mem::replace(&mut *self.door.borrow_mut(), Door::Shut);
        match before {
            Door::Waiting(requests) => requests.into_iter().for_each(|(call, _)| call.refuse()),
            Door::Open => self.resource.refuse_waiting(),
            Door::Shut => return false,
        }
        true
    }

    /// Refuses a request, now or when its controller knows that the key is free.
    pub(crate) fn refuse(&self, exchange: Open) {
        if self.closing().is_some_and(ReleaseReason::is_awaited) {
            self.refused.borrow_mut().push(exchange);
        } else {
            exchange.refuse();
        }
    }

    /// Sends the refusals that were held back.
    pub(crate) fn send_refusals(&self) {
        self.refused.take().into_iter().for_each(Open::refuse);
    }

    /// A request begins.
    pub(crate) fn enter(&self) {
        self.running.set(self.running.get() + 1);
    }

    /// A request is over.
    pub(crate) fn leave(&self) {
        self.running.set(self.running.get() - 1);
        if self.running.get() == 0 {
            self.changed.notify_waiters();
        }
    }

    /// Waits until no request runs.
    pub(crate) async fn idle(&self) {
        self.until(|holding| holding.running.get() == 0).await;
    }

    /// Waits until it is being closed.
    pub(crate) async fn leaving(&self) {
        self.until(|holding| holding.closing().is_some()).await;
    }

    /// Waits until nothing may run any more.
    pub(crate) async fn withdrawal(&self) {
        self.until(|holding| holding.is_closing(Urgency::AtOnce))
            .await;
    }

    /// Waits until its resource has no time left.
    pub(crate) async fn abandonment(&self) {
        self.until(|holding| holding.is_closing(Urgency::Abandon))
            .await;
    }

    async fn until(&self, reached: impl Fn(&Self) -> bool) {
        loop {
            // Made before the look, so that a change between look and wait is not missed.
            let changed = self.changed.notified();
            if reached(self) {
                return;
            }
            changed.await;
        }
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Holding")
            .field("id", &self.id)
            .field("grant", &self.grant)
            .field("running", &self.running.get())
            .field("closing", &self.closing.get())
            .finish_non_exhaustive()
    }
}
