//! When a request has waited long enough for its answer.
//!
//! One task of each thread looks at all deadlines a few times a second, so that a request costs
//! neither a timer nor a reading of the clock.

use std::{
    cell::RefCell,
    marker::PhantomData,
    mem,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_rt::time;
use slab::Slab;

/// The least time between two looks at the deadlines. Time is counted in looks: a deadline is never
/// early, however long the thread was held up, and as much late as its looks were.
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
    /// How often somebody has looked.
    looks: u64,
    /// Whether a task looks at them.
    attended: bool,
}

/// Who waits, and until which look.
struct Waiting {
    until: u64,
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
        let Some(place) = self.place else {
            self.place = Some(begin(self.patience, context.waker().clone()));
            return Poll::Pending;
        };
        let waker = context.waker();
        let (over, _before) = DEADLINES.with_borrow_mut(|deadlines| {
            let waiting = &mut deadlines.waiting[place];
            let known = waiting.waker.will_wake(waker);
            let before = (!known).then(|| mem::replace(&mut waiting.waker, waker.clone()));
            (waiting.over, before)
        });
        if over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        // The thread itself may be ending, and then there is nothing to clear away.
        let _waiting = DEADLINES.try_with(|deadlines| deadlines.borrow_mut().waiting.remove(place));
    }
}

/// Notes a deadline; tells its place.
fn begin(patience: Duration, waker: Waker) -> usize {
    let ticks = patience.as_nanos().div_ceil(TICK.as_nanos());
    let ticks = u64::try_from(ticks).unwrap_or(u64::MAX);
    let (place, attended) = DEADLINES.with_borrow_mut(|deadlines| {
        let waiting = Waiting {
            // The next look may come at once.
            until: deadlines.looks.saturating_add(ticks).saturating_add(1),
            over: false,
            waker,
        };
        let attended = mem::replace(&mut deadlines.attended, true);
        (deadlines.waiting.insert(waiting), attended)
    });
    if !attended {
        actix_rt::spawn(attend(Attending));
    }
    place
}

impl Deadlines {
    /// Ends the deadlines that have come; tells whom to wake.
    fn look(&mut self) -> Vec<Waker> {
        self.looks += 1;
        let looks = self.looks;
        let ended = self
            .waiting
            .iter_mut()
            .filter(|(_, waiting)| waiting.until <= looks && !waiting.over);
        ended
            .map(|(_, waiting)| {
                waiting.over = true;
                waiting.waker.clone()
            })
            .collect()
    }
}

/// Looks at the deadlines of this thread as long as there are any.
async fn attend(_attending: Attending) {
    loop {
        time::sleep(TICK).await;
        let ended = DEADLINES.with_borrow_mut(Deadlines::look);
        ended.into_iter().for_each(Waker::wake);
        if DEADLINES.with_borrow(|deadlines| deadlines.waiting.is_empty()) {
            return;
        }
    }
}

/// Whoever looks at the deadlines of this thread: dropped, nobody does. Its runtime may end before
/// they do, even before it has looked once, and another may begin on the same thread.
///
/// No wakers are dropped while the deadlines are borrowed: with one may go a task that has deadlines
/// of its own.
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

    #[expect(clippy::disallowed_methods, reason = "the thread is held up")]
    #[actix_rt::test]
    async fn a_thread_that_was_held_up_ends_nothing_early() {
        let (mut older, patience) = (Deadline::after(TICK), Duration::from_secs(1));
        assert!(older.poll(&Context::from_waker(Waker::noop())).is_pending());
        // Somebody looks already, and then misses many looks.
        time::sleep(2 * TICK).await;
        std::thread::sleep(20 * TICK);
        let lasted = lasts(patience).await;
        assert!(lasted >= patience, "{lasted:?}");
    }

    #[test]
    fn a_runtime_that_ends_leaves_the_next_one_free_to_look() {
        for _ in 0..2 {
            let mut deadline = Deadline::after(TICK);
            actix_rt::System::new().block_on(async {
                assert!(
                    deadline
                        .poll(&Context::from_waker(Waker::noop()))
                        .is_pending()
                );
            });
        }
        let lasted = actix_rt::System::new().block_on(lasts(TICK));
        assert!(lasted >= TICK, "{lasted:?}");
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
