//! How fast clients send and take bodies: one that keeps its own body waiting for too long is cut
//! off. What the worker takes its time for is never a client's fault.
//!
//! A body that waits for its client is *watched*. It says itself whether it waits and how often it
//! got on; one task of each thread looks at all of them a few times a second, so that a body costs
//! no timer and no reading of the clock for each of its pieces.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    sync::Arc,
    task::Waker,
    time::Duration,
};

use actix_rt::time;

use self::meter::Meter;
use crate::{
    clock::Clock,
    counters::{Counter, Counters},
    placement::moment::Moment,
};

mod meter;

pub(crate) use self::meter::{PaceLimits, Slow};

/// How often bodies are looked at: how late a limit is noticed at most.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Which way a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the client to the worker.
    Up,
    /// From the worker to the client.
    Down,
}

/// What is needed to watch a body.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    limits: PaceLimits,
    direction: Direction,
    counters: Arc<Counters>,
}

/// The time that a client took for its upload, as an extension of its request.
#[derive(Clone, Debug)]
pub(super) struct ClientTime(Rc<Watched>);

/// A body under watch, until it is dropped.
pub(super) struct Watched {
    pace: Pace,
    /// Whether the body waits for its client.
    waiting: Cell<bool>,
    /// How often it got on; only differences count.
    progress: Cell<u32>,
    meter: RefCell<Meter>,
    slow: Cell<Option<Slow>>,
    /// Who is to look at the body again when it is found slow.
    waker: RefCell<Option<Waker>>,
    /// What is done when it is found slow.
    cut_off: Box<dyn Fn(Slow)>,
}

/// The bodies of one thread that are watched.
#[derive(Default)]
struct Watch {
    bodies: Vec<Weak<Watched>>,
    /// Whether a task looks at them.
    attended: bool,
}

thread_local! {
    static WATCH: RefCell<Watch> = RefCell::default();
}

impl Pace {
    pub(super) fn new(limits: PaceLimits, direction: Direction, counters: &Arc<Counters>) -> Self {
        Self {
            limits,
            direction,
            counters: Arc::clone(counters),
        }
    }

    /// Has a body watched from now on. `cut_off` is called once, when it is found slow; it must not
    /// have anything watched itself.
    pub(super) fn watch(&self, cut_off: impl Fn(Slow) + 'static) -> Rc<Watched> {
        let watched = Rc::new(Watched {
            pace: self.clone(),
            waiting: Cell::new(false),
            progress: Cell::new(0),
            meter: RefCell::default(),
            slow: Cell::new(None),
            waker: RefCell::new(None),
            cut_off: Box::new(cut_off),
        });
        WATCH.with_borrow_mut(|watch| {
            watch.bodies.push(Rc::downgrade(&watched));
            if !watch.attended {
                watch.attended = true;
                actix_rt::spawn(attend());
            }
        });
        watched
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    fn counter(&self, slow: Slow) -> &Counter {
        match (self.direction, slow) {
            (Direction::Up, Slow::Idle { .. }) => &self.counters.uploads_idle,
            (Direction::Up, Slow::Total { .. }) => &self.counters.uploads_slow,
            (Direction::Down, Slow::Idle { .. }) => &self.counters.downloads_idle,
            (Direction::Down, Slow::Total { .. }) => &self.counters.downloads_slow,
        }
    }
}

impl ClientTime {
    pub(super) fn of(watched: &Rc<Watched>) -> Self {
        Self(Rc::clone(watched))
    }

    /// How long the upload waited for its client so far.
    pub(super) fn taken(&self) -> Duration {
        self.0.meter.borrow().total()
    }
}

impl Watched {
    /// The body waits for its client, and `waker` is woken if that takes too long.
    pub(super) fn wait(&self, waker: &Waker) {
        self.waiting.set(true);
        self.waker
            .borrow_mut()
            .get_or_insert_with(|| waker.clone())
            .clone_from(waker);
    }

    /// The body waits for its client, which is not asked again before it takes something.
    pub(super) fn wait_unasked(&self) {
        self.waiting.set(true);
    }

    /// The client did something; what comes next is not up to it.
    pub(super) fn go_on(&self) {
        self.waiting.set(false);
        self.progress.set(self.progress.get().wrapping_add(1));
    }

    /// Whether the client was too slow.
    pub(super) fn slow(&self) -> Option<Slow> {
        self.slow.get()
    }

    fn look(&self, step: Duration) {
        let outcome = self.meter.borrow_mut().look(
            step,
            self.waiting.get(),
            self.progress.get(),
            self.pace.limits,
        );
        let Some(slow) = outcome.filter(|_| self.slow.get().is_none()) else {
            return;
        };
        self.slow.set(Some(slow));
        self.pace.counter(slow).add();
        (self.cut_off)(slow);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Watched")
            .field("pace", &self.pace)
            .field("waiting", &self.waiting)
            .field("slow", &self.slow)
            .finish_non_exhaustive()
    }
}

/// Looks at the bodies of this thread as long as there are any.
async fn attend() {
    let _attending = Attending;
    let clock = Clock::new();
    let mut last = clock.now();
    loop {
        time::sleep(LOOK_EVERY).await;
        let now = clock.now();
        let step = elapsed(last, now);
        last = now;
        let bodies = WATCH.with_borrow_mut(|watch| {
            watch.bodies.retain(|body| body.strong_count() > 0);
            watch.bodies.clone()
        });
        if bodies.is_empty() {
            return;
        }
        for body in bodies.iter().filter_map(Weak::upgrade) {
            body.look(step);
        }
    }
}

/// Whoever looks at the bodies of this thread: dropped, nobody does. Its runtime may end before they
/// do, and another may begin on the same thread.
struct Attending;

impl Drop for Attending {
    fn drop(&mut self) {
        // The thread itself may be ending.
        let _gone = WATCH.try_with(|watch| watch.borrow_mut().attended = false);
    }
}

/// The time since the last look. A thread that was held up itself blames no client for that.
fn elapsed(last: Moment, now: Moment) -> Duration {
    now.saturating_since(last).min(2 * LOOK_EVERY)
}
