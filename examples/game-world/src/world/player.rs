//! One player: moves while present, and keeps the score when not.

use super::{
    HEIGHT, Heading, Place, PlayerKey, PlayerName, WIDTH,
    space::{EDGE, on_grid},
};

/// The highest speed, in units a second.
const SPEED: f64 = 300.0;

/// How quickly a player gets to the speed that is steered for: the share of the difference that is
/// made up, per second.
const GRIP: f64 = 9.0;

/// Slower than this, in units a second, is standing still.
const STILL: f64 = 1.0;

/// A player.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Player {
    key: PlayerKey,
    name: PlayerName,
    place: Place,
    score: u64,
    presence: Presence,
}

/// Whether a player is here, and what belongs to either.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Presence {
    Here {
        heading: Heading,
        velocity: (f64, f64),
    },
    Gone {
        since: u64,
    },
}

impl Presence {
    fn standing() -> Self {
        Self::Here {
            heading: Heading::default(),
            velocity: (0.0, 0.0),
        }
    }
}

impl Player {
    /// One who has just come.
    pub(super) fn new(key: PlayerKey, name: PlayerName, place: Place) -> Self {
        Self {
            key,
            name,
            place,
            score: 0,
            presence: Presence::standing(),
        }
    }

    /// One who was here until the tick `since`.
    pub(super) fn gone(
        key: PlayerKey,
        name: PlayerName,
        place: Place,
        score: u64,
        since: u64,
    ) -> Self {
        Self {
            key,
            name,
            place,
            score,
            presence: Presence::Gone { since },
        }
    }

    pub(super) fn key(&self) -> &PlayerKey {
        &self.key
    }

    /// The name.
    pub(crate) fn name(&self) -> &PlayerName {
        &self.name
    }

    /// Where the player is, or was last.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// What the player has collected in this world.
    pub(crate) fn score(&self) -> u64 {
        self.score
    }

    /// Whether the player is here.
    pub(crate) fn is_present(&self) -> bool {
        self.left().is_none()
    }

    /// The tick at which the player left; `None` while here.
    pub(super) fn left(&self) -> Option<u64> {
        match self.presence {
            Presence::Here { .. } => None,
            Presence::Gone { since } => Some(since),
        }
    }

    pub(super) fn come_back(&mut self, name: PlayerName) {
        self.name = name;
        if !self.is_present() {
            self.presence = Presence::standing();
        }
    }

    pub(super) fn go(&mut self, tick: u64) {
        self.presence = Presence::Gone { since: tick };
    }

    pub(super) fn steer(&mut self, to: Heading) {
        if let Presence::Here { heading, .. } = &mut self.presence {
            *heading = to;
        }
    }

    pub(super) fn earn(&mut self, value: u32) {
        self.score += u64::from(value);
    }

    /// Moves for this many seconds; whether that led anywhere.
    pub(super) fn travel(&mut self, seconds: f64) -> bool {
        let Presence::Here { heading, velocity } = &mut self.presence else {
            return false;
        };
        let gain = (GRIP * seconds).min(1.0);
        velocity.0 += (heading.x * SPEED - velocity.0) * gain;
        velocity.1 += (heading.y * SPEED - velocity.1) * gain;
        if velocity.0.hypot(velocity.1) < STILL {
            *velocity = (0.0, 0.0);
            return false;
        }
        let before = self.place;
        slide(&mut self.place.x, &mut velocity.0, seconds, WIDTH);
        slide(&mut self.place.y, &mut velocity.1, seconds, HEIGHT);
        self.place != before
    }
}

/// Moves along one axis, and stops at the edge.
fn slide(position: &mut f64, velocity: &mut f64, seconds: f64, length: f64) {
    let wanted = on_grid(*position + *velocity * seconds);
    *position = wanted.clamp(EDGE, length - EDGE);
    if *position != wanted {
        *velocity = 0.0;
    }
}
