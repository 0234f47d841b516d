//! Handlers that a test holds up: they say when they have begun, and wait until they may go on.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex},
};

use tokio::sync::{
    Semaphore,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

use super::soon;

/// What a handler held up by a gate did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It has begun.
    Entered(String),
    /// It was let go on.
    Passed(String),
    /// It was dropped before.
    Dropped(String),
}

/// The side of the handlers, in whatever thread they run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gate {
    permits: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
    passages: UnboundedSender<Passage>,
}

/// The side of the test.
pub(crate) struct Keeper {
    gate: Gate,
    passages: UnboundedReceiver<Passage>,
}

/// A gate, closed for everyone.
pub(crate) fn gate() -> (Gate, Keeper) {
    let (sender, passages) = unbounded_channel();
    let gate = Gate {
        permits: Arc::default(),
        passages: sender,
    };
    let keeper = Keeper {
        gate: gate.clone(),
        passages,
    };
    (gate, keeper)
}

impl Gate {
    fn permits(&self, name: &str) -> Arc<Semaphore> {
        let mut permits = self.permits.lock().unwrap();
        let named = permits.entry(name.to_owned());
        Arc::clone(named.or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    fn tell(&self, passage: Passage) {
        let _test_is_over = self.passages.send(passage);
    }

    /// Waits until the test lets one more through under this name.
    pub(crate) async fn pass(&self, name: &str) {
        let mut inside = Inside {
            gate: self.clone(),
            name: Some(name.to_owned()),
        };
        self.tell(Passage::Entered(name.to_owned()));
        self.permits(name).acquire().await.unwrap().forget();
        let name = inside.name.take().unwrap();
        self.tell(Passage::Passed(name));
    }

    /// Says that something happened, without holding it up.
    pub(crate) fn note(&self, name: impl Into<String>) {
        self.tell(Passage::Passed(name.into()));
    }
}

/// Tells of a handler that is dropped while it waits.
struct Inside {
    gate: Gate,
    name: Option<String>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            self.gate.tell(Passage::Dropped(name));
        }
    }
}

impl Keeper {
    /// Lets one handler through, now or when it comes.
    pub(crate) fn let_through(&self, name: &str) {
        self.gate.permits(name).add_permits(1);
    }

    /// What happens next.
    #[track_caller]
    pub(crate) fn next(&mut self) -> impl Future<Output = Passage> {
        let next = soon("a handler to get on", self.passages.recv());
        async { next.await.unwrap() }
    }

    /// What has happened and was not looked at.
    pub(crate) fn seen(&mut self) -> Vec<Passage> {
        std::iter::from_fn(|| self.passages.try_recv().ok()).collect()
    }

    #[track_caller]
    pub(crate) fn entered(&mut self, name: &str) -> impl Future<Output = ()> {
        self.expect(Passage::Entered(name.to_owned()))
    }

    #[track_caller]
    pub(crate) fn passed(&mut self, name: &str) -> impl Future<Output = ()> {
        self.expect(Passage::Passed(name.to_owned()))
    }

    #[track_caller]
    pub(crate) fn dropped(&mut self, name: &str) -> impl Future<Output = ()> {
        self.expect(Passage::Dropped(name.to_owned()))
    }

    #[track_caller]
    fn expect(&mut self, expected: Passage) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        let next = self.next();
        async move {
            let next = next.await;
            assert_eq!(next, expected, "at {caller}");
        }
    }
}
