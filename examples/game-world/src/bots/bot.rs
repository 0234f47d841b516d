//! One bot: joins its world, heads for things, and comes back when its connection ends.

use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};

use actix_http::ws::{CloseCode, Codec, Frame, Message};
use awc::BoxedSocket;
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    brain::{self, SeenThing},
    report::Tally,
};
use crate::{clock, wire};

/// How often a bot steers: at every such state.
const STATES_PER_STEER: u64 = 5;

/// The longest message of a world, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// How long it waits before it tries again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

type Framed = actix_codec::Framed<BoxedSocket, Codec>;

/// A bot.
pub(super) struct Bot {
    url: String,
    key: String,
    name: String,
    tally: Rc<RefCell<Tally>>,
    /// Its number in the world, while it plays.
    number: Option<u64>,
    /// Whether it sees the world through this connection.
    plays: bool,
    states: u64,
    last_state: Option<Instant>,
    /// It has seen no state since its last connection ended.
    away: bool,
    score: u64,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The world asked to come again.
    Restart,
    /// Anything else.
    Broken,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum FromWorld {
    Welcome {
        you: u64,
    },
    State {
        players: Vec<(u64, f64, f64, u64)>,
        things: Vec<SeenThing>,
    },
    #[serde(other)]
    Other,
}

impl Bot {
    pub(super) fn new(
        number: u16,
        address: SocketAddr,
        world: &str,
        tally: Rc<RefCell<Tally>>,
    ) -> Self {
        Self {
            url: format!("http://{address}/games/{world}/socket"),
            key: format!("{:032x}", u128::from(number) + 1),
            name: format!("bot {number}"),
            tally,
            number: None,
            plays: false,
            states: 0,
            last_state: None,
            away: false,
            score: 0,
        }
    }

    /// Plays until it is dropped.
    pub(super) async fn play(mut self) {
        let client = awc::Client::builder().disable_timeout().finish();
        let (first, most) = BACKOFF;
        let mut wait = first;
        loop {
            let states = self.states;
            let ended = match self.connect(&client).await {
                Some(socket) => self.stay(socket).await,
                None => {
                    self.tally.borrow_mut().connect_failed();
                    Ended::Broken
                }
            };
            self.number = None;
            if std::mem::take(&mut self.plays) {
                self.tally.borrow_mut().ceased_to_play();
            }
            self.away = self.last_state.is_some();
            if self.states > states {
                wait = first;
            }
            if ended == Ended::Broken {
                sleep(wait).await;
                wait = (wait * 2).min(most);
            }
        }
    }

    async fn connect(&self, client: &awc::Client) -> Option<Framed> {
        let request = client.ws(&self.url).max_frame_size(MESSAGE_BYTES_MAX);
        let (_, mut socket) = request.connect().await.ok()?;
        let join = json!({
            "type": "join",
            "version": wire::VERSION,
            "player": self.key,
            "name": self.name,
        });
        let sent = socket.send(Message::Text(join.to_string().into())).await;
        sent.ok().map(|()| socket)
    }

    async fn stay(&mut self, mut socket: Framed) -> Ended {
        while let Some(Ok(frame)) = socket.next().await {
            let answer = match frame {
                Frame::Text(text) => self.hear(&text),
                Frame::Ping(bytes) => Some(Message::Pong(bytes)),
                Frame::Close(reason) => {
                    let restart =
                        |reason: &actix_http::ws::CloseReason| reason.code == CloseCode::Restart;
                    // The answer that the other side waits for.
                    let _gone = socket.send(Message::Close(None)).await;
                    return match reason.as_ref().is_some_and(restart) {
                        true => Ended::Restart,
                        false => Ended::Broken,
                    };
                }
                Frame::Binary(_) | Frame::Continuation(_) | Frame::Pong(_) => None,
            };
            if let Some(answer) = answer
                && socket.send(answer).await.is_err()
            {
                break;
            }
        }
        Ended::Broken
    }

    /// Hears a message; what there is to say to it.
    fn hear(&mut self, text: &[u8]) -> Option<Message> {
        self.tally.borrow_mut().message_came(text.len());
        let is_state = text.starts_with(br#"{"type":"state""#);
        if is_state {
            self.note_state();
            if !self.states.is_multiple_of(STATES_PER_STEER) {
                return None;
            }
        }
        match serde_json::from_slice(text) {
            Ok(FromWorld::Welcome { you }) => {
                self.number = Some(you);
                None
            }
            Ok(FromWorld::State { players, things }) => self.steer(&players, &things),
            Ok(FromWorld::Other) => None,
            Err(error) => {
                log::warn!("a bot does not understand its world: {error}");
                None
            }
        }
    }

    fn note_state(&mut self) {
        let now = clock::now();
        self.states += 1;
        if !std::mem::replace(&mut self.plays, true) {
            self.tally.borrow_mut().began_to_play();
        }
        if let Some(last) = self.last_state.replace(now) {
            let gap = now.saturating_duration_since(last);
            let mut tally = self.tally.borrow_mut();
            if std::mem::take(&mut self.away) {
                tally.reconnected_after(gap);
            } else {
                tally.state_after(gap);
            }
        }
    }

    fn steer(&mut self, players: &[(u64, f64, f64, u64)], things: &[SeenThing]) -> Option<Message> {
        let me = players
            .iter()
            .find(|(number, ..)| Some(*number) == self.number);
        let (_, x, y, score) = *me?;
        let mut tally = self.tally.borrow_mut();
        tally.earned(score.saturating_sub(self.score));
        self.score = score;
        tally.message_sent();
        let (x, y) = brain::heading(x, y, things);
        let steer = json!({ "type": "steer", "x": x, "y": y });
        Some(Message::Text(steer.to_string().into()))
    }
}
