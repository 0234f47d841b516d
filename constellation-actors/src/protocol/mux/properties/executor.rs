//! A single-threaded executor that polls a task only when it was woken, in an order drawn from a
//! seed. What is never woken again stays where it is: that is how a lost wake-up shows.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

type Local = Pin<Box<dyn Future<Output = ()>>>;

/// Numbers drawn from a seed (G. Marsaglia, "Xorshift RNGs", 2003).
#[derive(Clone)]
pub(super) struct Draw(Rc<RefCell<u64>>);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(seed | 1)))
    }

    /// A number below `bound`.
    pub(super) fn below(&self, bound: usize) -> usize {
        let mut state = self.0.borrow_mut();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 16) as usize % bound
    }
}

/// Where tasks begin tasks.
#[derive(Clone, Default)]
pub(super) struct Spawner(Rc<RefCell<Vec<Local>>>);

impl Spawner {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.borrow_mut().push(Box::pin(task));
    }
}

struct Ready {
    task: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        let mut woken = self.woken.lock().unwrap();
        if !woken.contains(&self.task) {
            woken.push(self.task);
        }
    }
}

#[derive(Default)]
pub(super) struct Executor {
    pub(super) spawner: Spawner,
    tasks: Vec<Option<(Local, Waker)>>,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Executor {
    /// Polls woken tasks until there are none.
    pub(super) fn run(&mut self, draw: &Draw) {
        for _ in 0..1_000_000 {
            self.adopt();
            let Some(task) = self.draw_woken(draw) else {
                return;
            };
            let Some((future, waker)) = &mut self.tasks[task] else {
                continue;
            };
            let poll = future.as_mut().poll(&mut Context::from_waker(waker));
            if poll.is_ready() {
                self.tasks[task] = None;
            }
        }
        panic!("the tasks wake each other without end");
    }

    fn adopt(&mut self) {
        for future in self.spawner.0.take() {
            let task = self.tasks.len();
            let woken = self.woken.clone();
            let waker = Waker::from(Arc::new(Ready { task, woken }));
            waker.wake_by_ref();
            self.tasks.push(Some((future, waker)));
        }
    }

    fn draw_woken(&self, draw: &Draw) -> Option<usize> {
        let mut woken = self.woken.lock().unwrap();
        if woken.is_empty() {
            return None;
        }
        let at = draw.below(woken.len());
        Some(woken.swap_remove(at))
    }
}

/// Lets other tasks go first.
pub(super) async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
