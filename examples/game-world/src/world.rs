//! A world: players who move in it, and things that they collect. Pure: a step is told how long it
//! takes, chance is a seed, and nothing here reads a clock, a file or a socket.
//!
//! [`World::join`], [`World::leave`] and [`World::steer`] say what players want, [`World::step`] lets
//! time pass, [`World::snapshot`] and [`World::restore`] carry a world from one owner to the next.

mod identity;
mod player;
mod random;
pub(crate) mod snapshot;
mod space;
#[cfg(test)]
mod tests;
mod thing;

use std::collections::BTreeMap;

pub(crate) use self::{
    identity::{NameError, PlayerKey, PlayerName, PlayerNumber},
    player::Player,
    space::{HEIGHT, Heading, Place, WIDTH},
    thing::{Thing, ThingNumber},
};
use self::{random::Random, space::touches};

/// How many things lie in a world at any time.
pub(crate) const THINGS: usize = 24;

/// How close the middle of a player has to come to the middle of a thing, in units.
const REACH: f64 = 30.0;

/// How many players a world takes, and how many it remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The most players at a time.
    pub(crate) present_max: usize,
    /// The most players whose scores are kept. When one more comes, the one who left first is
    /// forgotten.
    pub(crate) remembered_max: usize,
}

/// As many players as may be are in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{most} players are in this world, and it takes no more")]
pub(crate) struct Full {
    most: usize,
}

/// A world.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct World {
    limits: Limits,
    random: Random,
    tick: u64,
    revision: u64,
    moved: u64,
    players: BTreeMap<PlayerNumber, Player>,
    things: BTreeMap<ThingNumber, Thing>,
    next_player: PlayerNumber,
    next_thing: ThingNumber,
}

impl World {
    /// A new world. Worlds of one seed, in which the same is done, are equal.
    pub(crate) fn new(seed: u64, limits: Limits) -> Self {
        let mut world = Self {
            limits,
            random: Random::new(seed),
            tick: 0,
            revision: 0,
            moved: 0,
            players: BTreeMap::new(),
            things: BTreeMap::new(),
            next_player: PlayerNumber::FIRST,
            next_thing: ThingNumber::FIRST,
        };
        world.place_things();
        world
    }

    /// How many steps it has taken.
    pub(crate) fn tick(&self) -> u64 {
        self.tick
    }

    /// Grows with everything that must not be lost: who joined, what was collected.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The step in which somebody last moved.
    pub(crate) fn moved(&self) -> u64 {
        self.moved
    }

    /// Everyone whose score is kept, in the order of arrival.
    pub(crate) fn players(&self) -> impl Iterator<Item = (PlayerNumber, &Player)> {
        self.players
            .iter()
            .map(|(number, player)| (*number, player))
    }

    /// Those of them who are here.
    pub(crate) fn present(&self) -> impl Iterator<Item = (PlayerNumber, &Player)> {
        self.players().filter(|(_, player)| player.is_present())
    }

    /// What lies around.
    pub(crate) fn things(&self) -> impl Iterator<Item = (ThingNumber, &Thing)> {
        self.things.iter().map(|(number, thing)| (*number, thing))
    }

    /// Lets a player in. One who was here before has the score and the place from then.
    ///
    /// # Errors
    ///
    /// When the world is full.
    pub(crate) fn join(&mut self, key: PlayerKey, name: PlayerName) -> Result<PlayerNumber, Full> {
        let known = self.players().find(|(_, player)| *player.key() == key);
        let known = known.map(|(number, player)| (number, player.is_present()));
        let here = self.present().count();
        if here >= self.limits.present_max && known.is_none_or(|(_, present)| !present) {
            return Err(Full {
                most: self.limits.present_max,
            });
        }
        self.revision += 1;
        if let Some((number, _)) = known {
            if let Some(player) = self.players.get_mut(&number) {
                player.come_back(name);
            }
            return Ok(number);
        }
        self.forget_the_first_to_have_left();
        let number = self.next_player;
        self.next_player = number.next();
        let place = Place::draw(&mut self.random);
        self.players.insert(number, Player::new(key, name, place));
        Ok(number)
    }

    /// A player goes; the score stays.
    pub(crate) fn leave(&mut self, number: PlayerNumber) {
        if let Some(player) = self.players.get_mut(&number) {
            player.go(self.tick);
        }
    }

    /// A player heads somewhere, until told otherwise.
    pub(crate) fn steer(&mut self, number: PlayerNumber, heading: Heading) {
        if let Some(player) = self.players.get_mut(&number) {
            player.steer(heading);
        }
    }

    /// Lets this many seconds pass: players move, and collect what they reach. Of two who reach a
    /// thing in the same step, the one who joined this world first has it.
    pub(crate) fn step(&mut self, seconds: f64) {
        self.tick += 1;
        let mut collected = false;
        for player in self.players.values_mut().filter(|it| it.is_present()) {
            if player.travel(seconds) {
                self.moved = self.tick;
            }
            self.things.retain(|_, thing| {
                let reached = touches(player.place(), thing.place(), REACH);
                if reached {
                    player.earn(thing.value());
                    collected = true;
                }
                !reached
            });
        }
        if collected {
            self.revision += 1;
            self.place_things();
        }
    }

    fn place_things(&mut self) {
        while self.things.len() < THINGS {
            let thing = Thing::draw(&mut self.random);
            self.things.insert(self.next_thing, thing);
            self.next_thing = self.next_thing.next();
        }
    }

    fn forget_the_first_to_have_left(&mut self) {
        if self.players.len() < self.limits.remembered_max {
            return;
        }
        let gone = self
            .players()
            .filter_map(|(number, player)| player.left().map(|tick| (tick, number)));
        if let Some((_, number)) = gone.min() {
            self.players.remove(&number);
        }
    }
}
