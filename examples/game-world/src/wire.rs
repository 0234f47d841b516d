//! What a player's socket and a world say to each other: small JSON messages, one to a text message
//! of the websocket. Pure. A client begins with `join`, which names the version; everything else it
//! may say is `steer`.
//!
//! | from the client | |
//! |---|---|
//! | `{"type":"join","version":1,"player":"<32 hexadecimal digits>","name":"Ann"}` | first and once. `player` is a secret by which the world knows its player again |
//! | `{"type":"steer","x":0.7,"y":-0.7}` | where to head from now on: a share of the highest speed to the right and downwards |
//!
//! | from the world | |
//! |---|---|
//! | `welcome` | what stays the same while the connection lasts, above all who owns the world and under which epoch |
//! | `roster` | who is here, whenever that changes |
//! | `state` | where everything is, 20 times a second |
//! | `moving` | the world gets another owner; a Close frame with code 1012 follows |
//! | `error` | what was wrong; a Close frame with code 1003 or 1008 follows |

mod rate;

use serde::{Deserialize, Serialize};

pub(crate) use self::rate::Rate;
use crate::world::{HEIGHT, Heading, Place, PlayerKey, PlayerName, PlayerNumber, WIDTH, World};

/// The version of these messages.
pub(crate) const VERSION: u32 = 1;

/// The longest message of a client, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 512;

/// What a client says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// It wants to play.
    Join {
        /// By what it is known again.
        key: PlayerKey,
        /// What people call it.
        name: PlayerName,
    },
    /// It heads somewhere.
    Steer(Heading),
}

/// Why a message is not taken. The connection ends with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misunderstood {
    #[error("messages are texts, not bytes")]
    Binary,
    #[error("a message is at most {MESSAGE_BYTES_MAX} bytes long and comes in one piece")]
    TooLong,
    #[error("it is no message of this protocol: {0}")]
    Form(String),
    #[error("this server speaks version {VERSION}, not {0}")]
    Version(u32),
    #[error("a player's key has 32 hexadecimal digits")]
    Key,
    #[error("{0}")]
    Name(#[from] crate::world::NameError),
    #[error("a heading is two numbers")]
    Heading,
    #[error("the first message is join")]
    NotJoined,
    #[error("join comes once")]
    JoinedTwice,
    #[error("no more than {0} messages a second, please")]
    TooMany(u32),
}

impl Misunderstood {
    /// The code of the Close frame (RFC 6455, section 7.4.1): 1003 for what is no message at all, 1008
    /// for one that breaks the rules.
    pub(crate) fn close_code(&self) -> u16 {
        match self {
            Self::Binary | Self::Form(_) => 1003,
            Self::TooLong
            | Self::Version(_)
            | Self::Key
            | Self::Name(_)
            | Self::Heading
            | Self::NotJoined
            | Self::JoinedTwice
            | Self::TooMany(_) => 1008,
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum FromClient {
    Join {
        version: u32,
        player: String,
        name: String,
    },
    Steer {
        x: f64,
        y: f64,
    },
}

/// Reads a message.
///
/// # Errors
///
/// When it is none.
pub(crate) fn parse(text: &str) -> Result<Said, Misunderstood> {
    if text.len() > MESSAGE_BYTES_MAX {
        return Err(Misunderstood::TooLong);
    }
    let form = |error: serde_json::Error| Misunderstood::Form(error.to_string());
    match serde_json::from_str(text).map_err(form)? {
        FromClient::Join { version, .. } if version != VERSION => {
            Err(Misunderstood::Version(version))
        }
        FromClient::Join { player, name, .. } => Ok(Said::Join {
            key: PlayerKey::parse(&player).ok_or(Misunderstood::Key)?,
            name: PlayerName::parse(&name)?,
        }),
        FromClient::Steer { x, y } => {
            let heading = Heading::new(x, y).ok_or(Misunderstood::Heading)?;
            Ok(Said::Steer(heading))
        }
    }
}

/// Who owns a world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Owner {
    /// The name of the worker.
    pub(crate) worker: String,
    /// The id of its process.
    pub(crate) process: u32,
    /// The epoch under which it owns the world.
    pub(crate) epoch: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum FromWorld<'a> {
    #[serde(rename_all = "camelCase")]
    Welcome {
        version: u32,
        world: &'a str,
        you: u32,
        width: f64,
        height: f64,
        tick_ms: u64,
        owner: &'a Owner,
    },
    Roster {
        players: Vec<(u32, &'a str)>,
    },
    State {
        tick: u64,
        revision: u64,
        saved: u64,
        players: Vec<(u32, f64, f64, u64)>,
        things: Vec<(u64, f64, f64, u32)>,
    },
    Moving {},
    Error {
        message: &'a str,
    },
}

/// Greets a player.
pub(crate) fn welcome(world: &str, you: PlayerNumber, tick_ms: u64, owner: &Owner) -> String {
    write(&FromWorld::Welcome {
        version: VERSION,
        world,
        you: you.get(),
        width: WIDTH,
        height: HEIGHT,
        tick_ms,
        owner,
    })
}

/// Says who is here.
pub(crate) fn roster(world: &World) -> String {
    let players = world.present();
    let players = players.map(|(number, player)| (number.get(), player.name().as_str()));
    write(&FromWorld::Roster {
        players: players.collect(),
    })
}

/// Says where everything is. `saved` is the revision that would survive the loss of the owner.
pub(crate) fn state(world: &World, saved: u64) -> String {
    let players = world.present().map(|(number, player)| {
        let (x, y) = tenths(player.place());
        (number.get(), x, y, player.score())
    });
    let things = world.things().map(|(number, thing)| {
        let (x, y) = tenths(thing.place());
        (number.get(), x, y, thing.value())
    });
    write(&FromWorld::State {
        tick: world.tick(),
        revision: world.revision(),
        saved,
        players: players.collect(),
        things: things.collect(),
    })
}

/// Announces another owner.
pub(crate) fn moving() -> String {
    write(&FromWorld::Moving {})
}

/// Says what was wrong.
pub(crate) fn error(message: &str) -> String {
    write(&FromWorld::Error { message })
}

/// As exact as a screen shows it.
fn tenths(place: Place) -> (f64, f64) {
    let round = |length: f64| (length * 10.0).round() / 10.0;
    (round(place.x), round(place.y))
}

fn write(message: &FromWorld<'_>) -> String {
    serde_json::to_string(message).expect("numbers and texts can always be written as JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::world::Limits;

    const KEY: &str = "00112233445566778899aabbccddeeff";

    fn join(version: u32, key: &str, name: &str) -> Result<Said, Misunderstood> {
        let message = json!({ "type": "join", "version": version, "player": key, "name": name });
        parse(&message.to_string())
    }

    #[test]
    fn what_a_client_says_is_read_or_refused_with_the_reason() {
        let joined = Said::Join {
            key: PlayerKey::parse(KEY).unwrap(),
            name: PlayerName::parse("Ann").unwrap(),
        };
        assert_eq!(join(1, KEY, " Ann"), Ok(joined));
        let heading = Heading::new(0.5, -1.0).unwrap();
        assert_eq!(
            parse(r#"{"type":"steer","x":0.5,"y":-1,"more":[]}"#),
            Ok(Said::Steer(heading))
        );
        assert_eq!(join(2, KEY, "Ann"), Err(Misunderstood::Version(2)));
        assert_eq!(join(1, "no", "Ann"), Err(Misunderstood::Key));
        assert!(matches!(join(1, KEY, " "), Err(Misunderstood::Name(_))));
        assert_eq!(parse(&" ".repeat(513)), Err(Misunderstood::TooLong));
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"fly"}"#,
            r#"{"type":"steer","x":1}"#,
            r#"{"type":"steer","x":1e999,"y":0}"#,
            r#"{"type":"steer","x":null,"y":0}"#,
        ] {
            let refused = parse(text).unwrap_err();
            assert!(
                matches!(refused, Misunderstood::Form(_)),
                "{text}: {refused}"
            );
            assert_eq!(refused.close_code(), 1003);
        }
    }

    #[test]
    fn a_state_holds_everything_that_a_page_draws() {
        let limits = Limits {
            present_max: 2,
            remembered_max: 2,
        };
        let mut world = World::new(1, limits);
        let key = PlayerKey::parse(KEY).unwrap();
        let ann = world.join(key, PlayerName::parse("Ann").unwrap()).unwrap();
        world.step(0.05);
        let state: Value = serde_json::from_str(&state(&world, 0)).unwrap();
        assert_eq!(
            (&state["type"], &state["tick"]),
            (&json!("state"), &json!(1))
        );
        assert_eq!(
            (&state["revision"], &state["saved"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(state["players"][0][0], ann.get());
        assert_eq!(
            state["things"].as_array().unwrap().len(),
            crate::world::THINGS
        );
        let roster: Value = serde_json::from_str(&roster(&world)).unwrap();
        assert_eq!(roster["players"], json!([[ann.get(), "Ann"]]));
        assert!(!state.to_string().contains(KEY) && !roster.to_string().contains(KEY));
        let owner = Owner {
            worker: "worker 1".to_owned(),
            process: 7,
            epoch: 9,
        };
        let welcome: Value = serde_json::from_str(&welcome("meadow", ann, 50, &owner)).unwrap();
        assert_eq!(welcome["tickMs"], 50);
        assert_eq!(
            welcome["owner"],
            json!({ "worker": "worker 1", "process": 7, "epoch": 9 })
        );
    }
}
