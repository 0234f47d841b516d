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
