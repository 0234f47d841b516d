//! A world as it is kept: JSON, with a version. What is not kept are the players' presence and
//! movement: whoever takes a world over finds it empty, and players come back by themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Limits, Place, Player, PlayerKey, PlayerName, PlayerNumber, Thing, ThingNumber, World,
    random::Random,
};

/// The form that is written, and the only one that is read.
const VERSION: u32 = 1;

/// A world, ready to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    version: u32,
    random: u64,
    tick: u64,
    revision: u64,
    next_player: u32,
    next_thing: u64,
    players: Vec<KeptPlayer>,
    things: Vec<KeptThing>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptPlayer {
    number: u32,
    key: String,
    name: String,
    x: f64,
    y: f64,
    score: u64,
    left: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptThing {
    number: u64,
    x: f64,
    y: f64,
    value: u32,
}

/// Why bytes are no world.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// They are not JSON of this form.
    #[error("it is not JSON of the form that is expected")]
    Form(#[from] serde_json::Error),
    /// Another version has written them.
    #[error("it has version {found}, and this program reads version {VERSION}")]
    Version {
        /// The version that they have.
        found: u32,
    },
    /// They say something that no world is like.
    #[error("{what} cannot be")]
    Content {
        /// What it is.
        what: &'static str,
    },
}

impl Snapshot {
    /// Its bytes.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts can always be written as JSON")
    }

    /// What these bytes say.
    ///
    /// # Errors
    ///
    /// When they are no snapshot of this version.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        // First of all: another version may have another form.
        let Version { version } = serde_json::from_slice(bytes)?;
        if version == VERSION {
            Ok(serde_json::from_slice(bytes)?)
        } else {
            Err(SnapshotError::Version { found: version })
        }
    }
}

impl World {
    /// The world as it is to be kept.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let players = self.players().map(|(number, player)| KeptPlayer {
            number: number.get(),
            key: player.key().to_digits(),
            name: player.name().as_str().to_owned(),
            x: player.place().x,
            y: player.place().y,
            score: player.score(),
            left: player.left().unwrap_or(self.tick),
        });
        let things = self.things().map(|(number, thing)| KeptThing {
            number: number.get(),
            x: thing.place().x,
            y: thing.place().y,
            value: thing.value(),
        });
        Snapshot {
            version: VERSION,
            random: self.random.state(),
            tick: self.tick,
            revision: self.revision,
            next_player: self.next_player.get(),
            next_thing: self.next_thing.get(),
            players: players.collect(),
            things: things.collect(),
        }
    }

    /// The world that was kept, with nobody in it.
    ///
    /// # Errors
    ///
    /// When no world can be like that.
    pub(crate) fn restore(kept: Snapshot, limits: Limits) -> Result<Self, SnapshotError> {
        let mut players = BTreeMap::new();
        for player in kept.players {
            let number = PlayerNumber::new(player.number);
            if player.number >= kept.next_player {
                return Err(wrong("a player's number"));
            }
            players.insert(number, restore_player(&player)?);
        }
        let mut things = BTreeMap::new();
        for thing in kept.things {
            if thing.number >= kept.next_thing {
                return Err(wrong("a thing's number"));
            }
            let place = place(thing.x, thing.y)?;
            let number = ThingNumber::new(thing.number);
            things.insert(number, Thing::new(place, thing.value));
        }
        let mut world = Self {
            limits,
            random: Random::new(kept.random),
            tick: kept.tick,
            revision: kept.revision,
            moved: kept.tick,
            players,
            things,
            next_player: PlayerNumber::new(kept.next_player),
            next_thing: ThingNumber::new(kept.next_thing),
        };
        world.place_things();
        Ok(world)
    }
}

fn restore_player(kept: &KeptPlayer) -> Result<Player, SnapshotError> {
    let key = PlayerKey::parse(&kept.key).ok_or(wrong("a player's key"))?;
    let name = PlayerName::parse(&kept.name).map_err(|_| wrong("a player's name"))?;
    let place = place(kept.x, kept.y)?;
    Ok(Player::gone(key, name, place, kept.score, kept.left))
}

fn place(x: f64, y: f64) -> Result<Place, SnapshotError> {
    let place = Place { x, y };
    if place.is_inside() {
        Ok(place)
    } else {
        Err(wrong("a place"))
    }
}

const fn wrong(what: &'static str) -> SnapshotError {
    SnapshotError::Content { what }
}
