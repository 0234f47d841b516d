//! A fence around a value in the memory of one process, whose workers share it: a device that is
//! open, a connection, a cache. It never guards against another process.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use constellation_actors::placement::epoch::Epoch;

use super::{Admission, Fence, Refused, admit};

/// A value behind a fence and a mutex. Clones are ways to the same value, one for each owner.
///
/// An act that fails or panics leaves the value as it was at that moment.
///
/// ```
/// use constellation_client::{Epoch, fence::{Fence, Refused, memory::MemoryFence}};
///
/// let valve = MemoryFence::new("valve 3", 0_u8);
/// let mut first = valve.clone().enter(Epoch::new(1)).unwrap();
/// let mut second = valve.enter(Epoch::new(2)).unwrap();
/// let late: Result<(), Refused> = first.write(|percent| {
///     *percent = 100;
///     Ok(())
/// });
/// assert_eq!(
///     late.unwrap_err().to_string(),
///     "valve 3 was entered under epoch 2 and refuses the lower epoch 1"
/// );
/// assert_eq!(second.read(|percent| Ok::<_, Refused>(*percent)), Ok(0));
/// ```
pub struct MemoryFence<T> {
    what: Arc<str>,
    guarded: Arc<Mutex<Guarded<T>>>,
}

struct Guarded<T> {
    mark: Option<Epoch>,
    value: T,
}

impl<T> MemoryFence<T> {
    /// A fence around `value`, called `what` in refusals.
    #[must_use]
    pub fn new(what: impl Into<Arc<str>>, value: T) -> Self {
        Self {
            what: what.into(),
            guarded: Arc::new(Mutex::new(Guarded { mark: None, value })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Guarded<T>> {
        self.guarded.lock().unwrap_or_else(|poisoned| {
            self.guarded.clear_poison();
            poisoned.into_inner()
        })
    }
}

impl<T> Fence for MemoryFence<T> {
    type Access = T;
    type Error = Refused;

    fn write<O, E: From<Refused>>(
        &mut self,
        epoch: Epoch,
        act: impl FnOnce(&mut T) -> Result<O, E>,
    ) -> Result<O, E> {
        let mut guarded = self.lock();
        match admit(&self.what, guarded.mark, epoch)? {
            Admission::Held => {}
            Admission::Higher => guarded.mark = Some(epoch),
        }
        act(&mut guarded.value)
    }
}

impl<T> Clone for MemoryFence<T> {
    fn clone(&self) -> Self {
        Self {
            what: Arc::clone(&self.what),
            guarded: Arc::clone(&self.guarded),
        }
    }
}

impl<T> fmt::Debug for MemoryFence<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryFence")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fence::conformance::{self, Subject};

    struct Shared(MemoryFence<Option<u64>>);

    impl Subject for Shared {
        type Fence = MemoryFence<Option<u64>>;

        fn open(&mut self) -> Self::Fence {
            self.0.clone()
        }

        fn put(value: &mut Option<u64>, number: u64) -> Result<(), Refused> {
            *value = Some(number);
            Ok(())
        }

        fn get(value: &mut Option<u64>) -> Result<Option<u64>, Refused> {
            Ok(*value)
        }

        fn refusal(error: &Refused) -> Option<&Refused> {
            Some(error)
        }
    }

    #[test]
    fn it_is_a_fence() {
        conformance::check(&mut Shared(MemoryFence::new("a number", None)));
    }

    #[test]
    fn a_panic_in_an_act_does_not_close_it_for_good() {
        let mut fence = MemoryFence::new("a number", 0);
        let panicking = fence.clone();
        let panicked = std::thread::spawn(move || {
            let mut panicking = panicking;
            let _never: Result<(), Refused> =
                panicking.write(Epoch::new(1), |_| panic!("on purpose"));
        });
        assert!(panicked.join().is_err());
        assert_eq!(fence.check(Epoch::new(1)), Ok(()));
    }
}
