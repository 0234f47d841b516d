//! Everything that one controller gave this worker: a lease, keys, at most one session. Controllers
//! know nothing of each other, so neither do domains, and no promise holds across two of them.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use constellation_actors::{
    placement::{
        epoch::Epoch, grant::GrantId, key::ResourceKey, lease::LeaseTerms, moment::Moment,
    },
    protocol::frame::{code::RevokeReason, encode},
};
use tokio::sync::Notify;

use crate::{
    dispatch::Dispatch,
    event::{Events, ReleaseReason, WorkerEvent},
    grant::Grant,
    holding::{Holding, Standing},
    holdings::Holdings,
    lease_keeper::LeaseKeeper,
    release::release,
    session::{Farewell, Session},
    settings::{ControllerUrl, Settings},
};

/// What belongs to one controller.
pub(crate) struct Domain {
    settings: Rc<Settings>,
    controller: ControllerUrl,
    dispatch: Rc<dyn Dispatch>,
    events: Rc<Events>,
    holdings: Holdings,
    lease: LeaseKeeper,
    session: RefCell<Option<Rc<Session>>>,
    stage: Cell<Stage>,
    advanced: Notify,
    /// Why there was no session when there last was none.
    trouble: RefCell<Option<String>>,
    /// Whether the controller knows that every key is free.
    told: Cell<bool>,
}

/// How far a domain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It connects, and takes keys.
    Serving,
    /// It takes no more keys and gives back those it has.
    Draining,
    /// Every key is given back; the session is being closed.
    Leaving,
    /// It has no connection and gets none any more.
    Finished,
}

impl Domain {
    pub(crate) fn new(
        settings: Rc<Settings>,
        controller: ControllerUrl,
        dispatch: Rc<dyn Dispatch>,
        events: Rc<Events>,
    ) -> Rc<Self> {
        let lease = LeaseKeeper::new(settings.clock.clone());
        Rc::new(Self {
            settings,
            controller,
            dispatch,
            events,
            holdings: Holdings::default(),
            lease,
            session: RefCell::new(None),
            stage: Cell::new(Stage::Serving),
            advanced: Notify::new(),
            trouble: RefCell::new(None),
            told: Cell::new(false),
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn controller(&self) -> &ControllerUrl {
        &self.controller
    }

    pub(crate) fn lease(&self) -> &LeaseKeeper {
        &self.lease
    }

    pub(crate) fn holdings(&self) -> &Holdings {
        &self.holdings
    }

    pub(crate) fn session(&self) -> Option<Rc<Session>> {
        self.session.borrow().clone()
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// Goes on to `stage`; never back.
    pub(crate) fn advance(&self, stage: Stage) {
        self.stage.set(self.stage.get().max(stage));
        self.advanced.notify_waiters();
    }

    /// Waits until it has come as far as `stage`.
    pub(crate) async fn reaches(&self, stage: Stage) {
        loop {
            let advanced = self.advanced.notified();
            if self.stage.get() >= stage {
                return;
            }
            advanced.await;
        }
    }

    /// Why there was no session when there last was none.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    pub(crate) fn set_trouble(&self, reason: String) {
        *self.trouble.borrow_mut() = Some(reason);
    }

    /// Whether the controller knows that every key is free.
    pub(crate) fn is_told(&self) -> bool {
        self.told.get()
    }

    pub(crate) fn set_told(&self) {
        self.told.set(true);
    }

    pub(crate) fn emit(&self, event: &WorkerEvent) {
        self.events.emit(event);
    }

    fn controller_text(&self) -> Arc<str> {
        Arc::clone(self.controller.text())
    }

    /// A session began, with a lease that counts from `hello_sent`.
    pub(crate) fn connected(
        self: &Rc<Self>,
        session: Rc<Session>,
        resumed: bool,
        terms: LeaseTerms,
        hello_sent: Moment,
    ) {
        let lease_before = self.lease.end();
        if !self.lease.holds() {
            self.end_lease();
        } else if !resumed && let Some(end) = lease_before {
            self.put_on_probation(end);
        }
        self.lease.begin(terms, hello_sent);
        let event = WorkerEvent::Connected {
            controller: self.controller_text(),
            session: session.number(),
            resumed,
        };
        *self.session.borrow_mut() = Some(session);
        self.emit(&event);
    }

    /// The session is over.
    pub(crate) fn disconnected(&self, reason: String) {
        self.session.borrow_mut().take();
        self.emit(&WorkerEvent::Disconnected {
            controller: self.controller_text(),
            reason,
        });
    }

    /// The controller forgot this worker. What is held stays so only as long as the lease before,
    /// unless the controller grants it again: the new lease says nothing of it.
    fn put_on_probation(self: &Rc<Self>, end: Moment) {
        let held: Vec<_> = self
            .holdings
            .all()
            .into_iter()
            .filter(|holding| holding.standing() == Standing::Granted)
            .inspect(|holding| holding.set_standing(Standing::Unconfirmed))
            .collect();
        let domain = Rc::clone(self);
        actix_rt::spawn(async move {
            domain.settings.clock.sleep_until(end).await;
            for holding in held {
                if holding.standing() == Standing::Unconfirmed && !holding.is_closed() {
                    domain.lose(&holding);
                }
            }
        });
    }

    /// The lease is over: nothing may run, every key is lost, and the session with it. Does nothing
    /// without a lease.
    pub(crate) fn end_lease(self: &Rc<Self>) {
        if self.lease.end().is_none() {
            return;
        }
        self.lease.forget();
        let held: Vec<_> = self
            .holdings
            .all()
            .into_iter()
            .filter(|holding| !holding.is_lost())
            .collect();
        log::warn!(
            controller = &**self.controller.text(), keys = held.len();
            "the lease ended, nothing was heard from the controller for too long"
        );
        for holding in &held {
            self.lose(holding);
        }
        if let Some(session) = self.session() {
            session.leave(Farewell::LeaseEnded);
        }
        let controller = self.controller_text();
        self.emit(&WorkerEvent::LeaseEnded {
            controller,
            keys: held.len(),
        });
    }

    fn lose(self: &Rc<Self>, holding: &Rc<Holding>) {
        holding.set_standing(Standing::Lost { awaited: false });
        self.begin_release(holding, ReleaseReason::LeaseEnded);
    }

    /// Begins to give a key back.
    pub(crate) fn begin_release(self: &Rc<Self>, holding: &Rc<Holding>, reason: ReleaseReason) {
        if reason.is_immediate() {
            // Before anything else runs, not when the task below gets its turn.
            holding.withdraw(reason);
        }
        actix_rt::spawn(release(Rc::clone(self), Rc::clone(holding), reason));
    }

    /// The controller granted a key over `session`, which calls it `id` from now on.
    pub(crate) fn granted(
        self: &Rc<Self>,
        session: &Session,
        id: GrantId,
        epoch: Epoch,
        key: ResourceKey,
    ) {
        session.forget_grant(id);
        if self.stage() != Stage::Serving || !self.lease.holds() {
            // Its requests are refused, and it is free when this worker says goodbye.
            return;
        }
        let before = self.holdings.get(&key);
        if let Some(before) = &before {
            let held = before.grant().epoch();
            if held > epoch {
                log::warn!(key:%, epoch:%, held:%; "a grant of an epoch that is over is ignored");
                return;
            }
            if held == epoch && !before.is_lost() {
                before.confirm(id);
                return session.name_grant(id, before);
            }
            self.begin_release(before, ReleaseReason::Superseded);
        }
        let holding = self.hold(Grant::new(key, epoch, self.controller_text()), before);
        holding.confirm(id);
        session.name_grant(id, &holding);
    }

    fn hold(self: &Rc<Self>, grant: Grant, before: Option<Rc<Holding>>) -> Rc<Holding> {
        let resource = self.dispatch.resource(&grant);
        let waits = before.is_some();
        let holding = Holding::new(grant.clone(), resource, before);
        self.holdings.insert(&holding);
        if waits {
            let holding = Rc::clone(&holding);
            actix_rt::spawn(async move { holding.open().await });
        }
        self.emit(&WorkerEvent::Granted(grant));
        holding
    }

    /// The controller wants a key back.
    pub(crate) fn revoked(
        self: &Rc<Self>,
        session: &Session,
        reason: RevokeReason,
        epoch: Epoch,
        key: &ResourceKey,
    ) {
        let held = self
            .holdings
            .get(key)
            .filter(|holding| holding.grant().epoch() == epoch);
        let Some(holding) = held else {
            // It is not held, or not any more; the controller need not wait.
            return session.control(|buffer| encode::released(buffer, epoch, key));
        };
        if holding.is_lost() {
            return holding.set_standing(Standing::Lost { awaited: true });
        }
        let reason = match reason {
            RevokeReason::Stale => ReleaseReason::Stale,
            RevokeReason::Move => ReleaseReason::Moved,
            RevokeReason::Drain => ReleaseReason::Drained,
            RevokeReason::Idle => ReleaseReason::Idle,
        };
        self.begin_release(&holding, reason);
    }

    /// The resource of a key is closed.
    pub(crate) fn closed(&self, holding: &Rc<Holding>, reason: ReleaseReason) {
        holding.set_closed();
        self.holdings.remove(holding);
        let grant = holding.grant();
        if let Some(session) = self.session() {
            session.forget_holding(holding);
            match holding.standing() {
                Standing::Granted | Standing::Unconfirmed | Standing::Lost { awaited: true } => {
                    session.control(|buffer| encode::released(buffer, grant.epoch(), grant.key()));
                }
                Standing::Lost { awaited: false } => {}
            }
        }
        self.emit(&WorkerEvent::Released {
            grant: grant.clone(),
            reason,
        });
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Domain")
            .field("controller", &self.controller.text())
            .field("stage", &self.stage.get())
            .field("keys", &self.holdings.len())
            .finish_non_exhaustive()
    }
}
