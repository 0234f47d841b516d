//! What a live world is asked, and how it answers what needs no more than its rules.

use actix::{Addr, AsyncContext, Context, Handler, Message};
use serde::Serialize;

use super::{LiveWorld, TICK};
use crate::{
    socket::{PlayerSocket, Tell},
    wire,
    world::{Full, Heading, PlayerKey, PlayerName, PlayerNumber},
};

/// A player wants in.
#[derive(Debug, Message)]
#[rtype(result = "Result<PlayerNumber, JoinError>")]
pub(crate) struct Join {
    pub(crate) key: PlayerKey,
    pub(crate) name: PlayerName,
    pub(crate) socket: Addr<PlayerSocket>,
}

/// Why a player is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    /// There is no room.
    #[error(transparent)]
    Full(#[from] Full),
    /// Another worker will be asked.
    #[error("the world is about to get another owner")]
    Leaving,
}

/// A player's socket is gone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Leave {
    pub(crate) number: PlayerNumber,
    pub(crate) socket: Addr<PlayerSocket>,
}

/// A player heads somewhere.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Steer {
    pub(crate) number: PlayerNumber,
    pub(crate) heading: Heading,
}

/// Somebody wants to know how the world is.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<View, JoinError>")]
pub(crate) struct Look;

/// How a world is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    world: String,
    owner: wire::Owner,
    tick: u64,
    revision: u64,
    saved: u64,
    ticks_here: u64,
    ticks_late: u64,
    states_skipped: u64,
    saves_failed: u64,
    players: Vec<PlayerView>,
}

/// How a player does.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlayerView {
    number: u32,
    name: String,
    score: u64,
    present: bool,
}

/// The world is played no more, now or for good.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Finish;

impl Handler<Join> for LiveWorld {
    type Result = Result<PlayerNumber, JoinError>;

    fn handle(&mut self, join: Join, context: &mut Context<Self>) -> Self::Result {
        let frozen = self.frozen;
        let world = self.world.as_mut().filter(|_| !frozen);
        let world = world.ok_or(JoinError::Leaving)?;
        let number = world.join(join.key, join.name)?;
        let tick_ms = u64::try_from(TICK.as_millis()).unwrap_or(u64::MAX);
        let welcome = wire::welcome(self.name.as_str(), number, tick_ms, &self.owner);
        // Before anything else that this socket is told.
        if join.socket.try_send(Tell(welcome.into())).is_err() {
            world.leave(number);
            return Err(JoinError::Leaving);
        }
        self.seats.take(number, join.socket);
        self.seats.roster_changed();
        self.start_ticking(context);
        Ok(number)
    }
}

impl Handler<Leave> for LiveWorld {
    type Result = ();

    fn handle(&mut self, leave: Leave, context: &mut Context<Self>) {
        // One who has come back through another socket stays.
        if !self.seats.vacate(leave.number, &leave.socket) {
            return;
        }
        self.seats.roster_changed();
        if let Some(world) = &mut self.world {
            world.leave(leave.number);
        }
        if self.seats.is_empty() {
            self.stop_ticking(context);
            self.save_if_dirty(context);
        }
    }
}

impl Handler<Steer> for LiveWorld {
    type Result = ();

    fn handle(&mut self, steer: Steer, _: &mut Context<Self>) {
        if let Some(world) = &mut self.world {
            world.steer(steer.number, steer.heading);
        }
    }
}

impl Handler<Look> for LiveWorld {
    type Result = Result<View, JoinError>;

    fn handle(&mut self, _: Look, _: &mut Context<Self>) -> Self::Result {
        let world = self.world.as_ref().ok_or(JoinError::Leaving)?;
        let players = world.players().map(|(number, player)| PlayerView {
            number: number.get(),
            name: player.name().as_str().to_owned(),
            score: player.score(),
            present: player.is_present(),
        });
        Ok(View {
            world: self.name.as_str().to_owned(),
            owner: self.owner.clone(),
            tick: world.tick(),
            revision: world.revision(),
            saved: self.safe.revision(),
            ticks_here: self.ticks.all,
            ticks_late: self.ticks.late,
            states_skipped: self.seats.skipped(),
            saves_failed: self.safe.failures(),
            players: players.collect(),
        })
    }
}

impl LiveWorld {
    pub(super) fn start_ticking(&mut self, context: &mut Context<Self>) {
        if self.ticking.is_none() {
            self.ticking = Some(context.add_stream(super::ticking::stream()));
        }
    }

    pub(super) fn stop_ticking(&mut self, context: &mut Context<Self>) {
        if let Some(handle) = self.ticking.take() {
            context.cancel_future(handle);
        }
    }
}
