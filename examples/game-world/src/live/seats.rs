//! The sockets of those who play, and what they are told. A player who does not keep up misses
//! states, which the next one makes good; one who misses many in a row is sent away.

use std::collections::BTreeMap;

use actix::Addr;
use bytestring::ByteString;

use crate::{
    socket::{Ending, PlayerSocket, Tell},
    wire,
    world::{PlayerNumber, World},
};

/// How many states in a row a player may miss: ten seconds of them.
const MISSED_MAX: u32 = 200;

/// Everyone who plays.
#[derive(Debug, Default)]
pub(super) struct Seats {
    seats: BTreeMap<PlayerNumber, Seat>,
    roster_changed: bool,
    skipped: u64,
}

#[derive(Debug)]
struct Seat {
    socket: Addr<PlayerSocket>,
    missed: u32,
    knows_roster: bool,
}

impl Seats {
    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// How many states were not sent to players who did not keep up.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Gives a player a seat. Whoever had it is sent away: the same player, through another socket.
    pub(super) fn take(&mut self, number: PlayerNumber, socket: Addr<PlayerSocket>) {
        let seat = Seat {
            socket,
            missed: 0,
            knows_roster: false,
        };
        if let Some(before) = self.seats.insert(number, seat) {
            end(&before.socket, Ending::PlaysElsewhere);
        }
    }

    /// Takes the seat back, if it is this socket's; whether it was.
    pub(super) fn vacate(&mut self, number: PlayerNumber, socket: &Addr<PlayerSocket>) -> bool {
        let is_theirs = self
            .seats
            .get(&number)
            .is_some_and(|seat| seat.socket == *socket);
        if is_theirs {
            self.seats.remove(&number);
        }
        is_theirs
    }

    /// Everyone has to be told who is here.
    pub(super) fn roster_changed(&mut self) {
        self.roster_changed = true;
    }

    /// Tells everyone how the world is. Returns whom it has sent away for not keeping up.
    pub(super) fn tell(&mut self, world: &World, saved: u64) -> Vec<PlayerNumber> {
        if std::mem::take(&mut self.roster_changed) {
            for seat in self.seats.values_mut() {
                seat.knows_roster = false;
            }
        }
        let state = ByteString::from(wire::state(world, saved));
        let mut roster: Option<ByteString> = None;
        let mut sent_away = Vec::new();
        for (number, seat) in &mut self.seats {
            if !seat.knows_roster {
                let roster = roster.get_or_insert_with(|| wire::roster(world).into());
                seat.knows_roster = seat.socket.try_send(Tell(roster.clone())).is_ok();
            }
            if seat.socket.try_send(Tell(state.clone())).is_ok() {
                seat.missed = 0;
                continue;
            }
            self.skipped += 1;
            seat.missed += 1;
            if seat.missed == MISSED_MAX {
                end(&seat.socket, Ending::TooSlow);
                sent_away.push(*number);
            }
        }
        for number in &sent_away {
            self.seats.remove(number);
            self.roster_changed = true;
        }
        sent_away
    }

    /// Sends everyone to whoever owns the world next.
    pub(super) fn send_away(&mut self) {
        for seat in std::mem::take(&mut self.seats).into_values() {
            end(&seat.socket, Ending::Moving);
        }
    }
}

/// Ends a socket. Its mailbox may be full, so this waits for room in a task of its own.
fn end(socket: &Addr<PlayerSocket>, ending: Ending) {
    let told = socket.send(ending);
    actix_rt::spawn(async move {
        // It may have ended by itself meanwhile.
        let _gone = told.await;
    });
}

#[cfg(test)]
mod tests {
    use actix::{AsyncContext, Context};
    use actix_web::error::PayloadError;
    use actix_web_actors::ws::WebsocketContext;
    use futures::{FutureExt, Stream, StreamExt, stream};

    use super::*;
    use crate::{
        live::LiveWorld,
        world::{Limits, PlayerKey, PlayerName},
    };

    /// A world with one player in it.
    fn world() -> (World, PlayerNumber) {
        let limits = Limits {
            present_max: 1,
            remembered_max: 1,
        };
        let mut world = World::new(1, limits);
        let key = PlayerKey::parse(&"1".repeat(32)).unwrap();
        let name = PlayerName::parse("Ann").unwrap();
        let number = world.join(key, name).unwrap();
        (world, number)
    }

    /// A socket, and what a client gets from it, who says nothing.
    fn socket() -> (
        Addr<PlayerSocket>,
        impl Stream<Item: std::fmt::Debug> + Unpin,
    ) {
        let nobody = Context::<LiveWorld>::new().address();
        let silence = stream::pending::<Result<_, PayloadError>>();
        let (socket, sent) =
            WebsocketContext::create_with_addr(PlayerSocket::new(nobody, 60), silence);
        (socket, Box::pin(sent))
    }

    #[actix_rt::test]
    async fn who_does_not_keep_up_misses_states_and_is_sent_away() {
        let (world, number) = world();
        let (socket, unread) = socket();
        let mut seats = Seats::default();
        seats.take(number, socket);
        let told = (1..1_000).find(|_| seats.tell(&world, 0) == [number]);
        let told = told.expect("to be sent away");
        // A mailbox holds some before the first is missed.
        assert!((200..250).contains(&told), "{told}");
        assert_eq!(seats.skipped(), 200);
        assert!(seats.is_empty());
        drop(unread);
    }

    #[actix_rt::test]
    async fn who_keeps_up_misses_nothing() {
        let (world, number) = world();
        let (socket, mut sent) = socket();
        let mut seats = Seats::default();
        seats.take(number, socket);
        for _ in 0..500 {
            assert_eq!(seats.tell(&world, 0), []);
            assert!(sent.next().now_or_never().flatten().is_some());
        }
        assert_eq!(seats.skipped(), 0);
    }
}
