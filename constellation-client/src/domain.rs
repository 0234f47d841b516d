//! Everything that one controller gave this worker: it turns what is said and done into inputs of
//! the [`Ownership`] and carries out its effects. It decides nothing itself. Controllers know
//! nothing of each other, so neither do domains, and no promise holds across two of them.

mod effects;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::pending,
    pin::pin,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use constellation_actors::{
    ownership::{
        Ownership, Stage,
        holding::HoldingId,
        input::Input,
        refusal::Refusal,
        rules::{HANDOVER_STALL, Rules},
    },
    placement::{grant::GrantId, lease::LeaseTerms, moment::Moment},
    protocol::frame::Held,
};
use futures::future::select;
use tokio::sync::Notify;

use crate::{
    dispatch::Dispatch,
    event::{Events, WorkerEvent},
    holding::Holding,
    session::Session,
    settings::{ControllerUrl, Settings},
    tenure::SharedEnd,
};

/// What belongs to one controller.
pub(crate) struct Domain {
    settings: Rc<Settings>,
    controller: ControllerUrl,
    dispatch: Rc<dyn Dispatch>,
    events: Rc<Events>,
    ownership: RefCell<Ownership>,
    /// The end of the lease, for those who ask from other threads.
    lease_end: SharedEnd,
    /// What runs under each holding of the ownership.
    holdings: RefCell<BTreeMap<HoldingId, Rc<Holding>>>,
    session: RefCell<Option<Rc<Session>>>,
    /// Whether it has no connection and gets none any more.
    finished: Cell<bool>,
    advanced: Notify,
    rescheduled: Notify,
    /// Why there was no session when there last was none.
    trouble: RefCell<Option<String>>,
    /// Whether the controller knows that every key is free.
    told: Cell<bool>,
}

/// What becomes of a request.
pub(crate) enum Admission {
    /// It is handled, now or later.
    Accepted(Rc<Holding>),
    /// It is refused behind the word that its key is free.
    RefusedLater(Rc<Holding>),
    /// It is refused.
    Refused(&'static str),
}

impl Domain {
    pub(crate) fn new(
        settings: Rc<Settings>,
        controller: ControllerUrl,
        dispatch: Rc<dyn Dispatch>,
        events: Rc<Events>,
    ) -> Rc<Self> {
        let rules = Rules {
            drain_timeout: settings.drain_timeout,
            handover_stall: HANDOVER_STALL,
        };
        Rc::new(Self {
            settings,
            controller,
            dispatch,
            events,
            ownership: RefCell::new(Ownership::new(rules)),
            lease_end: SharedEnd::default(),
            holdings: RefCell::new(BTreeMap::new()),
            session: RefCell::new(None),
            finished: Cell::new(false),
            advanced: Notify::new(),
            rescheduled: Notify::new(),
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

    pub(crate) fn session(&self) -> Option<Rc<Session>> {
        self.session.borrow().clone()
    }

    fn now(&self) -> Moment {
        self.settings.clock.now()
    }

    /// What becomes of a request that names `grant`.
    pub(crate) fn admit(&self, grant: GrantId) -> Admission {
        let admitted = self.ownership.borrow().may_start(self.now(), grant);
        let (id, admission): (_, fn(_) -> _) = match admitted {
            Ok(id) => (id, Admission::Accepted),
            Err(Refusal::BeingGivenBack(id)) => (id, Admission::RefusedLater),
            Err(Refusal::NotInForce) => {
                return Admission::Refused("the grant is not in force here");
            }
            Err(Refusal::NoLease) => return Admission::Refused("the lease is over"),
        };
        match self.holdings.borrow().get(&id) {
            Some(holding) => admission(Rc::clone(holding)),
            None => Admission::Refused("the grant is not in force here"),
        }
    }

    /// Whether this worker may act under `holding` now.
    pub(crate) fn may_act(&self, holding: HoldingId) -> bool {
        self.ownership.borrow().may_act(self.now(), holding)
    }

    /// How much longer the worker may act; `None` when it may not.
    pub(crate) fn lease_left(&self) -> Option<Duration> {
        self.ownership.borrow().lease_left(self.now())
    }

    /// What a hello says is still held.
    pub(crate) fn held(&self) -> Vec<Held> {
        self.ownership.borrow().holding(self.now()).collect()
    }

    /// The holdings that the worker owns, by key.
    pub(crate) fn owned(&self) -> Vec<Rc<Holding>> {
        let holdings = self.holdings.borrow();
        let ownership = self.ownership.borrow();
        let owned = ownership.owned().filter_map(|(id, _)| holdings.get(&id));
        owned.cloned().collect()
    }

    /// How many holdings are not gone.
    pub(crate) fn keys(&self) -> usize {
        self.holdings.borrow().len()
    }

    /// Whether it takes keys, as it does until it is drained or stopped.
    pub(crate) fn is_serving(&self) -> bool {
        self.ownership.borrow().stage() == Stage::Serving
    }

    /// Waits until it is drained or stopped.
    pub(crate) async fn leaving(&self) {
        self.until(|domain| !domain.is_serving()).await;
    }

    /// Waits until every key is given back.
    pub(crate) async fn left(&self) {
        self.until(|domain| domain.ownership.borrow().stage() == Stage::Left)
            .await;
    }

    /// It has no connection and gets none any more.
    pub(crate) fn finish(&self) {
        self.finished.set(true);
        self.advanced.notify_waiters();
    }

    /// Waits until it has no connection and gets none any more.
    pub(crate) async fn finished(&self) {
        self.until(|domain| domain.finished.get()).await;
    }

    async fn until(&self, reached: impl Fn(&Self) -> bool) {
        loop {
            // Made before the look, so that a change between look and wait is not missed.
            let advanced = self.advanced.notified();
            if reached(self) {
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

    fn emit(&self, event: &WorkerEvent) {
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
        let number = session.number();
        *self.session.borrow_mut() = Some(session);
        self.handle(Input::Welcomed {
            resumed,
            terms,
            hello_sent,
        });
        self.emit(&WorkerEvent::Connected {
            controller: self.controller_text(),
            session: number,
            resumed,
        });
    }

    /// The session is over.
    pub(crate) fn disconnected(self: &Rc<Self>, reason: String) {
        self.session.borrow_mut().take();
        self.handle(Input::Disconnected);
        self.emit(&WorkerEvent::Disconnected {
            controller: self.controller_text(),
            reason,
        });
    }

    /// Takes in what happened and does what follows.
    pub(crate) fn handle(self: &Rc<Self>, input: Input) {
        let mut outbox = Vec::new();
        let changed = Changed::by(&input);
        let (stage, deadline) = {
            let mut ownership = self.ownership.borrow_mut();
            let before = (ownership.stage(), ownership.next_deadline());
            ownership.handle(self.now(), input, &mut outbox);
            (
                before.0 != ownership.stage(),
                before.1 != ownership.next_deadline(),
            )
        };
        for effect in outbox {
            self.apply(effect);
        }
        self.bound_tenures(changed);
        if stage {
            self.advanced.notify_waiters();
        }
        if deadline {
            self.rescheduled.notify_one();
        }
    }
}

/// Which holdings an input may have confirmed or put in doubt, beside those that its effects name.
enum Changed {
    Nothing,
    /// The one that is called so.
    One(GrantId),
    All,
}

impl Changed {
    fn by(input: &Input) -> Self {
        match input {
            Input::Welcomed { .. } => Self::All,
            Input::Granted { grant, .. } => Self::One(*grant),
            Input::Disconnected
            | Input::Acknowledged { .. }
            | Input::Revoked { .. }
            | Input::LeaseExpired
            | Input::Closed { .. }
            | Input::Drain
            | Input::Stop
            | Input::Tick => Self::Nothing,
        }
    }
}

/// Tells the ownership that time has passed, whenever it wants to know. Runs as long as the worker.
pub(crate) async fn keep_time(domain: Rc<Domain>) {
    loop {
        let rescheduled = pin!(domain.rescheduled.notified());
        let deadline = domain.ownership.borrow().next_deadline();
        let due = pin!(async {
            match deadline {
                Some(deadline) => domain.settings.clock.sleep_until(deadline).await,
                None => pending().await,
            }
        });
        select(rescheduled, due).await;
        if deadline.is_some_and(|deadline| deadline <= domain.now()) {
            domain.handle(Input::Tick);
        }
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Domain")
            .field("controller", &self.controller.text())
            .field("stage", &self.ownership.borrow().stage())
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}
