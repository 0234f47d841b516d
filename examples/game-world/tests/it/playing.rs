//! Two players in one world, and what becomes of them when it changes its owner.

use std::{net::TcpStream, path::Path};

use constellation_testing::wait::until;
use rustix::process::Signal;

use crate::{
    game::{Game, signal},
    player::Player,
};

/// A world that two play, of whom each has collected something that is saved.
fn two_players(game: &Game, world: &str) -> (Player, Player) {
    let mut ann = Player::join(game.port, world, 1, "Ann");
    let mut bob = Player::join(game.port, world, 2, "Bob");
    for player in [&mut ann, &mut bob] {
        player.chases = true;
        player.until("a score that is saved", |player| {
            player.score() >= 3 && player.is_saved()
        });
        player.halt();
    }
    (ann, bob)
}

/// One goes a long way, and the other sees it.
fn sees_move(one: &mut Player, other: &mut Player) {
    let number = one.number();
    other.until("the other player", |it| it.sees(number).is_some());
    let (x, ..) = other.sees(number).unwrap();
    one.steer(if x < 800.0 { 1.0 } else { -1.0 }, 0.0);
    other.until("the other player's way", |it| {
        it.sees(number)
            .is_some_and(|(now, ..)| (now - x).abs() > 200.0)
    });
}

#[test]
fn two_players_see_each_other_move() {
    let game = Game::start();
    let mut ann = Player::join(game.port, "meadow", 1, "Ann");
    let mut bob = Player::join(game.port, "meadow", 2, "Bob");
    assert_eq!(ann.epoch(), bob.epoch(), "they are in one world");
    assert_eq!(ann.process(), bob.process());
    sees_move(&mut ann, &mut bob);
    sees_move(&mut bob, &mut ann);
    let view = game.look("meadow");
    assert_eq!(view["players"].as_array().unwrap().len(), 2, "{view}");
    assert_eq!(view["owner"]["epoch"], ann.epoch());
}

/// Kills the owner of the world that the two play, and plays on: both see the next owner, have their
/// scores, and see each other collect more.
fn outlives_its_owner(ann: &mut Player, bob: &mut Player) {
    let (process, epoch) = (ann.process(), ann.epoch());
    for player in [&mut *ann, &mut *bob] {
        player.catch_up();
        player.until("everything is saved", Player::is_saved);
    }
    let scores = (ann.score(), bob.score());
    let revision = ann.state["revision"].as_u64();

    signal(process, Signal::KILL);
    for player in [&mut *ann, &mut *bob] {
        player.until("the next owner", |player| player.epoch() > epoch);
    }
    assert_ne!(ann.process(), process);
    assert_eq!((ann.epoch(), ann.process()), (bob.epoch(), bob.process()));
    assert_eq!((ann.score(), bob.score()), scores);
    assert!(ann.state["revision"].as_u64() >= revision);
    println!(
        "killed: Ann saw nothing for {:?}, Bob for {:?}; the lease is 2 s",
        ann.longest_gap, bob.longest_gap
    );

    let number = ann.number();
    ann.chases = true;
    ann.until("more to be collected", |ann| ann.score() > scores.0);
    ann.halt();
    let score = ann.score();
    bob.until("Ann's new score", |bob| {
        bob.sees(number).is_some_and(|(_, _, seen)| seen >= score)
    });
    ann.until("that it is saved", Player::is_saved);
}

#[test]
fn a_world_whose_owner_is_killed_goes_on_with_every_score() {
    let game = Game::start();
    let (mut ann, mut bob) = two_players(&game, "meadow");
    // Once more than there are workers: those that were killed are started again.
    for _ in 0..4 {
        outlives_its_owner(&mut ann, &mut bob);
    }
}

#[test]
fn a_world_that_is_moved_goes_on_elsewhere_at_once() {
    let game = Game::start();
    let (mut ann, mut bob) = two_players(&game, "meadow");
    let mut gaps = Vec::new();
    for _ in 0..5 {
        let (process, epoch) = (ann.process(), ann.epoch());
        ann.catch_up();
        bob.catch_up();
        let scores = (ann.score(), bob.score());
        let ordered = game.post("/games/meadow/move");
        assert_eq!(ordered.status, 202, "{ordered:?}");
        for player in [&mut ann, &mut bob] {
            player.until("the next owner", |player| player.epoch() > epoch);
            gaps.push(player.longest_gap);
        }
        assert_ne!(ann.process(), process);
        assert_eq!(ann.process(), bob.process());
        assert_eq!((ann.score(), bob.score()), scores);
    }
    println!("moved: nothing was seen for {gaps:?}");
    // Every time they were told so, and none of their connections just broke.
    for player in [&ann, &bob] {
        let restarts = player.closes.iter().flatten();
        assert_eq!(restarts.filter(|(code, _)| *code == 1012).count(), 5);
        assert_eq!(player.closes.len(), 5, "{:?}", player.closes);
    }
}

#[test]
fn what_was_not_saved_yet_is_saved_before_a_world_moves() {
    let game = Game::start_with(&["--save-interval-ms=60000"]);
    let mut ann = Player::join(game.port, "meadow", 1, "Ann");
    ann.chases = true;
    ann.until("a score that is not saved", |ann| {
        ann.score() >= 3 && !ann.is_saved()
    });
    ann.chases = false;
    let (epoch, score) = (ann.epoch(), ann.score());
    assert_eq!(game.post("/games/meadow/move").status, 202);
    ann.until("the next owner", |ann| ann.epoch() > epoch);
    assert!(ann.score() >= score, "{} after {score}", ann.score());
}

#[test]
fn an_owner_that_sleeps_through_its_lease_ends_its_world_when_it_wakes() {
    let game = Game::start();
    let (mut ann, _bob) = two_players(&game, "meadow");
    let (process, epoch) = (ann.process(), ann.epoch());
    signal(process, Signal::STOP);
    ann.until("the next owner", |ann| ann.epoch() > epoch);
    let ended = format!("world meadow has ended here, under epoch {epoch}");
    assert!(!game.program.written().contains(&ended));
    signal(process, Signal::CONT);
    game.program
        .line("its end", |line| line.contains(&ended).then_some(()));
    let score = ann.score();
    ann.chases = true;
    ann.until("more that is saved", |ann| {
        ann.score() > score && ann.is_saved()
    });
    let mark = game.data.path().join("meadow/.constellation-epoch");
    let mark = std::fs::read_to_string(mark).unwrap();
    assert_eq!(mark.trim(), ann.epoch().to_string());
}

#[test]
fn a_world_falls_asleep_when_nobody_plays_it_and_not_before() {
    let game = Game::start_with(&["--idle-seconds=1"]);
    let mut ann = Player::join(game.port, "meadow", 1, "Ann");
    let (epoch, tick) = (ann.epoch(), ann.tick());
    ann.until("three seconds of play", |ann| ann.tick() > tick + 60);
    assert_eq!((ann.epoch(), ann.closes.len()), (epoch, 0));
    drop(ann);
    game.program.line("the world's end", |line| {
        line.contains("world meadow has ended here").then_some(())
    });
    let ann = Player::join(game.port, "meadow", 1, "Ann");
    assert!(ann.epoch() > epoch && ann.tick() > tick);
}

#[test]
fn a_game_that_ends_in_order_finds_its_worlds_when_it_starts_again() {
    let mut game = Game::start();
    let (ann, _bob) = two_players(&game, "meadow");
    let score = ann.score();
    game.program.signal("TERM");
    assert_eq!(game.program.ended(), Some(0), "{}", game.program.written());
    let game = Game::start_in(game.data);
    let ann = Player::join(game.port, "meadow", 1, "Ann");
    assert!(ann.score() >= score, "{} after {score}", ann.score());
}

#[test]
fn nothing_outlives_a_game_that_is_killed() {
    let mut game = Game::start();
    let processes: Vec<_> = ["one", "two", "three"]
        .map(|world| Player::join(game.port, world, 1, "Ann").process())
        .into();
    game.program.signal("KILL");
    game.program.ended();
    until("the end of all processes", || {
        let runs = |process: &u64| Path::new(&format!("/proc/{process}/exe")).exists();
        let listens = TcpStream::connect(("127.0.0.1", game.port)).is_ok();
        (!listens && !processes.iter().any(runs)).then_some(())
    });
}

#[test]
fn worlds_are_spread_over_the_workers_and_keep_apart() {
    let game = Game::start();
    let players: Vec<_> = ["one", "two", "three"]
        .map(|world| Player::join(game.port, world, 1, "Ann"))
        .into();
    let processes: std::collections::BTreeSet<_> = players.iter().map(Player::process).collect();
    assert_eq!(processes.len(), 3, "each has another owner");
    for player in &players {
        let others = player.state["players"].as_array().unwrap();
        assert_eq!(others.len(), 1, "{:?}", player.state);
    }
}
