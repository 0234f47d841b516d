//! What the game refuses, and how it says so.

use constellation_testing::{http, websocket::Websocket};
use serde_json::{Value, json};

use crate::{
    game::{Game, with_free_ports},
    player::Player,
};

/// What a socket is told that says this, and the code and reason of its end.
fn told(game: &Game, frames: &[(u8, &[u8])]) -> (Value, u16) {
    let mut socket = Websocket::open_at(game.port, "/games/strict/socket", &[]).unwrap();
    for (opcode, payload) in frames {
        socket.send(*opcode, payload);
    }
    let mut last = Value::Null;
    loop {
        let frame = socket.receive().expect("a Close frame");
        match frame.opcode {
            1 => last = serde_json::from_slice(&frame.payload).unwrap(),
            8 => return (last, frame.closing().0),
            _ => {}
        }
    }
}

#[test]
fn what_breaks_the_rules_is_told_so_and_disturbs_nobody() {
    let game = Game::start();
    let mut ann = Player::join(game.port, "strict", 1, "Ann");
    let join = json!({ "type": "join", "version": 1, "player": "2".repeat(32), "name": "Bob" });
    let join = join.to_string().into_bytes();
    let old = json!({ "type": "join", "version": 0, "player": "2".repeat(32), "name": "Bob" });
    let old = old.to_string().into_bytes();
    let steer = br#"{"type":"steer","x":1,"y":0}"#;
    let long = vec![b' '; 600];
    let many: Vec<(u8, &[u8])> = std::iter::once((1, &*join))
        .chain(std::iter::repeat_n((1, &steer[..]), 1_000))
        .collect();
    for (frames, code, words) in [
        (&[(2, &b"bytes"[..])][..], 1003, "not bytes"),
        (&[(1, b"no json")], 1003, "no message"),
        (&[(1, br#"{"type":"fly"}"#)], 1003, "no message"),
        (&[(1, &old)], 1008, "version 1, not 0"),
        (&[(1, steer)], 1008, "first message"),
        (&[(1, &join), (1, &join)], 1008, "comes once"),
        (&[(1, &long)], 1008, "512 bytes"),
        (&many, 1008, "60 messages a second"),
    ] {
        let (error, closed) = told(&game, frames);
        assert_eq!((&error["type"], closed), (&json!("error"), code), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
    assert!(ann.closes.is_empty());
    ann.watch();
}

#[test]
fn a_full_world_tells_who_comes_to_try_again_later() {
    let game = Game::start_with(&["--players-max=1"]);
    let mut ann = Player::join(game.port, "strict", 1, "Ann");
    let join = json!({ "type": "join", "version": 1, "player": "2".repeat(32), "name": "Bob" });
    let (error, closed) = told(&game, &[(1, join.to_string().as_bytes())]);
    assert_eq!((&error["type"], closed), (&json!("error"), 1013), "{error}");
    ann.watch();
    assert_eq!(ann.state["players"].as_array().unwrap().len(), 1);
}

#[test]
fn paths_that_lead_nowhere_are_told_so() {
    let game = Game::start();
    for (method, path, status) in [
        ("GET", "/games/Meadow", 404),
        ("GET", "/games/meadow/elsewhere", 404),
        ("POST", "/games/Meadow/move", 404),
        ("POST", "/games/nobody-plays-here/move", 404),
        ("GET", "/games/meadow/socket", 400),
        ("GET", "/other", 502),
        ("GET", "/", 302),
    ] {
        let answer = http::request(game.port, method, path, &[], b"");
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    let page = http::get(game.port, "/games/meadow");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<canvas"));
}

#[test]
fn a_player_in_two_windows_plays_in_the_later_one() {
    let game = Game::start();
    let first = Websocket::open_at(game.port, "/games/meadow/socket", &[]);
    let mut first = first.unwrap();
    let join =
        json!({ "type": "join", "version": 1, "player": format!("{:032x}", 1), "name": "Ann" });
    first.send(1, join.to_string().as_bytes());
    let _welcome = first.receive().unwrap();
    let mut second = Player::join(game.port, "meadow", 1, "Ann");
    assert_eq!(first.closed().0, 1008);
    second.watch();
    assert_eq!(second.state["players"].as_array().unwrap().len(), 1);
}

#[test]
fn a_folder_in_use_stops_the_start_with_a_reason() {
    let game = Game::start();
    let output = with_free_ports(game.data.path()).output().unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("used by another game"), "{words}");
}
