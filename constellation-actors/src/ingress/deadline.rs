//! When a request has waited long enough for its answer.
//!
//! One task of each thread looks at all deadlines a few times a second, so that a request costs
//! neither a timer nor a reading of the clock.

use std::{
    cell::RefCell,
    marker::PhantomData,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_rt::time;
use slab::Slab;

use crate::clock::Clock;

/// How often deadlines are looked at. One is noticed two ticks late at most, and never early.
const TICK: Duration = Duration::from_millis(100);

/// The time after which something is given up. It begins when this is polled first.
pub(super) struct Deadline {
    patience: Duration,
    /// Its place among the deadlines of its thread, once it has begun.
    place: Option<usize>,
    /// It stays on its thread.
    _thread: PhantomData<Rc<()>>,
}

/// The deadlines of one thread.
#[derive(Default)]
struct Deadlines {
    waiting: Slab<Waiting>,
    /// The ticks that have passed while somebody looked.
    now: u64,
    /// Whether a task looks at them.
    attended: bool,
}

/// Who waits, and until when.
struct Waiting {
    at: u64,
    over: bool,
    waker: Waker,
}

thread_local! {
    static DEADLINES: RefCell<Deadlines> = RefCell::default();
}

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Self {
            patience,
            place: None,
            _thread: PhantomData,
        }
    }

    /// Ready once the time is over.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        DEADLINES.with_borrow_mut(|deadlines| {
            let Some(place) = self.place else {
                self.place = Some(deadlines.begin(self.patience, context.waker()));
                return Poll::Pending;
            };
            let waiting = &mut deadlines.waiting[place];
            if waiting.over {
                return Poll::Ready(());
            }
            waiting.waker.clone_from(context.waker());
            Poll::Pending
        })
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        // Dropping a waker may drop a task with deadlines of its own. The thread itself may be
        // ending, and then there is nothing to clear away.
        let _waiting = DEADLINES.try_with(|deadlines| deadlines.borrow_mut().waiting.remove(place));
    }
}

impl Deadlines {
    /// Notes a deadline; tells its place.
    fn begin(&mut self, patience: Duration, waker: &Waker) -> usize {
        if !self.attended {
            self.attended = true;
            actix_rt::spawn(attend());
        }
        let ticks = patience.as_nanos().div_ceil(TICK.as_nanos());
        let ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
        self.waiting.insert(Waiting {
            // A part of the present tick has passed already.
            at: self.now.saturating_add(ticks).saturating_add(1),
            over: false,
            waker: waker.clone(),
        })
    }

    /// Ends the deadlines that have come; tells whom to wake.
    fn end(&mut self, now: u64) -> Vec<Waker> {
        self.now = now;
        let ended = self
            .waiting
            .iter_mut()
            .filter(|(_, waiting)| waiting.at <= now && !waiting.over);
        ended
            .map(|(_, waiting)| {
                waiting.over = true;
                waiting.waker.clone()
            })
            .collect()
    }
}

/// Looks at the deadlines of this thread as long as there are any.
async fn attend() {
    let _attending = Attending;
    let clock = Clock::new();
    let before = DEADLINES.with_borrow(|deadlines| deadlines.now);
    loop {
        time::sleep(TICK).await;
        let ticks = u128::from(clock.now().as_micros()) / TICK.as_micros();
        let now = before.saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX));
        let ended = DEADLINES.with_borrow_mut(|deadlines| deadlines.end(now));
        ended.into_iter().for_each(Waker::wake);
        if DEADLINES.with_borrow(|deadlines| deadlines.waiting.is_empty()) {
            return;
        }
    }
}

/// Whoever looks at the deadlines of this thread: dropped, nobody does. Its runtime may end before
/// they do, and another may begin on the same thread.
struct Attending;

impl Drop for Attending {
    fn drop(&mut self) {
        let _gone = DEADLINES.try_with(|deadlines| deadlines.borrow_mut().attended = false);
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Instant};

    use futures::future::join;

    use super::*;

    /// How long a deadline lasts that nobody ends before.
    #[expect(clippy::disallowed_methods, reason = "the test measures real time")]
    async fn lasts(patience: Duration) -> Duration {
        let begun = Instant::now();
        let mut deadline = Deadline::after(patience);
        poll_fn(|context| deadline.poll(context)).await;
        begun.elapsed()
    }

    #[actix_rt::test]
    async fn a_deadline_never_comes_early_and_each_at_its_own_time() {
        let (short, long) = (Duration::from_millis(30), Duration::from_millis(450));
        let (first, second) = join(lasts(short), lasts(long)).await;
        assert!(first >= short && second >= long, "{first:?}, {second:?}");
        assert!(first < second, "{first:?}, {second:?}");
    }

    #[actix_rt::test]
    async fn what_ends_in_time_leaves_nothing_behind() {
        let mut deadline = Deadline::after(Duration::from_secs(60));
        let context = Context::from_waker(Waker::noop());
        assert!(deadline.poll(&context).is_pending());
        assert_eq!(
            DEADLINES.with_borrow(|deadlines| deadlines.waiting.len()),
            1
        );
        drop(deadline);
        DEADLINES.with_borrow(|deadlines| assert!(deadlines.waiting.is_empty()));
        // Whoever looked has gone home by now, and is called again.
        time::sleep(3 * TICK).await;
        assert!(lasts(Duration::ZERO).await < Duration::from_secs(30));
    }
}
