//! What the tests share: controllers, clients, handlers under a test's control, and deadlines.

use std::{future::Future, time::Duration};

use actix::{Actor, Addr, Context, Handler};
use constellation_client::{
    ConnectionStatus, ControllerStatus, Owned, OwnedKey, Status, Subscribe, WorkerClient,
    WorkerEvent,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) mod behaviour;
#[cfg(unix)]
pub(crate) mod companion;
pub(crate) mod controller;
pub(crate) mod gate;
pub(crate) mod http;
pub(crate) mod relay;
pub(crate) mod script;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks at a condition that nothing announces.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Waits for `future`, not for ever.
#[track_caller]
pub(crate) fn soon<F: Future>(what: &str, future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(output) => output,
            Err(_elapsed) => panic!("not within {PATIENCE:?}: {what}, awaited at {caller}"),
        }
    }
}

/// Asks again and again until there is something.
#[track_caller]
pub(crate) fn until<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    soon(what, async move {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    })
}

/// How the worker stands with its controllers.
pub(crate) async fn status(worker: &Addr<WorkerClient>) -> Vec<ControllerStatus> {
    worker.send(Status).await.unwrap()
}

/// The keys of the worker.
pub(crate) async fn owned(worker: &Addr<WorkerClient>) -> Vec<OwnedKey> {
    worker.send(Owned).await.unwrap()
}

/// Waits until the worker is connected to all its controllers.
#[track_caller]
pub(crate) fn connected(worker: &Addr<WorkerClient>) -> impl Future<Output = ()> {
    let worker = worker.clone();
    until("a connection to every controller", async move || {
        let all = status(&worker).await;
        all.iter()
            .all(|one| matches!(one.connection, ConnectionStatus::Connected { .. }))
            .then_some(())
    })
}

/// Passes a worker's events on to a test.
struct Listener(UnboundedSender<WorkerEvent>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<WorkerEvent> for Listener {
    type Result = ();

    fn handle(&mut self, event: WorkerEvent, _: &mut Self::Context) {
        let _test_is_over = self.0.send(event);
    }
}

/// The events of a worker, from now on.
pub(crate) struct Events {
    received: UnboundedReceiver<WorkerEvent>,
    _listener: Addr<Listener>,
}

impl Events {
    pub(crate) async fn of(worker: &Addr<WorkerClient>) -> Self {
        let (sender, received) = unbounded_channel();
        let listener = Listener(sender).start();
        let subscribe = Subscribe(listener.clone().recipient());
        worker.send(subscribe).await.unwrap();
        Self {
            received,
            _listener: listener,
        }
    }

    #[track_caller]
    pub(crate) fn next(&mut self) -> impl Future<Output = WorkerEvent> {
        let next = soon("an event", self.received.recv());
        async { next.await.unwrap() }
    }

    /// The next event that is not about a connection.
    pub(crate) async fn next_of_keys(&mut self) -> WorkerEvent {
        loop {
            match self.next().await {
                WorkerEvent::Connected { .. } | WorkerEvent::Disconnected { .. } => {}
                event @ (WorkerEvent::Granted(_)
                | WorkerEvent::Released { .. }
                | WorkerEvent::LeaseEnded { .. }) => return event,
            }
        }
    }
}
