//! Time as the library sees it: one monotonic clock, real or moved by hand. The only place that
//! reads the real one; no wall clock is ever read.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use constellation_actors::placement::moment::Moment;
use futures::future::Either;

/// A monotonic clock. Cheap to clone; clones agree with each other.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real { start: Instant },
    Manual(ManualClock),
}

/// A clock that can be looked at from any thread.
#[derive(Clone, Debug)]
pub(crate) enum SharedClock {
    /// The clock of the process.
    Real { start: Instant },
    /// What a manual clock shows, in microseconds.
    Manual(Arc<AtomicU64>),
}

impl SharedClock {
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::Real { start } => Moment::ZERO + start.elapsed(),
            Self::Manual(shown) => Moment::from_micros(shown.load(Ordering::Acquire)),
        }
    }
}

/// A wait for a moment.
pub(crate) type Sleep = Either<tokio::time::Sleep, ManualSleep>;

impl Clock {
    /// The monotonic clock of this process.
    ///
    /// It must not stand still while controllers' clocks run. On Linux it does so while the whole
    /// machine is suspended: a worker that wakes up from that acts for a moment on a lease that is
    /// over, and only a fence that compares epochs stops it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn monotonic() -> Self {
        Self(Kind::Real {
            start: Instant::now(),
        })
    }

    /// Now.
    pub(crate) fn now(&self) -> Moment {
        match &self.0 {
            Kind::Real { start } => Moment::ZERO + start.elapsed(),
            Kind::Manual(manual) => manual.now(),
        }
    }

    /// The same clock, for other threads to look at.
    pub(crate) fn shared(&self) -> SharedClock {
        match &self.0 {
            Kind::Real { start } => SharedClock::Real { start: *start },
            Kind::Manual(manual) => SharedClock::Manual(Arc::clone(&manual.0.borrow().shown)),
        }
    }

    /// Waits until `moment`; not at all when that is past.
    pub(crate) fn sleep_until(&self, moment: Moment) -> Sleep {
        match &self.0 {
            Kind::Real { .. } => {
                Either::Left(tokio::time::sleep(moment.saturating_since(self.now())))
            }
            Kind::Manual(manual) => Either::Right(ManualSleep {
                clock: manual.clone(),
                moment,
                place: None,
            }),
        }
    }

    /// Waits for `duration`.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::monotonic()
    }
}

/// A clock that moves only when it is told to: for tests of leases, timeouts and backoff.
#[derive(Clone, Default)]
pub struct ManualClock(Rc<RefCell<Manual>>);

#[derive(Default)]
struct Manual {
    now: Moment,
    /// The same, for other threads.
    shown: Arc<AtomicU64>,
    sleepers: BTreeMap<Place, Waker>,
    waits: u64,
}

/// When a sleeper is due, and a number that tells it from others that are due then.
type Place = (Moment, u64);

impl ManualClock {
    /// A clock at its start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The clock to give to a worker.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Kind::Manual(self.clone()))
    }

    /// Moves it forward by `duration` and wakes whoever was to sleep no longer than that.
    pub fn advance(&self, duration: Duration) {
        let due = {
            let mut manual = self.0.borrow_mut();
            manual.now = manual.now + duration;
            manual
                .shown
                .store(manual.now.as_micros(), Ordering::Release);
            let later = (manual.now + Duration::from_micros(1), 0);
            let sleeping = manual.sleepers.split_off(&later);
            std::mem::replace(&mut manual.sleepers, sleeping)
        };
        due.into_values().for_each(Waker::wake);
    }

    fn now(&self) -> Moment {
        self.0.borrow().now
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ManualClock")
            .field(&self.now())
            .finish()
    }
}

/// A wait for a moment of a manual clock.
#[derive(Debug)]
pub(crate) struct ManualSleep {
    clock: ManualClock,
    moment: Moment,
    place: Option<Place>,
}

impl ManualSleep {
    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            self.clock.0.borrow_mut().sleepers.remove(&place);
        }
    }
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.leave();
        let moment = self.moment;
        let place = {
            let mut manual = self.clock.0.borrow_mut();
            if manual.now >= moment {
                return Poll::Ready(());
            }
            manual.waits += 1;
            let place = (moment, manual.waits);
            manual.sleepers.insert(place, context.waker().clone());
            place
        };
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, task::noop_waker_ref};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_manual_clock_wakes_whoever_is_due_and_nobody_else() {
        let manual = ManualClock::new();
        let clock = manual.clock();
        let mut context = Context::from_waker(noop_waker_ref());
        let mut short = Box::pin(clock.sleep(SECOND));
        let mut long = Box::pin(clock.sleep(2 * SECOND));
        assert!(waits(&mut short, &mut context) && waits(&mut long, &mut context));
        manual.advance(SECOND);
        assert_eq!(manual.0.borrow().sleepers.len(), 1);
        assert!(!waits(&mut short, &mut context));
        assert!(waits(&mut long, &mut context));
        drop(long);
        assert!(
            manual.0.borrow().sleepers.is_empty(),
            "a dropped sleeper leaves nothing"
        );
    }

    fn waits(sleep: &mut Pin<Box<Sleep>>, context: &mut Context<'_>) -> bool {
        sleep.as_mut().poll(context).is_pending()
    }

    #[test]
    fn a_moment_that_is_past_is_not_waited_for() {
        let manual = ManualClock::new();
        manual.advance(SECOND);
        assert!(
            manual
                .clock()
                .sleep_until(Moment::ZERO)
                .now_or_never()
                .is_some()
        );
    }
}
