//! One key that this worker holds: whether its requests may run, how many do, and where its end
//! stands. It decides nothing about leases or sessions.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

use constellation_actors::placement::grant::GrantId;
use tokio::sync::Notify;

use crate::{
    dispatch::{Call, Resource},
    event::ReleaseReason,
    grant::Grant,
    request::Request,
};

/// A held key.
pub(crate) struct Holding {
    grant: Grant,
    resource: Rc<dyn Resource>,
    stage: RefCell<Stage>,
    running: Cell<usize>,
    /// Why nothing may run under it any more.
    withdrawn: Cell<Option<ReleaseReason>>,
    standing: Cell<Standing>,
    /// What the latest session that granted it calls it.
    id: Cell<Option<GrantId>>,
    changed: Notify,
}

/// How far a holding is.
enum Stage {
    /// The same key, held before, is still being closed; requests wait for that.
    Waiting {
        before: Rc<Holding>,
        requests: VecDeque<(Call, Request)>,
    },
    /// Requests are handled.
    Open,
    /// It takes no more requests.
    Closing,
    /// Its resource is closed.
    Closed,
}

/// What the controller is known to think of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The controller counts this worker as the owner, and waits for its word at the end.
    Granted,
    /// The controller may have forgotten this worker; it holds only as long as the lease before.
    Unconfirmed,
    /// The lease it depended on ended.
    Lost {
        /// Whether the controller, heard of again, still waits for word of its end.
        awaited: bool,
    },
}

impl Holding {
    /// A new holding; after `before`, when that is not closed yet.
    pub(crate) fn new(
        grant: Grant,
        resource: Rc<dyn Resource>,
        before: Option<Rc<Self>>,
    ) -> Rc<Self> {
        let stage = match before {
            Some(before) => Stage::Waiting {
                before,
                requests: VecDeque::new(),
            },
            None => Stage::Open,
        };
        Rc::new(Self {
            grant,
            resource,
            stage: RefCell::new(stage),
            running: Cell::new(0),
            withdrawn: Cell::new(None),
            standing: Cell::new(Standing::Granted),
            id: Cell::new(None),
            changed: Notify::new(),
        })
    }

    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    pub(crate) fn resource(&self) -> &Rc<dyn Resource> {
        &self.resource
    }

    /// What the latest session that granted it calls it.
    pub(crate) fn id(&self) -> Option<GrantId> {
        self.id.get()
    }

    /// The controller granted it, once more or for the first time, under the name `id`.
    pub(crate) fn confirm(&self, id: GrantId) {
        self.id.set(Some(id));
        self.set_standing(Standing::Granted);
    }

    pub(crate) fn running(&self) -> usize {
        self.running.get()
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing.get()
    }

    /// Whether the lease it depended on has ended.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.standing.get(), Standing::Lost { .. })
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        self.standing.set(standing);
        self.changed.notify_waiters();
    }

    /// Why nothing may run under it any more, if so.
    pub(crate) fn withdrawn(&self) -> Option<ReleaseReason> {
        self.withdrawn.get()
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Closed)
    }

    /// Takes a request in, to be handled now or later, at most `waiting_max` of them later.
    pub(crate) fn take(&self, call: Call, request: Request, waiting_max: usize) {
        let mut stage = self.stage.borrow_mut();
        match &mut *stage {
            Stage::Waiting { requests, .. } if requests.len() < waiting_max => {
                requests.push_back((call, request));
            }
            Stage::Waiting { .. } => call.overload("too many requests wait for the key"),
            Stage::Open => {
                drop(stage);
                Rc::clone(&self.resource).take(call, request);
            }
            Stage::Closing | Stage::Closed => call.refuse("the key is being released"),
        }
    }

    /// Waits until the holding before it is closed, and then lets requests in.
    pub(crate) async fn open(&self) {
        let before = match &*self.stage.borrow() {
            Stage::Waiting { before, .. } => Rc::clone(before),
            Stage::Open | Stage::Closing | Stage::Closed => return,
        };
        before.closed().await;
        let waited = {
            let mut stage = self.stage.borrow_mut();
            match std::mem::replace(&mut *stage, Stage::Open) {
                Stage::Waiting { requests, .. } => requests,
                other @ (Stage::Open | Stage::Closing | Stage::Closed) => {
                    *stage = other;
                    return;
                }
            }
        };
        for (call, request) in waited {
            Rc::clone(&self.resource).take(call, request);
        }
    }

    /// Takes no more requests, refuses those that wait, and tells whether it is the first to do
    /// so. Waits for the holding before it.
    pub(crate) async fn begin_closing(&self) -> bool {
        let before = std::mem::replace(&mut *self.stage.borrow_mut(), Stage::Closing);
        match before {
            Stage::Waiting { before, requests } => {
                for (call, _) in requests {
                    call.refuse("the key is being released");
                }
                before.closed().await;
                true
            }
            Stage::Open => {
                self.resource.refuse_waiting();
                true
            }
            other @ (Stage::Closing | Stage::Closed) => {
                *self.stage.borrow_mut() = other;
                false
            }
        }
    }

    /// Its resource is closed.
    pub(crate) fn set_closed(&self) {
        *self.stage.borrow_mut() = Stage::Closed;
        self.changed.notify_waiters();
    }

    /// Nothing may run under it any more. The first reason stays, unless the lease ended.
    pub(crate) fn withdraw(&self, reason: ReleaseReason) {
        if self.withdrawn.get().is_none() || reason == ReleaseReason::LeaseEnded {
            self.withdrawn.set(Some(reason));
        }
        self.changed.notify_waiters();
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

    /// Waits until nothing may run any more.
    pub(crate) async fn withdrawal(&self) {
        self.until(|holding| holding.withdrawn.get().is_some())
            .await;
    }

    /// Waits until its lease has ended.
    pub(crate) async fn loss(&self) {
        self.until(Self::is_lost).await;
    }

    /// Waits until its resource is closed.
    pub(crate) async fn closed(&self) {
        self.until(Self::is_closed).await;
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
        let stage = match &*self.stage.borrow() {
            Stage::Waiting { .. } => "waiting",
            Stage::Open => "open",
            Stage::Closing => "closing",
            Stage::Closed => "closed",
        };
        formatter
            .debug_struct("Holding")
            .field("grant", &self.grant)
            .field("stage", &stage)
            .field("running", &self.running.get())
            .field("withdrawn", &self.withdrawn.get())
            .field("standing", &self.standing.get())
            .finish_non_exhaustive()
    }
}
