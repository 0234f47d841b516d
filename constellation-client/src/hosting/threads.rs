//! The threads of a hosted App as the worker sees them: started before the first request, and each
//! key always with the same one.

use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    rc::Rc,
};

use constellation_actors::ownership::reason::ReleaseReason;
use futures::{
    FutureExt,
    future::{LocalBoxFuture, try_join_all},
};

use super::{
    job::{Job, Outcome},
    thread::{Made, NotTaken, Thread},
};
use crate::{
    dispatch::{Call, Dispatch, Resource, nothing},
    error::HandlerError,
    grant::Grant,
    request::Request,
    response::Response,
};

/// Starts one more thread.
type Start = Box<dyn Fn() -> io::Result<(Thread, Made)>>;

/// All threads of an App.
pub(super) struct Threads {
    start: Start,
    count: usize,
    has_closing: bool,
    /// Empty until they are started.
    started: RefCell<Vec<Rc<Thread>>>,
}

/// A key, and the thread that handles its requests.
struct KeyThread {
    grant: Grant,
    thread: Rc<Thread>,
    has_closing: bool,
}

impl Threads {
    pub(super) fn new(
        count: usize,
        has_closing: bool,
        start: impl Fn() -> io::Result<(Thread, Made)> + 'static,
    ) -> Self {
        Self {
            start: Box::new(start),
            count,
            has_closing,
            started: RefCell::new(Vec::new()),
        }
    }

    /// Starts what is not started yet; tells whether each App was made.
    fn start(&self) -> io::Result<Vec<Made>> {
        let mut started = self.started.borrow_mut();
        let missing = self.count - started.len();
        let mut all = Vec::with_capacity(missing);
        for _ in 0..missing {
            let (thread, made) = (self.start)()?;
            started.push(Rc::new(thread));
            all.push(made);
        }
        Ok(all)
    }

    /// The thread of a key. Always the same one in this process.
    fn of(&self, key: &str) -> Rc<Thread> {
        let started = self.started.borrow();
        Rc::clone(&started[place(key, started.len())])
    }
}

/// Which of `count` threads a key has.
fn place(key: &str, count: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // The remainder is smaller than a usize.
    (hasher.finish() % count as u64) as usize
}

impl Dispatch for Threads {
    fn resource(&self, grant: &Grant) -> Rc<dyn Resource> {
        Rc::new(KeyThread {
            grant: grant.clone(),
            thread: self.of(grant.key()),
            has_closing: self.has_closing,
        })
    }

    fn prepare(&self) -> LocalBoxFuture<'static, Result<(), HandlerError>> {
        let started = self.start();
        async move {
            let made = started?.into_iter().map(|made| async {
                let told = made.await;
                told.unwrap_or_else(|_gone| Err(HandlerError::new("the App's factory panicked")))
            });
            try_join_all(made).await?;
            Ok(())
        }
        .boxed_local()
    }
}

impl KeyThread {
    async fn handle(self: Rc<Self>, call: Call, request: Request) {
        let Some(call) = call.begin() else { return };
        let (job, mut watch) = Job::new(request);
        match self.thread.handle(job) {
            Ok(()) => {}
            Err(NotTaken::Full) => {
                return call.overload("too many requests wait for a thread of the App");
            }
            Err(NotTaken::Gone) => return call.refuse(),
        }
        // The key is given back only when nothing of the request runs any more.
        let _running = call.stay();
        let mut begun = true;
        let answer = async {
            match (&mut watch.outcome).await {
                Ok(Outcome::Answered(answer)) => answer,
                Ok(Outcome::NotBegun) => {
                    begun = false;
                    Ok(Response::new(503))
                }
                Err(_gone) => Err(HandlerError::new("the App's thread ended")),
            }
        };
        let answered = call.attend(answer).await;
        if !begun {
            call.refuse();
        } else if let Some(response) = answered {
            call.respond(response).await;
        }
        watch.over().await;
    }
}

impl Resource for KeyThread {
    fn take(self: Rc<Self>, call: Call, request: Request) {
        actix_rt::spawn(self.handle(call, request));
    }

    fn refuse_waiting(&self) {}

    fn tell_closing(self: Rc<Self>, reason: ReleaseReason) -> LocalBoxFuture<'static, ()> {
        if self.has_closing {
            self.thread.close(self.grant.clone(), reason).boxed_local()
        } else {
            nothing()
        }
    }

    fn stop(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        nothing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_place_and_many_keys_have_all_places() {
        let keys: Vec<String> = (0..64).map(|number| format!("/db/{number}")).collect();
        let places = |count| keys.iter().map(move |key| place(key, count));
        assert!(places(3).eq(places(3)));
        let mut used: Vec<_> = places(3).collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used, [0, 1, 2]);
    }
}
