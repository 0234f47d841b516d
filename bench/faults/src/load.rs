//! Clients: each sends one request after the other over a connection that it keeps. They never send a
//! request again, so that every repetition is somebody else's.

mod answer;
mod connection;

use std::{cell::Cell, rc::Rc, time::Duration};

use tokio::{task::JoinSet, time::sleep};

use self::answer::understand;
pub(crate) use self::connection::Connection;
use crate::{
    clock::now,
    history::{Answer, History, Operation, OperationKind},
    names::{Key, RequestId},
    random::Random,
};

/// How long a client waits for a controller that is not there, before its next request.
const ABSENCE: Duration = Duration::from_millis(50);

/// The header that names the worker that was chosen.
const WORKER: &str = "x-worker";

/// What clients do.
#[derive(Clone, Debug)]
pub(crate) struct LoadPlan {
    /// The controller's port.
    pub(crate) port: u16,
    /// The keys they ask for.
    pub(crate) keys: u32,
    /// How many clients there are.
    pub(crate) clients: usize,
    /// How long each rests after an answer.
    pub(crate) rest: Duration,
    /// What the choice of keys is drawn from.
    pub(crate) seed: u64,
}

/// Running clients.
#[derive(Debug)]
pub(crate) struct Load {
    stopping: Rc<Cell<bool>>,
    clients: JoinSet<()>,
}

impl Load {
    /// Starts the clients.
    pub(crate) fn start(plan: &LoadPlan, history: &Rc<History>) -> Self {
        let stopping = Rc::new(Cell::new(false));
        let mut clients = JoinSet::new();
        for number in 0..plan.clients {
            let client = Client::new(plan.port, Rc::clone(history));
            let random = Random::new(plan.seed, 1_000 + number as u64);
            clients.spawn_local(run(client, plan.clone(), random, Rc::clone(&stopping)));
        }
        Self { stopping, clients }
    }

    /// Lets every client finish its request, and ends them.
    pub(crate) async fn end(mut self) {
        self.stopping.set(true);
        while self.clients.join_next().await.is_some() {}
    }
}

async fn run(mut client: Client, plan: LoadPlan, mut random: Random, stopping: Rc<Cell<bool>>) {
    while !stopping.get() {
        let key = Key(u32::try_from(random.below(plan.keys as usize)).unwrap_or(0));
        let kind = if random.below(2) == 0 {
            OperationKind::Write
        } else {
            OperationKind::Read
        };
        let answer = client.ask(kind, key, "").await;
        sleep(if answer == Answer::Unsent {
            ABSENCE
        } else {
            plan.rest
        })
        .await;
    }
}

/// A client. What it sees is kept.
#[derive(Debug)]
pub(crate) struct Client {
    connection: Connection,
    history: Rc<History>,
    worker: Option<String>,
}

impl Client {
    pub(crate) fn new(port: u16, history: Rc<History>) -> Self {
        Self {
            connection: Connection::new(port),
            history,
            worker: None,
        }
    }

    /// The worker that answered last, if one did.
    pub(crate) fn worker(&self) -> Option<&str> {
        self.worker.as_deref()
    }

    /// Sends one request, with `more` in its query, and waits for the answer.
    pub(crate) async fn ask(&mut self, kind: OperationKind, key: Key, more: &str) -> Answer {
        self.ask_as(self.history.next_id(), kind, key, more).await
    }

    /// The same, under an id that was drawn before.
    pub(crate) async fn ask_as(
        &mut self,
        id: RequestId,
        kind: OperationKind,
        key: Key,
        more: &str,
    ) -> Answer {
        let method = match kind {
            OperationKind::Write => "POST",
            OperationKind::Read => "GET",
        };
        let target = format!("{}?id={id}{more}", key.path());
        let start = now();
        let reply = self.connection.request(method, &target, "").await;
        let answer = understand(&reply);
        let worker = reply.as_ref().ok().and_then(|reply| reply.header(WORKER));
        self.worker = worker.map(str::to_owned);
        self.history.keep(Operation {
            id,
            key,
            kind,
            start,
            end: now(),
            answer: answer.clone(),
        });
        answer
    }
}
