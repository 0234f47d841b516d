//! Tasks that wait, and tasks to wake. Never wakes by itself: a mux is used under a lock, and
//! whoever is woken would at once wait for that lock.

use std::task::{Context, Waker};

/// Tasks to be woken once the lock around the mux is released.
///
/// One waker is kept in place, because most calls wake one task at most: the session's writer.
/// Wakers that are no longer wanted lie here too, to be dropped: that may drop a task, whose parts
/// may want the lock.
#[derive(Debug, Default)]
#[must_use = "the tasks wait until they are woken"]
pub struct Wakers {
    first: Option<Waker>,
    more: Vec<Waker>,
    unwanted: Vec<Waker>,
}

impl Wakers {
    /// Wakes every task, in the order in which their reasons came up.
    pub fn wake(self) {
        self.first
            .into_iter()
            .chain(self.more)
            .for_each(Waker::wake);
    }

    /// Whether there is nobody to wake.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn push(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.more.push(waker),
        }
    }
}

/// The one task that waits for something.
#[derive(Debug, Default)]
pub(super) struct Slot(Option<Waker>);

impl Slot {
    /// Lets the task of `context` wait here, instead of the one that waited before.
    pub(super) fn wait(&mut self, context: &Context<'_>, wakers: &mut Wakers) {
        let waker = context.waker();
        if self
            .0
            .as_ref()
            .is_some_and(|waiting| waiting.will_wake(waker))
        {
            return;
        }
        wakers.unwanted.extend(self.0.replace(waker.clone()));
    }

    /// Marks whoever waits to be woken.
    pub(super) fn wake(&mut self, wakers: &mut Wakers) {
        if let Some(waker) = self.0.take() {
            wakers.push(waker);
        }
    }
}
