//! A world that is played: one actor, alive for as long as this worker owns the key of the world. It
//! lets time pass 20 times a second, tells every player what came of it, and keeps it safe. The
//! rules of the game are [`World`]'s.
//!
//! It begins by entering the folder of the world as the owner under the epoch of its grant, and never
//! acts without one: each tick asks whether the grant is in force, each save is compared with the
//! fence. When the key is to go, it stands still, saves, and tells its players to come again, all
//! at once; [`Finish`] waits for the save.

mod messages;
mod saving;
mod seats;
mod ticking;

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, ResponseActFuture, SpawnHandle,
    WrapFuture,
};
use constellation_client::Grant;
use tokio::sync::oneshot;

pub(crate) use self::{
    messages::{Finish, Join, JoinError, Leave, Look, Steer},
    ticking::TICK,
};
use self::{saving::Safe, seats::Seats, ticking::Ticks};
use crate::{
    keeper::{Keeper, KeeperError},
    wire,
    world::{Limits, World, snapshot::Snapshot},
    world_name::WorldName,
};

/// How many messages of players may wait. Steering that comes on top is dropped.
const MAILBOX: usize = 1_024;

/// What all worlds of a worker have in common.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The name of the worker.
    pub(crate) worker: Arc<str>,
    /// The folder of all worlds.
    pub(crate) data: Arc<PathBuf>,
    /// How many players a world takes.
    pub(crate) limits: Limits,
    /// The most messages a second of one player.
    pub(crate) messages_per_second_max: u32,
    /// The least time between two saves of what must not be lost.
    pub(crate) save_interval: Duration,
}

/// The actor of a world.
#[derive(Debug)]
pub(crate) struct LiveWorld {
    name: WorldName,
    grant: Grant,
    setup: Setup,
    owner: wire::Owner,
    /// `None` until it is read.
    world: Option<World>,
    seats: Seats,
    safe: Safe,
    ticks: Ticks,
    ticking: Option<SpawnHandle>,
    /// It stands still for good.
    frozen: bool,
    /// Who waits until everything is saved.
    finishing: Vec<oneshot::Sender<()>>,
}

impl LiveWorld {
    /// The world of this name, owned under this grant.
    pub(crate) fn new(name: WorldName, grant: Grant, setup: Setup) -> Self {
        let owner = wire::Owner {
            worker: setup.worker.to_string(),
            process: std::process::id(),
            epoch: grant.epoch().get(),
        };
        Self {
            name,
            grant,
            setup,
            owner,
            world: None,
            seats: Seats::default(),
            safe: Safe::default(),
            ticks: Ticks::default(),
            ticking: None,
            frozen: false,
            finishing: Vec::new(),
        }
    }

    /// Reads the world, or makes it; players wait meanwhile.
    fn load(&self, context: &mut Context<Self>) {
        let (data, name) = (Arc::clone(&self.setup.data), self.name.clone());
        let epoch = self.grant.epoch();
        let opened = actix_rt::task::spawn_blocking(move || Keeper::open(&data, &name, epoch));
        context.wait(opened.into_actor(self).map(|opened, world, context| {
            let loaded = match opened {
                Ok(opened) => opened.and_then(|(keeper, kept)| world.begin(keeper, kept)),
                Err(panicked) => {
                    log::error!(
                        "world {} could not be read: {panicked}",
                        world.name.as_str()
                    );
                    context.stop();
                    return;
                }
            };
            if let Err(error) = loaded {
                let name = world.name.as_str();
                log::error!(error:?; "world {name} cannot be played: {error}");
                context.stop();
            }
        }));
    }

    fn begin(&mut self, keeper: Keeper, kept: Option<Snapshot>) -> Result<(), KeeperError> {
        let limits = self.setup.limits;
        let world = match kept {
            Some(kept) => World::restore(kept, limits)?,
            None => World::new(self.name.seed(), limits),
        };
        self.safe.begin(keeper, &world);
        let (name, epoch, tick) = (self.name.as_str(), self.owner.epoch, world.tick());
        log::info!("world {name} goes on from tick {tick} under epoch {epoch}");
        self.world = Some(world);
        Ok(())
    }

    /// Stands still from now on, saves, and sends the players to whoever owns the world next.
    fn freeze(&mut self, context: &mut Context<Self>) {
        if self.frozen {
            return;
        }
        self.frozen = true;
        self.stop_ticking(context);
        self.save_if_dirty(context);
        self.seats.send_away();
    }

    /// Ends when it has been asked to and nothing is left to be saved.
    fn settle(&mut self, context: &mut Context<Self>) {
        if self.finishing.is_empty() {
            return;
        }
        self.save_if_dirty(context);
        if !self.safe.is_saving() {
            context.stop();
        }
    }
}

impl Actor for LiveWorld {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX);
        let leaving = self.grant.leaving().into_actor(self);
        context.spawn(leaving.map(|(), world, context| world.freeze(context)));
        self.load(context);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.seats.send_away();
        for finished in self.finishing.drain(..) {
            let _nobody_waits = finished.send(());
        }
        let (name, epoch, ticks) = (self.name.as_str(), self.owner.epoch, self.ticks);
        log::info!("world {name} has ended here, under epoch {epoch}: {ticks}");
    }
}

impl actix::Handler<Finish> for LiveWorld {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Finish, context: &mut Self::Context) -> Self::Result {
        let (finished, finish) = oneshot::channel();
        self.finishing.push(finished);
        self.freeze(context);
        self.settle(context);
        Box::pin(async { _ = finish.await }.into_actor(self))
    }
}
