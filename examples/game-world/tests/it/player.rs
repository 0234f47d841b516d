//! A player: a websocket client that chases what shines, and comes back when its connection ends.

use std::time::{Duration, Instant};

use constellation_testing::{
    wait::{PATIENCE, now},
    websocket::Websocket,
};
use serde_json::{Value, json};

/// A player in a world.
#[derive(Debug)]
pub(crate) struct Player {
    port: u16,
    path: String,
    join: Value,
    socket: Websocket,
    /// What the world said at the latest welcome.
    pub(crate) welcome: Value,
    /// The latest state.
    pub(crate) state: Value,
    /// Whether it chases things.
    pub(crate) chases: bool,
    /// When the latest state came.
    seen: Instant,
    /// The code and the reason of every Close frame; `None` where a connection broke.
    pub(crate) closes: Vec<Option<(u16, String)>>,
    /// The longest time between two states, since it was last set to zero.
    pub(crate) longest_gap: Duration,
}

impl Player {
    /// Joins a world.
    pub(crate) fn join(port: u16, world: &str, number: u8, name: &str) -> Self {
        let path = format!("/games/{world}/socket");
        let player = format!("{number:032x}");
        let join = json!({ "type": "join", "version": 1, "player": player, "name": name });
        let (socket, welcome) = enter(port, &path, &join).expect("a welcome");
        let mut player = Self {
            port,
            path,
            join,
            socket,
            welcome,
            state: Value::Null,
            chases: false,
            seen: now(),
            closes: Vec::new(),
            longest_gap: Duration::ZERO,
        };
        player.watch();
        player.longest_gap = Duration::ZERO;
        player
    }

    pub(crate) fn number(&self) -> u64 {
        self.welcome["you"].as_u64().unwrap()
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.welcome["owner"]["epoch"].as_u64().unwrap()
    }

    pub(crate) fn process(&self) -> u64 {
        self.welcome["owner"]["process"].as_u64().unwrap()
    }

    pub(crate) fn tick(&self) -> u64 {
        self.state["tick"].as_u64().unwrap()
    }

    /// Where a player is, and the score.
    pub(crate) fn sees(&self, number: u64) -> Option<(f64, f64, u64)> {
        let players = self.state["players"].as_array()?;
        let player = players.iter().find(|player| player[0] == number)?;
        Some((
            player[1].as_f64()?,
            player[2].as_f64()?,
            player[3].as_u64()?,
        ))
    }

    pub(crate) fn score(&self) -> u64 {
        self.sees(self.number()).unwrap().2
    }

    /// Whether the world would survive the loss of its owner as this player sees it.
    pub(crate) fn is_saved(&self) -> bool {
        self.state["saved"].as_u64() >= self.state["revision"].as_u64()
    }

    pub(crate) fn say(&mut self, message: &Value) {
        self.socket.send(1, message.to_string().as_bytes());
    }

    pub(crate) fn steer(&mut self, x: f64, y: f64) {
        self.say(&json!({ "type": "steer", "x": x, "y": y }));
    }

    /// Watches until the next state, through as many connections as it takes.
    pub(crate) fn watch(&mut self) {
        let start = now();
        loop {
            assert!(start.elapsed() < PATIENCE, "no state: {self:?}");
            match self.socket.receive() {
                Some(frame) if frame.opcode == 1 => {
                    let message: Value = serde_json::from_slice(&frame.payload).unwrap();
                    if message["type"] == "state" {
                        self.note(message);
                        return;
                    }
                }
                Some(frame) if frame.opcode == 9 => self.socket.send(10, &frame.payload),
                Some(frame) if frame.opcode == 8 => {
                    self.closes.push(Some(frame.closing()));
                    self.come_back();
                }
                Some(_) => {}
                None => {
                    self.closes.push(None);
                    self.come_back();
                }
            }
        }
    }

    /// Stops chasing and moving, so that the score stays as it is.
    pub(crate) fn halt(&mut self) {
        self.chases = false;
        self.steer(0.0, 0.0);
        let number = self.number();
        let start = now();
        loop {
            let (before, tick) = (self.sees(number), self.tick());
            self.watch();
            if self.sees(number) == before && self.tick() > tick {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "it moves on: {self:?}");
        }
    }

    /// Sees everything that has come, and measures gaps from here on.
    pub(crate) fn catch_up(&mut self) {
        loop {
            let asked = now();
            self.watch();
            // What had come before would not have been waited for.
            if asked.elapsed() > Duration::from_millis(10) {
                self.longest_gap = Duration::ZERO;
                return;
            }
        }
    }

    /// Watches until the state is as wanted.
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let start = now();
        while !wanted(self) {
            assert!(
                start.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}"
            );
            self.watch();
        }
    }

    fn come_back(&mut self) {
        let start = now();
        loop {
            if let Some((socket, welcome)) = enter(self.port, &self.path, &self.join) {
                (self.socket, self.welcome) = (socket, welcome);
                return;
            }
            assert!(start.elapsed() < PATIENCE, "no way back: {self:?}");
        }
    }

    fn note(&mut self, state: Value) {
        self.longest_gap = self.longest_gap.max(self.seen.elapsed());
        self.seen = now();
        self.state = state;
        if self.chases {
            self.chase();
        }
    }

    fn chase(&mut self) {
        let (x, y, _) = self.sees(self.number()).unwrap();
        let things = self.state["things"].as_array().unwrap().iter();
        let ways = things.map(|thing| {
            (
                thing[1].as_f64().unwrap() - x,
                thing[2].as_f64().unwrap() - y,
            )
        });
        let near = ways.min_by(|one, other| one.0.hypot(one.1).total_cmp(&other.0.hypot(other.1)));
        let (x, y) = near.unwrap();
        let length = x.hypot(y).max(1.0);
        self.steer(x / length, y / length);
    }
}

/// Connects and joins; `None` when nobody is there, or the world sends everyone away.
fn enter(port: u16, path: &str, join: &Value) -> Option<(Websocket, Value)> {
    let mut socket = Websocket::open_at(port, path, &[]).ok()?;
    socket.send(1, join.to_string().as_bytes());
    loop {
        let frame = socket.receive()?;
        match frame.opcode {
            1 => {
                let message: Value = serde_json::from_slice(&frame.payload).unwrap();
                assert_eq!(message["type"], "welcome", "{message}");
                return Some((socket, message));
            }
            8 => return None,
            _ => {}
        }
    }
}
