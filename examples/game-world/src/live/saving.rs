//! Keeping a world safe: what must not be lost at once, but not more often than the interval; where
//! players are, less often. One save at a time, on a thread that may block. A world whose save is
//! refused has another owner, and ends here.

use std::time::Duration;

use actix::{ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::time::Instant;

use super::LiveWorld;
use crate::{
    clock,
    keeper::{Keeper, KeeperError},
    world::World,
};

/// How long it may take until a mere movement is saved.
const MOVEMENT_INTERVAL: Duration = Duration::from_secs(1);

/// What is safe.
#[derive(Debug, Default)]
pub(super) struct Safe {
    /// `None` while it is writing, and before the world is read.
    keeper: Option<Keeper>,
    saving: bool,
    saved: Mark,
    /// When the last save began.
    last: Option<Instant>,
    /// A save failed since the last one that did not.
    failing: bool,
    /// Whether a save has begun since the world stands still.
    last_begun: bool,
    failures: u64,
}

/// How far a world had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    revision: u64,
    moved: u64,
}

impl Mark {
    fn of(world: &World) -> Self {
        Self {
            revision: world.revision(),
            moved: world.moved(),
        }
    }
}

impl Safe {
    /// A world begins that is kept as it is, or that would be made anew as it is.
    pub(super) fn begin(&mut self, keeper: Keeper, world: &World) {
        self.keeper = Some(keeper);
        self.saved = Mark::of(world);
    }

    /// The revision that would survive the loss of this process.
    pub(super) fn revision(&self) -> u64 {
        self.saved.revision
    }

    /// How many saves have failed.
    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    pub(super) fn is_saving(&self) -> bool {
        self.saving
    }

    fn is_due(&self, world: &World, interval: Duration, now: Instant) -> bool {
        let waited = |time| {
            self.last
                .is_none_or(|last| now.saturating_duration_since(last) >= time)
        };
        let earned = world.revision() > self.saved.revision;
        let moved = world.moved() > self.saved.moved;
        (earned && waited(interval)) || (moved && waited(MOVEMENT_INTERVAL.max(interval)))
    }
}

impl LiveWorld {
    /// Saves if it is time to.
    pub(super) fn save_when_due(&mut self, now: Instant, context: &mut Context<Self>) {
        let interval = self.setup.save_interval;
        let world = self.world.as_ref();
        if world.is_some_and(|world| self.safe.is_due(world, interval, now)) {
            self.save(context);
        }
    }

    /// Saves whatever is not saved, now. What could not be saved since the world stands still is not
    /// tried again.
    pub(super) fn save_if_dirty(&mut self, context: &mut Context<Self>) {
        let dirty = |world| Mark::of(world) != self.safe.saved;
        if self.world.as_ref().is_some_and(dirty) && !(self.safe.last_begun && self.safe.failing) {
            self.save(context);
        }
    }

    fn save(&mut self, context: &mut Context<Self>) {
        // An owner whose lease is over leaves the world to the next one.
        if !self.grant.is_in_force() {
            return;
        }
        let Some(world) = &self.world else {
            return;
        };
        let Some(mut keeper) = self.safe.keeper.take() else {
            return;
        };
        self.safe.saving = true;
        self.safe.last_begun = self.frozen;
        self.safe.last = Some(clock::now());
        let (mark, snapshot) = (Mark::of(world), world.snapshot());
        let written = actix_rt::task::spawn_blocking(move || {
            let outcome = keeper.save(&snapshot);
            (keeper, outcome)
        });
        context.spawn(
            written
                .into_actor(self)
                .map(move |written, world, context| {
                    world.safe.saving = false;
                    match written {
                        Ok((keeper, outcome)) => {
                            world.safe.keeper = Some(keeper);
                            world.note_save(mark, outcome, context);
                        }
                        Err(panicked) => {
                            log::error!(
                                "world {} lost its keeper: {panicked}",
                                world.name.as_str()
                            );
                            context.stop();
                        }
                    }
                    world.settle(context);
                }),
        );
    }

    fn note_save(
        &mut self,
        mark: Mark,
        outcome: Result<(), KeeperError>,
        context: &mut Context<Self>,
    ) {
        let name = self.name.as_str();
        match outcome {
            Ok(()) => {
                self.safe.saved = mark;
                self.safe.failing = false;
            }
            Err(error) => {
                self.safe.failures += 1;
                self.safe.failing = true;
                log::error!(error:?; "world {name} was not saved: {error}");
                if error.is_refusal() {
                    self.freeze(context);
                    context.stop();
                }
            }
        }
    }
}
