//! Says what a worker is to be. What is said is checked when the handler is given, the last step.

use std::{collections::BTreeMap, fmt, future::Future, rc::Rc, time::Duration};

use actix::{Actor, Context, Handler};
use constellation_actors::{
    placement::{
        pattern::Pattern,
        worker::{Incarnation, WorkerId},
    },
    protocol::handshake::{ENTRIES_MAX, TEXT_BYTES_MAX},
};
use uuid::Uuid;

use crate::{
    client::WorkerClient,
    clock::Clock,
    dispatch::{
        Dispatch,
        actor::{Actors, Closing, Concurrency},
        function::Function,
    },
    error::BuildError,
    grant::Grant,
    request::Request,
    response::IntoResponse,
    settings::{ControllerUrl, Settings, Token},
};

/// Where the making of a worker begins.
#[derive(Clone, Copy, Debug)]
pub struct Worker;

impl Worker {
    /// Begins to make a worker.
    pub fn builder() -> WorkerBuilder {
        WorkerBuilder::default()
    }
}

/// What a worker is to be. Its `Debug` hides the token.
#[derive(Clone)]
#[must_use = "a worker is made by its handler or its actor"]
pub struct WorkerBuilder {
    controllers: Vec<String>,
    id: Option<WorkerId>,
    name: String,
    labels: BTreeMap<String, String>,
    capacity: Option<u32>,
    serves: Vec<String>,
    token: Option<String>,
    handler_timeout: Duration,
    drain_timeout: Duration,
    tunnel_goodbye: Duration,
    closing_timeout: Duration,
    queue_per_key_max: usize,
    concurrent: bool,
    clock: Option<Clock>,
    #[cfg(feature = "hosting")]
    pub(crate) hosting: crate::hosting::Options,
}

impl Default for WorkerBuilder {
    fn default() -> Self {
        Self {
            controllers: Vec::new(),
            id: None,
            name: String::new(),
            labels: BTreeMap::new(),
            capacity: None,
            serves: Vec::new(),
            token: None,
            handler_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
            tunnel_goodbye: Duration::from_millis(200),
            closing_timeout: Duration::from_secs(10),
            queue_per_key_max: 1_000,
            concurrent: false,
            clock: None,
            #[cfg(feature = "hosting")]
            hosting: crate::hosting::Options::default(),
        }
    }
}

impl WorkerBuilder {
    /// Adds a controller by the address of its workers' port, such as `ws://localhost:8001`. May
    /// be repeated.
    ///
    /// Each controller is a domain of its own, with its own lease and its own keys. Controllers
    /// that do not share a store may both grant the same key, to this worker or to two; nothing
    /// is promised across them.
    pub fn controller(mut self, url: impl Into<String>) -> Self {
        self.controllers.push(url.into());
        self
    }

    /// The worker's id, stable over restarts. Default: a random one.
    pub fn id(mut self, id: WorkerId) -> Self {
        self.id = Some(id);
        self
    }

    /// A name for people, at most 256 bytes. Default: empty.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds a label for people and tools. At most 64, each text at most 256 bytes.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Adds a pattern of the keys it serves, such as `/db/**`. At most 64. Default: every key.
    pub fn serves(mut self, pattern: impl Into<String>) -> Self {
        self.serves.push(pattern.into());
        self
    }

    /// The most keys it takes from each controller. Default: no limit.
    pub fn capacity(mut self, keys_max: u32) -> Self {
        self.capacity = Some(keys_max);
        self
    }

    /// The credential that controllers ask for, sent as `Authorization: Bearer`. Default: none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How long a handler may take until its response begins; then the client gets a 504. Default
    /// 30 s.
    ///
    /// A function's future is dropped at that moment. An actor cannot be interrupted: the wait for
    /// it ends, [`Request::cancelled`] tells it, and the next request of the key goes to it.
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handler_timeout = timeout;
        self
    }

    /// How long running requests may go on when their key is given back in order, before they are
    /// cancelled. When the worker is drained, also how long its controller may take its keys; so
    /// with requests that run long a drain may take twice as long. Default 30 s.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// How long a tunnel may go on when its key is given back in order, so that it can say goodbye;
    /// [`Request::leaving`] tells it. What it has said then is still sent, for as long again at
    /// most. Then the tunnel ends, and its client is told to connect again. Default 200 ms.
    ///
    /// Other requests may run on for the time of [`drain_timeout`](Self::drain_timeout). The key
    /// moves when both are over.
    pub fn tunnel_goodbye(mut self, time: Duration) -> Self {
        self.tunnel_goodbye = time;
        self
    }

    /// How long an actor may take to handle [`Closing`], before it is stopped. Default 10 s.
    pub fn closing_timeout(mut self, timeout: Duration) -> Self {
        self.closing_timeout = timeout;
        self
    }

    /// The most requests that wait for one key's actor; more are sent back as overload. Default
    /// 1,000.
    pub fn queue_per_key_max(mut self, requests: usize) -> Self {
        self.queue_per_key_max = requests;
        self
    }

    /// Lets an actor have all requests of its key as they come. Default: one at a time.
    pub fn concurrent(mut self) -> Self {
        self.concurrent = true;
        self
    }

    /// The clock it goes by. Default: the monotonic clock of the process.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Makes a worker whose requests are all handled by `function`, in the thread that starts the
    /// worker, all at once.
    ///
    /// # Errors
    ///
    /// When something that was said does not hold up, with the thing and the reason.
    pub fn handler<F, A>(self, function: F) -> Result<WorkerClient, BuildError>
    where
        F: Fn(Request) -> A + 'static,
        A: Future<Output: IntoResponse> + 'static,
    {
        self.build(Rc::new(Function::new(function)))
    }

    /// Makes a worker with one actor for each key it owns, made by `factory` at the key's first
    /// request, in the thread that starts the worker.
    ///
    /// Requests of one key are handled one at a time, those of different keys side by side. An
    /// actor that panics fails its request and is made anew at the next one. The actor is told
    /// [`Closing`] before the key goes, and stopped after that.
    ///
    /// An actor whose handler answers with [`actix::ResponseFuture`] hands that future to the
    /// system: it is not stopped with the actor, and should watch [`Request::cancelled`].
    /// [`actix::ResponseActFuture`] and [`actix::AtomicResponse`] stay in the actor and end with
    /// it.
    ///
    /// # Errors
    ///
    /// When something that was said does not hold up, with the thing and the reason.
    pub fn actor<F, A>(self, factory: F) -> Result<WorkerClient, BuildError>
    where
        F: Fn(Grant) -> A + 'static,
        A: Actor<Context = Context<A>> + Handler<Request> + Handler<Closing>,
    {
        let concurrency = if self.concurrent {
            Concurrency::Unlimited
        } else {
            Concurrency::OneAtATime {
                waiting_max: self.queue_per_key_max,
            }
        };
        self.build(Rc::new(Actors::new(factory, concurrency)))
    }

    pub(crate) fn build(self, dispatch: Rc<dyn Dispatch>) -> Result<WorkerClient, BuildError> {
        let controllers = self.check_controllers()?;
        let settings = self.check()?;
        Ok(WorkerClient::new(settings, controllers, &dispatch))
    }

    fn check_controllers(&self) -> Result<Vec<ControllerUrl>, BuildError> {
        if self.controllers.is_empty() {
            return Err(BuildError::NoController);
        }
        let mut controllers: Vec<ControllerUrl> = Vec::with_capacity(self.controllers.len());
        for text in &self.controllers {
            let url = ControllerUrl::parse(text)?;
            if controllers.iter().any(|other| other.is_same_as(&url)) {
                return Err(BuildError::Twice { url: text.clone() });
            }
            controllers.push(url);
        }
        Ok(controllers)
    }

    fn check(self) -> Result<Settings, BuildError> {
        check_text("name", &self.name)?;
        check_entries("labels", self.labels.len())?;
        check_entries("patterns", self.serves.len())?;
        for text in self.labels.iter().flat_map(|(name, value)| [name, value]) {
            check_text("a label", text)?;
        }
        check_number("capacity", self.capacity != Some(0))?;
        check_number("queue_per_key_max", self.queue_per_key_max > 0)?;
        check_number("handler_timeout", !self.handler_timeout.is_zero())?;
        let serves = self.serves.iter().map(|text| Pattern::parse(text));
        Ok(Settings {
            worker: self.id.unwrap_or_else(|| WorkerId::new(Uuid::new_v4())),
            incarnation: Incarnation::new(Uuid::new_v4()),
            name: self.name,
            labels: self.labels,
            capacity: self.capacity,
            serves: serves.collect::<Result<_, _>>()?,
            token: self.token.as_deref().map(Token::parse).transpose()?,
            handler_timeout: self.handler_timeout,
            drain_timeout: self.drain_timeout,
            tunnel_goodbye: self.tunnel_goodbye,
            closing_timeout: self.closing_timeout,
            queue_per_key_max: self.queue_per_key_max,
            clock: self.clock.unwrap_or_default(),
        })
    }
}

impl fmt::Debug for WorkerBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WorkerBuilder")
            .field("controllers", &self.controllers)
            .field("id", &self.id)
            .field("name", &self.name)
            .field("labels", &self.labels)
            .field("capacity", &self.capacity)
            .field("serves", &self.serves)
            .field("token", &self.token.as_ref().map(|_| "hidden"))
            .finish_non_exhaustive()
    }
}

fn check_text(member: &'static str, text: &str) -> Result<(), BuildError> {
    let bytes = text.len();
    if bytes > TEXT_BYTES_MAX {
        Err(BuildError::TooLong { member, bytes })
    } else {
        Ok(())
    }
}

fn check_entries(member: &'static str, entries: usize) -> Result<(), BuildError> {
    if entries > ENTRIES_MAX {
        Err(BuildError::TooMany { member, entries })
    } else {
        Ok(())
    }
}

pub(crate) fn check_number(member: &'static str, holds: bool) -> Result<(), BuildError> {
    if holds {
        Ok(())
    } else {
        Err(BuildError::Zero { member })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::Response;

    fn refused(builder: WorkerBuilder) -> String {
        builder
            .handler(async |_| Response::ok())
            .unwrap_err()
            .to_string()
    }

    fn sound() -> WorkerBuilder {
        Worker::builder().controller("ws://localhost:8001")
    }

    #[test]
    fn what_does_not_hold_up_is_refused_by_name() {
        assert!(sound().handler(async |_| Response::ok()).is_ok());
        assert!(refused(Worker::builder()).contains("controller"));
        assert!(refused(sound().controller("ws://localhost:8001")).contains("twice"));
        assert!(refused(sound().controller("ws://LOCALHOST:8001/")).contains("twice"));
        assert!(refused(sound().controller("wss://localhost:8001")).contains("TLS"));
        assert!(refused(sound().serves("db")).contains("serves"));
        assert!(refused(sound().capacity(0)).contains("capacity"));
        assert!(refused(sound().queue_per_key_max(0)).contains("queue_per_key_max"));
        assert!(refused(sound().handler_timeout(Duration::ZERO)).contains("handler_timeout"));
        assert!(refused(sound().name("x".repeat(257))).contains("name"));
        assert!(refused(sound().label("x", "x".repeat(257))).contains("label"));
        let many = (0..65).fold(sound(), |builder, n| builder.label(n.to_string(), ""));
        assert!(refused(many).contains("labels"));
        assert!(refused(sound().token("")).contains("token"));
    }

    #[test]
    fn a_builder_does_not_print_its_token() {
        let printed = format!("{:?}", sound().token("opensesame"));
        assert!(printed.contains("hidden") && !printed.contains("opensesame"));
    }
}
