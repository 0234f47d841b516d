//! One player's websocket: an actor of actix-web-actors in a hosted App. It reads what the player
//! says, passes it to the world, and sends what the world tells. It never holds a rule of the game.

use std::time::Duration;

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Handler, MailboxError, Message,
    StreamHandler, WrapFuture,
};
use actix_web_actors::ws::{self, CloseCode, CloseReason, WebsocketContext};
use bytestring::ByteString;
use tokio::time::Instant;

use crate::{
    clock,
    live::{Join, JoinError, Leave, LiveWorld, Steer},
    wire::{self, Misunderstood, Rate, Said},
    world::{PlayerKey, PlayerName, PlayerNumber},
};

/// How often a client is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// How long nothing may come from it.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// How long a client may take to join.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A message for the player, as it is sent.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Tell(pub(crate) ByteString);

/// Why the world ends a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub(crate) enum Ending {
    /// The world gets another owner.
    Moving,
    /// The player came through another socket.
    PlaysElsewhere,
    /// The player does not keep up.
    TooSlow,
}

/// The actor of a socket.
#[derive(Debug)]
pub(crate) struct PlayerSocket {
    world: Addr<LiveWorld>,
    stage: Stage,
    rate: Rate,
    started: Instant,
    heard: Instant,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was said.
    Silent,
    /// The world was asked to let the player in.
    Joining,
    /// It plays.
    Playing(PlayerNumber),
    /// A Close frame was sent.
    Closed,
}

impl PlayerSocket {
    /// A socket of this world, for so many messages a second.
    pub(crate) fn new(world: Addr<LiveWorld>, messages_per_second_max: u32) -> Self {
        let now = clock::now();
        Self {
            world,
            stage: Stage::Silent,
            rate: Rate::new(messages_per_second_max, Duration::ZERO),
            started: now,
            heard: now,
        }
    }

    fn close(&mut self, code: u16, words: &str, context: &mut WebsocketContext<Self>) {
        if self.stage == Stage::Closed {
            return;
        }
        self.leave(context);
        self.stage = Stage::Closed;
        let reason = CloseReason {
            code: CloseCode::from(code),
            description: Some(words.to_owned()),
        };
        context.close(Some(reason));
        context.stop();
    }

    fn refuse(&mut self, why: &Misunderstood, context: &mut WebsocketContext<Self>) {
        let words = why.to_string();
        context.text(wire::error(&words));
        self.close(why.close_code(), short(&words), context);
    }

    fn leave(&self, context: &WebsocketContext<Self>) {
        if let Stage::Playing(number) = self.stage {
            leave(&self.world, number, context.address());
        }
    }

    fn hear(&mut self, text: &str, context: &mut WebsocketContext<Self>) {
        if !self.rate.take(self.started.elapsed()) {
            let too_many = Misunderstood::TooMany(self.rate.per_second());
            return self.refuse(&too_many, context);
        }
        match (wire::parse(text), self.stage) {
            (Err(why), _) => self.refuse(&why, context),
            (Ok(Said::Join { key, name }), Stage::Silent) => self.join(key, name, context),
            (Ok(Said::Join { .. }), _) => self.refuse(&Misunderstood::JoinedTwice, context),
            (Ok(Said::Steer(heading)), Stage::Playing(number)) => {
                // A world that has more to do than it can drops it; the player steers again.
                let _dropped = self.world.try_send(Steer { number, heading });
            }
            // The world has not answered yet; the player steers again.
            (Ok(Said::Steer(_)), Stage::Joining | Stage::Closed) => {}
            (Ok(Said::Steer(_)), Stage::Silent) => self.refuse(&Misunderstood::NotJoined, context),
        }
    }

    fn join(&mut self, key: PlayerKey, name: PlayerName, context: &mut WebsocketContext<Self>) {
        self.stage = Stage::Joining;
        let socket = context.address();
        let asked = self.world.send(Join {
            key,
            name,
            socket: socket.clone(),
        });
        let (joined, answered) = tokio::sync::oneshot::channel();
        let world = self.world.clone();
        // Not in this actor: when that ends meanwhile, the player has to leave again.
        actix_rt::spawn(async move {
            if let Err(Ok(Ok(number))) = joined.send(asked.await) {
                leave(&world, number, socket);
            }
        });
        let answered = answered.into_actor(self);
        context.spawn(answered.map(|answer, socket, context| {
            socket.joined(answer.unwrap_or(Err(MailboxError::Closed)), context);
        }));
    }

    fn joined(
        &mut self,
        answer: Result<Result<PlayerNumber, JoinError>, MailboxError>,
        context: &mut WebsocketContext<Self>,
    ) {
        match answer {
            Ok(Ok(number)) => self.stage = Stage::Playing(number),
            Ok(Err(full @ JoinError::Full(_))) => {
                let words = full.to_string();
                context.text(wire::error(&words));
                // Try again later (the registry that RFC 6455 founds in section 11.7).
                self.close(1013, short(&words), context);
            }
            Ok(Err(JoinError::Leaving)) | Err(MailboxError::Closed | MailboxError::Timeout) => {
                self.close(1012, "the world has another owner; come again", context);
            }
        }
    }

    fn look_after(&mut self, context: &mut WebsocketContext<Self>) {
        if self.heard.elapsed() > SILENCE_MAX {
            self.close(1001, "nothing was heard for too long", context);
        } else if self.stage == Stage::Silent && self.started.elapsed() > JOIN_TIMEOUT {
            self.close(1008, "nobody joined", context);
        } else {
            context.ping(b"");
        }
    }
}

impl Actor for PlayerSocket {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(PING_INTERVAL, Self::look_after);
    }

    fn stopped(&mut self, context: &mut Self::Context) {
        self.leave(context);
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for PlayerSocket {
    fn handle(
        &mut self,
        message: Result<ws::Message, ws::ProtocolError>,
        context: &mut Self::Context,
    ) {
        self.heard = clock::now();
        if self.stage == Stage::Closed {
            return;
        }
        match message {
            Ok(ws::Message::Text(text)) => self.hear(&text, context),
            Ok(ws::Message::Ping(bytes)) => context.pong(&bytes),
            Ok(ws::Message::Pong(_) | ws::Message::Nop) => {}
            Ok(ws::Message::Binary(_)) => self.refuse(&Misunderstood::Binary, context),
            Ok(ws::Message::Continuation(_)) | Err(ws::ProtocolError::Overflow) => {
                self.refuse(&Misunderstood::TooLong, context);
            }
            Ok(ws::Message::Close(reason)) => {
                self.leave(context);
                self.stage = Stage::Closed;
                context.close(reason.map(|reason| reason.code.into()));
                context.stop();
            }
            Err(error) => {
                log::debug!("a socket broke: {error}");
                context.stop();
            }
        }
    }
}

impl Handler<Tell> for PlayerSocket {
    type Result = ();

    fn handle(&mut self, Tell(text): Tell, context: &mut Self::Context) {
        context.text(text);
    }
}

impl Handler<Ending> for PlayerSocket {
    type Result = ();

    fn handle(&mut self, ending: Ending, context: &mut Self::Context) {
        match ending {
            Ending::Moving => {
                context.text(wire::moving());
                self.close(1012, "the world moves to another worker", context);
            }
            Ending::PlaysElsewhere => {
                self.close(1008, "this player plays in another window", context);
            }
            Ending::TooSlow => self.close(1008, "too slow to follow the world", context),
        }
    }
}

/// Tells the world in a task of its own, which waits for room: that a player has left is not dropped.
fn leave(world: &Addr<LiveWorld>, number: PlayerNumber, socket: Addr<PlayerSocket>) {
    let left = world.send(Leave { number, socket });
    actix_rt::spawn(async move {
        // A world that has ended has no players.
        let _ended = left.await;
    });
}

/// As much as a Close frame has room for (RFC 6455, section 5.5).
fn short(words: &str) -> &str {
    words
        .char_indices()
        .take_while(|(start, character)| start + character.len_utf8() <= 120)
        .last()
        .map_or("", |(start, character)| {
            &words[..start + character.len_utf8()]
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_into_a_close_frame_and_is_whole_text() {
        assert_eq!(short("as it is"), "as it is");
        assert_eq!(short(""), "");
        let long = short(&"\u{20ac}".repeat(100)).to_owned();
        assert_eq!(long.len(), 120);
    }
}
