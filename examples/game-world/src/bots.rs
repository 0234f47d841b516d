//! Players that are programs: many of them play a running game for a while, and report how the worlds
//! kept their beat, how much was said, and how long players saw nothing when a world changed its
//! owner.

mod bot;
mod brain;
mod histogram;
mod report;

use std::{cell::RefCell, io, net::SocketAddr, rc::Rc, time::Duration};

use futures::future::join_all;
use serde::Deserialize;
use tokio::time::sleep;

use self::{bot::Bot, report::Tally};
use crate::{arguments::BotArguments, clock};

/// How many bots share a world, unless told otherwise.
const BOTS_PER_WORLD: u16 = 50;

/// How long the answer of a world may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// How long it may take until all bots play.
const COMING_TIMEOUT: Duration = Duration::from_secs(30);

/// Between two looks whether they do.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Between two bots that begin: a crowd does not come all at once.
const BETWEEN_STARTS: Duration = Duration::from_millis(2);

/// Lets `count` bots play, and prints what came of it.
///
/// # Errors
///
/// When no game can be reached.
pub(crate) async fn run(count: u16, arguments: &BotArguments) -> io::Result<()> {
    let world_count = arguments.worlds.unwrap_or(count.div_ceil(BOTS_PER_WORLD));
    let world_count = world_count.min(count);
    let worlds: Vec<String> = (1..=world_count)
        .map(|number| format!("bots-{number}"))
        .collect();
    // So that a game that cannot be reached is told of at once.
    look_at_all(arguments.address, &worlds).await?;
    println!("{count} bots come to {} worlds", worlds.len());
    let tally = Rc::new(RefCell::new(Tally::new(clock::now())));
    for (number, world) in (0..count).zip(worlds.iter().cycle()) {
        let bot = Bot::new(number, arguments.address, world, Rc::clone(&tally));
        actix_rt::spawn(bot.play());
        sleep(BETWEEN_STARTS).await;
    }
    await_all(count, &tally).await;
    // Measured only while everybody plays.
    tally.borrow_mut().begin(clock::now());
    let before = look_at_all(arguments.address, &worlds).await?;
    println!(
        "{} bots play for {} s",
        tally.borrow().playing(),
        arguments.seconds
    );
    sleep(Duration::from_secs(arguments.seconds)).await;
    let after = look_at_all(arguments.address, &worlds).await?;
    let beats = Beats::between(&before, &after);
    println!("{}", tally.borrow().report(clock::now(), count, beats));
    Ok(())
}

/// Waits until all bots have seen their worlds, or for as long as they may take.
async fn await_all(count: u16, tally: &RefCell<Tally>) {
    let begun = clock::now();
    while tally.borrow().playing() < i64::from(count) && begun.elapsed() < COMING_TIMEOUT {
        sleep(BETWEEN_LOOKS).await;
    }
}

/// What a world says of its beat.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    owner: SeenOwner,
    ticks_here: u64,
    ticks_late: u64,
}

#[derive(Clone, Debug, Deserialize)]
struct SeenOwner {
    epoch: u64,
}

/// How the worlds kept their beat, of owners alone that were there the whole time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Beats {
    all: u64,
    late: u64,
    moved: usize,
}

impl Beats {
    fn between(before: &[Seen], after: &[Seen]) -> Self {
        let mut beats = Self::default();
        for (before, after) in before.iter().zip(after) {
            if before.owner.epoch == after.owner.epoch {
                beats.all += after.ticks_here.saturating_sub(before.ticks_here);
                beats.late += after.ticks_late.saturating_sub(before.ticks_late);
            } else {
                beats.all += after.ticks_here;
                beats.late += after.ticks_late;
                beats.moved += 1;
            }
        }
        beats
    }
}

async fn look_at_all(address: SocketAddr, worlds: &[String]) -> io::Result<Vec<Seen>> {
    let client = awc::Client::builder().timeout(LOOK_TIMEOUT).finish();
    let looks = worlds.iter().map(|world| look(&client, address, world));
    join_all(looks).await.into_iter().collect()
}

async fn look(client: &awc::Client, address: SocketAddr, world: &str) -> io::Result<Seen> {
    let url = format!("http://{address}/games/{world}/state");
    let failed = |error: &dyn std::fmt::Display| io::Error::other(format!("{url}: {error}"));
    let mut answer = client
        .get(&url)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    let body = answer
        .body()
        .limit(1 << 20)
        .await
        .map_err(|error| failed(&error))?;
    serde_json::from_slice(&body).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(epoch: u64, ticks_here: u64, ticks_late: u64) -> Seen {
        Seen {
            owner: SeenOwner { epoch },
            ticks_here,
            ticks_late,
        }
    }

    #[test]
    fn beats_are_counted_from_the_start_or_from_the_latest_change_of_owner() {
        let before = [seen(1, 100, 5), seen(2, 50, 0)];
        let after = [seen(1, 300, 6), seen(7, 40, 2)];
        assert_eq!(
            Beats::between(&before, &after),
            Beats {
                all: 240,
                late: 3,
                moved: 1
            }
        );
    }
}
