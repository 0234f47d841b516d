//! The worker as an actor: started, asked and drained by messages. It has no part in connections
//! and requests, which run beside it.

use std::{fmt, io, rc::Rc, sync::Arc, time::Duration};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, Recipient,
    ResponseActFuture, ResponseFuture, WrapFuture,
};
use actix_rt::task::JoinHandle;
use constellation_actors::{
    ownership::input::Input,
    placement::{epoch::Epoch, key::ResourceKey, worker::WorkerId},
};
use futures::{
    FutureExt,
    future::{join_all, select},
};

use crate::{
    connection,
    dispatch::Dispatch,
    domain::{Domain, keep_time},
    drain::{Drained, leave},
    event::{Events, WorkerEvent},
    settings::{ControllerUrl, Settings},
};

/// A worker: an actor that an actix system starts and sends messages to.
///
/// It runs in the thread that starts it, together with its handlers. It lives on when its address
/// is dropped, until it is drained or stopped, or its system ends.
pub struct WorkerClient {
    settings: Rc<Settings>,
    domains: Vec<Rc<Domain>>,
    events: Rc<Events>,
    dispatch: Rc<dyn Dispatch>,
    tasks: Vec<JoinHandle<()>>,
}

/// Gives every key back in order, says goodbye to every controller, and answers when that is done.
///
/// The worker takes no further keys, and serves those it has until their controller takes them, a
/// few at a time. What no controller takes within two seconds it gives back by itself, and what is
/// left after the `drain_timeout` as well. The running requests of each key then have the
/// `drain_timeout` to finish. It goes on to answer messages until it is stopped.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Drained")]
pub struct Drain;

/// Like [`Drain`], but running requests are cancelled at once, and the actor then stops.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Drained")]
pub struct Stop;

/// Asks for the keys that are held.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<OwnedKey>")]
pub struct Owned;

/// A held key, as [`Owned`] is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedKey {
    /// The key.
    pub key: ResourceKey,
    /// The epoch of the ownership.
    pub epoch: Epoch,
    /// The address of the controller that granted it.
    pub controller: Arc<str>,
    /// Whether requests for it are running or waiting.
    pub busy: bool,
}

/// Asks how the worker stands with each controller.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<ControllerStatus>")]
pub struct Status;

/// How a worker stands with one controller, as [`Status`] is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerStatus {
    /// The controller's address.
    pub controller: Arc<str>,
    /// The connection to it.
    pub connection: ConnectionStatus,
    /// How much longer the worker may act on its keys, unless it renews; `None` when it may not.
    pub lease_left: Option<Duration>,
    /// How many keys it holds from it.
    pub keys: usize,
}

/// A connection to a controller, as [`Status`] tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// There is none; the worker keeps trying.
    Connecting {
        /// Why the last one ended, or the last attempt failed. For people.
        trouble: Option<String>,
    },
    /// There is one.
    Connected {
        /// The controller's number for it.
        session: u64,
    },
    /// There is none, and there will not be one: the worker is drained.
    Finished,
}

/// Asks for [`WorkerEvent`]s from now on.
///
/// Nothing waits for a subscriber: events that find its mailbox full are lost to it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Subscribe(pub Recipient<WorkerEvent>);

impl fmt::Debug for Subscribe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Subscribe").finish_non_exhaustive()
    }
}

impl WorkerClient {
    pub(crate) fn new(
        settings: Settings,
        controllers: Vec<ControllerUrl>,
        dispatch: &Rc<dyn Dispatch>,
    ) -> Self {
        let settings = Rc::new(settings);
        let events = Rc::new(Events::default());
        let domains = controllers.into_iter().map(|controller| {
            let settings = Rc::clone(&settings);
            Domain::new(
                settings,
                controller,
                Rc::clone(dispatch),
                Rc::clone(&events),
            )
        });
        Self {
            domains: domains.collect(),
            settings,
            events,
            dispatch: Rc::clone(dispatch),
            tasks: Vec::new(),
        }
    }

    /// The worker's id.
    #[must_use]
    pub fn id(&self) -> WorkerId {
        self.settings.worker
    }

    /// Starts the worker and runs it until the process is told to end (SIGTERM or SIGINT), then
    /// drains it. A second signal cuts the drain short: running requests are cancelled.
    ///
    /// # Errors
    ///
    /// When signals cannot be listened for, or a hosted `App` cannot be made.
    ///
    /// # Panics
    ///
    /// Outside an actix system, such as `#[actix::main]` makes one.
    pub async fn run(self) -> io::Result<Drained> {
        let mut signals = Signals::listen()?;
        let prepared = self.dispatch.prepare().await;
        prepared.map_err(|error| io::Error::other(error.to_string()))?;
        let address = self.start();
        signals.next().await;
        log::info!("told to end, draining");
        let drained = address.send(Drain);
        let stopped = signals.next().then(|()| address.send(Stop));
        let outcome = select(drained.boxed_local(), stopped.boxed_local())
            .await
            .factor_first()
            .0;
        let outcome = outcome.unwrap_or_default();
        // What is left is the actor itself, which has nothing to do any more.
        let _stopped = address.send(Stop).await;
        Ok(outcome)
    }

    fn leave(&self, how: &Input) -> impl Future<Output = Drained> + use<> {
        let drains: Vec<_> = self
            .domains
            .iter()
            .map(|domain| leave(Rc::clone(domain), how.clone()))
            .collect();
        join_all(drains).map(|drained| drained.into_iter().fold(Drained::default(), Drained::and))
    }
}

impl Actor for WorkerClient {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let prepared = prepare(&*self.dispatch).shared();
        for domain in &self.domains {
            self.tasks
                .push(actix_rt::spawn(keep_time(Rc::clone(domain))));
            self.tasks.push(actix_rt::spawn(connect(
                Rc::clone(domain),
                prepared.clone(),
            )));
        }
        // Keeps the actor alive without an address, as long as there is something to do.
        let domains = self.domains.clone();
        let finished = async move {
            for domain in domains {
                domain.finished().await;
            }
        };
        context.spawn(finished.into_actor(self));
    }

    fn stopped(&mut self, _context: &mut Self::Context) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Handler<Drain> for WorkerClient {
    type Result = ResponseFuture<Drained>;

    fn handle(&mut self, _: Drain, _context: &mut Self::Context) -> Self::Result {
        self.leave(&Input::Drain).boxed_local()
    }
}

impl Handler<Stop> for WorkerClient {
    type Result = ResponseActFuture<Self, Drained>;

    fn handle(&mut self, _: Stop, _context: &mut Self::Context) -> Self::Result {
        let stopping = self.leave(&Input::Stop).into_actor(self);
        Box::pin(stopping.map(|drained, _, context| {
            context.stop();
            drained
        }))
    }
}

impl Handler<Owned> for WorkerClient {
    type Result = Vec<OwnedKey>;

    fn handle(&mut self, _: Owned, _context: &mut Self::Context) -> Self::Result {
        self.domains
            .iter()
            .flat_map(|domain| domain.owned())
            .map(|holding| OwnedKey {
                key: holding.grant().key().clone(),
                epoch: holding.grant().epoch(),
                controller: holding.grant().controller().into(),
                busy: holding.running() > 0,
            })
            .collect()
    }
}

impl Handler<Status> for WorkerClient {
    type Result = Vec<ControllerStatus>;

    fn handle(&mut self, _: Status, _context: &mut Self::Context) -> Self::Result {
        self.domains.iter().map(|domain| status(domain)).collect()
    }
}

impl Handler<Subscribe> for WorkerClient {
    type Result = ();

    fn handle(&mut self, Subscribe(subscriber): Subscribe, _context: &mut Self::Context) {
        self.events.subscribe(subscriber);
    }
}

/// Gets what handles the requests ready; tells whether it is.
fn prepare(dispatch: &dyn Dispatch) -> impl Future<Output = bool> + use<> {
    dispatch.prepare().map(|prepared| match prepared {
        Ok(()) => true,
        Err(error) => {
            log::error!(error:%; "the worker cannot handle anything and does not begin");
            false
        }
    })
}

/// Keeps `domain` connected, once requests can be handled.
async fn connect(domain: Rc<Domain>, prepared: impl Future<Output = bool>) {
    if prepared.await {
        connection::run(domain).await;
    } else {
        domain.handle(Input::Stop);
        domain.finish();
    }
}

fn status(domain: &Domain) -> ControllerStatus {
    let connection = match domain.session() {
        Some(session) => ConnectionStatus::Connected {
            session: session.number(),
        },
        None if domain.is_serving() => ConnectionStatus::Connecting {
            trouble: domain.trouble(),
        },
        None => ConnectionStatus::Finished,
    };
    ControllerStatus {
        controller: Arc::clone(domain.controller().text()),
        connection,
        lease_left: domain.lease_left(),
        keys: domain.owned().len(),
    }
}

impl fmt::Debug for WorkerClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WorkerClient")
            .field("settings", &self.settings)
            .field("domains", &self.domains)
            .finish_non_exhaustive()
    }
}

/// The signals that tell a process to end.
struct Signals {
    #[cfg(unix)]
    terminate: actix_rt::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: actix_rt::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use actix_rt::signal::unix::{SignalKind, signal};

        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        let terminate = std::pin::pin!(self.terminate.recv());
        let interrupt = std::pin::pin!(self.interrupt.recv());
        select(terminate, interrupt).await;
    }
}

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        if let Err(error) = actix_rt::signal::ctrl_c().await {
            log::error!(error:%; "signals cannot be listened for, the worker runs on");
            std::future::pending::<()>().await;
        }
    }
}
